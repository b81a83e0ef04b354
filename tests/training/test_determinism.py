"""The same rows and recipe give the same bytes: in other processes, with other hash seeds, on more threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.repository import ROOT

#: Whether a sum depends on how it is shared out among threads shows where it is not exact: with rows that are told
#: apart nearly perfectly and weights over many powers of ten. The number of rows from which several threads are used is
#: an argument, so that the table need not be as large.
SCRIPT = """
import hashlib, sys
import numpy as np
from tests.support.returns import FEATURES, made_up_returns, until_of
from training import model
from training.dataset import split
from training.model import Recipe, fit, fit_trees

model._THREADS_FROM = int(sys.argv[1])
rng = np.random.default_rng(1)
n = 40_000
X = np.column_stack([rng.normal(size=(n, 4)), rng.integers(-1, 3, n), rng.poisson(0.3, (n, 2))])
y = (8 * X[:, 1] - 10 + 3 * X[:, 5] + 0.3 * rng.normal(size=n) > 0).astype(float)
recipe = Recipe(max_trees=10)
recipe.trees["learning_rate"] = 0.3
trees, _ = fit_trees(X, y, np.exp(rng.normal(0, 3, n)), FEATURES, recipe)
rows = made_up_returns(n=6_000, shift=-3.0)
fitted = fit(split(rows, until_of(rows)), FEATURES, Recipe(max_trees=20), {"feature_service": "made_up"})
for text in (trees, fitted.booster_text, fitted.card.model_dump_json()):
    print(hashlib.sha256(text.encode()).hexdigest())
"""


def digest(threads_from: int, threads: int, hash_seed: int) -> str:
    count = str(threads)
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), count)
    environment |= {"PYTHONHASHSEED": str(hash_seed), "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, "-c", SCRIPT, str(threads_from)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_processes_and_threads_do_not_matter() -> None:
    """Rows above the number from which several threads are used, with two of them, and below it, with one."""
    assert digest(threads_from=1_000, threads=2, hash_seed=1) == digest(threads_from=10**9, threads=1, hash_seed=0)

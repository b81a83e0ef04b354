"""Training on 1,000,000 rows x 100 features: seconds and peak memory, against plain `lightgbm.train`.

The rows are made up, of the types that the real table has: counts with many zeros, rates, sums of money, times, some
unknown, six categoricals, abuse found in 3%. Returnwise is `training.model.fit`, the whole: trees with early stopping,
calibration, reference values, bands. Plain is one `lightgbm.train` with the same parameters, and the number of trees
that Returnwise found, on the same rows. Each is a process of its own, and both read the rows from the same files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd

from benchmarks.common import arguments, finish, say, show
from features.clock import DAY
from features.signals import ModelFeature
from training.dataset import Rows, Split
from training.model import FIXED, Recipe, fit

_ROWS: Final = 1_000_000
_BASE_RATE: Final = 0.03
#: Rows of the calibration stretch for each of the train stretch.
_CALIBRATION: Final = 0.15 / 0.65
_KINDS: Final = ("count",) * 52 + ("rate",) * 22 + ("money",) * 10 + ("days",) * 10 + ("category",) * 6


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(
        __doc__,
        rows=(int, _ROWS, "rows of the train stretch"),
        part=(str, "", "which side to run: ours or plain; both if empty"),
        trees=(int, 0, "number of trees of the plain side"),
    )
    if options.part:
        finish(_ours(options.home) if options.part == "ours" else _plain(options.home, options.trees))
        return
    rows = 30_000 if options.quick else options.rows
    with tempfile.TemporaryDirectory(prefix="returnwise-training-") as made:
        home = options.home or Path(made)
        say(f"making up {rows:,} rows x {len(_KINDS)} features")
        _make(home, rows)
        load = os.getloadavg()[0]
        ours = _run(home, "ours")
        plain = _run(home, "plain", "--trees", str(ours["trees"]))
    measured = [{"side": "Returnwise", **ours}, {"side": "plain lightgbm.train", **plain}]
    show(f"Training on {rows:,} rows x {len(_KINDS)} features", measured)
    say(f"{os.cpu_count()} cores, load {load:.1f} before it began")
    finish(
        {
            "benchmark": "training",
            "rows": rows,
            "features": len(_KINDS),
            "cores": os.cpu_count(),
            "load_before": load,
            "returnwise": ours,
            "plain": plain,
            "seconds_against_plain": ours["seconds"] / plain["seconds"],
            "peak_mb_against_plain": ours["peak_mb"] / plain["peak_mb"],
        }
    )


def _run(home: Path, part: str, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.training", "--home", str(home), "--part", part, *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return {**result, "peak_mb": usage.ru_maxrss / 1024}


def _features() -> list[ModelFeature]:
    """Signs as the real features have them: most counts and rates raise the risk, money and times may do either."""
    made = []
    for i, kind in enumerate(_KINDS):
        categories = tuple(f"word_{j}" for j in range(3 + 2 * (i % 5))) if kind == "category" else None
        sign = (1 if i % 4 else -1) if kind in ("count", "rate") and i % 3 else 0
        made.append(ModelFeature(f"{kind}_{i}", kind, sign, "", "", lambda values: 0.0, categories))
    return made


def _make(home: Path, train: int) -> None:
    """Writes X (n, k), y, odds and moments (n,) of the train and the calibration stretch, one after the other."""
    rng = np.random.default_rng(7)
    n = train + int(train * _CALIBRATION)
    home.mkdir(parents=True, exist_ok=True)
    X = np.lib.format.open_memmap(home / "X.npy", mode="w+", dtype=np.float64, shape=(n, len(_KINDS)))
    activity, habit, score = rng.normal(size=n), rng.normal(size=n), np.zeros(n)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "count": lambda: rng.poisson(np.exp(rng.normal(-1.0, 1.0) + 0.6 * activity + 0.3 * habit)).astype(float),
        "rate": lambda: (rng.poisson(2, n) + 0.3 * np.exp(0.4 * habit)) / (rng.poisson(np.exp(1 + activity)) + 3.0),
        "money": lambda: np.exp(rng.normal(8.5, 1.1, n) + 0.3 * activity).round(),
        "days": lambda: rng.exponential(30, n) * np.exp(-0.3 * activity),
    }
    for i, (kind, feature) in enumerate(zip(_KINDS, _features(), strict=True)):
        if feature.categories:
            column = rng.integers(-1, len(feature.categories), n).astype(float)
            score += 0.3 * (column == 2)
        else:
            column = makers[kind]()
            score += rng.normal(0, 0.15) * np.clip((column - column.mean()) / (column.std() + 1e-9), -3, 3)
            if kind in ("rate", "days"):
                column[rng.random(n) < rng.uniform(0, 0.4)] = np.nan
        X[:, i] = column
    score += 0.9 * habit
    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _mean_probability(score + middle) < _BASE_RATE else (low, middle)
    found = rng.random(n) < _logistic(score + low)
    picked = np.clip(_logistic(score + low + 2.0), 0.02, 1.0)
    np.save(home / "y.npy", found.astype(float))
    np.save(home / "odds.npy", np.where(rng.random(n) < 0.2, 0.02, picked))
    np.save(home / "at.npy", 20_000 * DAY + np.sort(rng.integers(0, 700 * DAY, n)))
    np.save(home / "train.npy", np.array(train))


def _logistic(score: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-score)))


def _mean_probability(score: np.ndarray) -> float:
    return float(_logistic(score).mean())


def _load(home: Path) -> Split:
    """The rows as `dataset.split` leaves them; nothing that `fit` does not read."""
    X, y, odds, at = (np.load(home / f"{name}.npy") for name in ("X", "y", "odds", "at"))
    train = int(np.load(home / "train.npy"))
    context = pd.DataFrame({"trigger": np.full(len(y), "risk", dtype=object)})

    def part(which: slice) -> Rows:
        n = len(y[which])
        ids = np.empty(n, dtype=object)
        return Rows(ids, at[which], X[which], y[which], at[which] + DAY, odds[which], context.iloc[which])

    end = int(at[-1])
    whole, later = part(slice(0, train)), part(slice(train, None))
    return Split(whole, later, later.take(slice(0, 0)), int(at[train]), end, end, 0)


def _ours(home: Path) -> dict[str, Any]:
    parts = _load(home)
    began, cpu = time.perf_counter(), time.process_time()
    fitted = fit(parts, _features(), Recipe(), {"feature_service": "made_up"})
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "trees": fitted.trees,
    }


def _plain(home: Path, trees: int) -> dict[str, Any]:
    parts, features, recipe = _load(home), _features(), Recipe()
    rows = parts.train
    began, cpu = time.perf_counter(), time.process_time()
    parameters = {
        **recipe.trees,
        **FIXED,
        "objective": "binary",
        "monotone_constraints": [0 if f.categories else f.sign for f in features],
    }
    data = lightgbm.Dataset(
        rows.X,
        rows.y,
        weight=rows.weights(recipe.tree_weight_clip),
        categorical_feature=[i for i, f in enumerate(features) if f.categories],
        params=parameters,
    )
    booster = lightgbm.train(parameters, data, num_boost_round=trees)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "trees": booster.num_trees(),
    }


if __name__ == "__main__":
    main()

"""What holds for all tests."""

from __future__ import annotations

import os
from itertools import groupby

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("returnwise", deadline=None)
settings.load_profile("returnwise")

# As many workers as cores: threads of one would only wait for those of another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker begins with its share of the slow tests, file by file: none is left alone with a long one at the end.

    To begin with, `--dist worksteal` gives every worker an equal stretch of the list; idle ones take from the ends of
    the others' stretches.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    files = [list(tests) for _, tests in groupby(slow, key=lambda item: item.path)]
    total, ordered = len(items), []
    for number in range(workers):
        first = [item for tests in files[number::workers] for item in tests]
        rest = max(0, total * (number + 1) // workers - total * number // workers - len(first))
        ordered += first + quick[:rest]
        del quick[:rest]
    items[:] = ordered + quick

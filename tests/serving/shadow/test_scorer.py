from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.service import VECTOR
from serving import metrics
from serving.shadow import repository
from serving.shadow.model import VectorModel
from serving.shadow.scorer import ShadowScorer
from tests.support.service import keep_model, settings_of

VECTORS = np.random.default_rng(2).gamma(1.0, 3.0, (1200, len(VECTOR)))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    yield ledger
    ledger.close()


@pytest.fixture
def model(tmp_path: Path) -> VectorModel:
    return VectorModel("4", keep_model(tmp_path, "4"))


def stored(ledger: Ledger) -> dict[str, float]:
    with ledger.read() as conn:
        found = rows(conn, "SELECT assessment_id, model_version, risk, scored_at FROM shadow_assessments")
    assert {version for _, version, _, _ in found} <= {"4"}
    assert all(abs(moment - time.time() * 1e6) < 60e6 for *_, moment in found)
    return {name: risk for name, _, risk, _ in found}


def missed(cause: str) -> float:
    return metrics.shadow_missed_total.labels(cause)._value.get()


def scorer(ledger: Ledger, challenger: Callable[[], VectorModel | None], **options: Any) -> ShadowScorer:
    return ShadowScorer(ledger, challenger, **{"most_waiting": 5000, "gather_seconds": 0.01} | options)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_is_offered_is_scored_and_stored(ledger: Ledger, model: VectorModel) -> None:
    shadow = scorer(ledger, lambda: model)
    shadow.start()
    for n in range(3):
        shadow.offer(f"a{n}", VECTORS[n])
    wait_for(lambda: len(stored(ledger)) == 3)
    for n in range(3, len(VECTORS)):
        shadow.offer(f"a{n}", VECTORS[n])
    shadow.offer("a7", VECTORS[8])  # a second time: the first stays
    shadow.stop()
    assert stored(ledger) == {f"a{n}": risk for n, risk in enumerate(model.risk(VECTORS).tolist())}


def test_the_end_waits_for_what_is_waiting(ledger: Ledger, model: VectorModel) -> None:
    shadow = scorer(ledger, lambda: model, gather_seconds=600)
    shadow.start()
    for n in range(1000):
        shadow.offer(f"a{n}", VECTORS[n])
    shadow.stop()
    assert len(stored(ledger)) == 1000


def test_it_ends_with_nothing_to_do(ledger: Ledger) -> None:
    shadow = scorer(ledger, lambda: None)
    shadow.start()
    began = time.monotonic()
    shadow.stop()
    assert time.monotonic() - began < 5


def test_a_full_queue_drops_and_counts_and_nobody_waits(ledger: Ledger, model: VectorModel) -> None:
    shadow = scorer(ledger, lambda: model, most_waiting=10)
    before = missed("full")
    for n in range(25):  # nobody takes them out yet
        shadow.offer(f"a{n}", VECTORS[n])
    assert missed("full") == before + 15
    shadow.start()
    shadow.stop()
    assert sorted(stored(ledger)) == sorted(f"a{n}" for n in range(10))


def test_without_a_challenger_nothing_is_kept(ledger: Ledger, model: VectorModel) -> None:
    current: list[VectorModel | None] = [None]
    shadow = scorer(ledger, lambda: current[0], most_waiting=1)
    before = missed("full")
    for n in range(5):
        shadow.offer(f"a{n}", VECTORS[n])
    assert missed("full") == before
    current[0] = model
    shadow.offer("late", VECTORS[0])
    current[0] = None  # taken away before it was scored
    shadow.start()
    shadow.stop()
    assert stored(ledger) == {}


def test_a_write_that_fails_is_counted_and_the_next_goes_well(
    ledger: Ledger, model: VectorModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = repository.store
    broken = threading.Event()
    broken.set()

    def store(conn: Any, scored: Any) -> None:
        real(conn, scored)
        if broken.is_set():
            raise OSError("disk full")

    monkeypatch.setattr(repository, "store", store)
    before = missed("failed")
    shadow = scorer(ledger, lambda: model)
    shadow.start()
    shadow.offer("first", VECTORS[0])
    wait_for(lambda: missed("failed") == before + 1)
    broken.clear()
    shadow.offer("second", VECTORS[1])
    shadow.stop()
    assert list(stored(ledger)) == ["second"]

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.clock import SECOND
from features.ledger.store import Ledger
from serving.overview.kept import KeptFigures
from tests.support.many_cases import put_many
from tests.support.service import settings_of

NOW = 1_790_000_000 * SECOND


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    yield ledger
    ledger.close()


def test_figures_are_kept_for_a_while_and_each_stretch_has_its_own(ledger: Ledger) -> None:
    kept = KeptFigures(ledger, keep_seconds=60)
    first = kept.of(90, NOW)
    with ledger.write() as conn:
        put_many(conn, 10, NOW)
    assert kept.of(90, NOW + 59 * SECOND) is first
    assert kept.of(365, NOW).opened == 10
    assert kept.of(90, NOW + 60 * SECOND).opened == 10
    assert kept.of(90, NOW - SECOND).until == NOW - SECOND  # a clock that was put back

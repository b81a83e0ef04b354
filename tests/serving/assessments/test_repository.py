"""Reading back what assessments saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.clock import DAY
from features.ledger.store import Ledger
from serving.assessments import repository
from serving.assessments.repository import Stored
from tests.support.service import settings_of


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(settings_of(tmp_path))
    yield opened
    opened.close()


def store(ledger: Ledger, moments: list[int]) -> None:
    with ledger.write() as conn:
        for i, moment in enumerate(moments):
            repository.store(
                conn,
                Stored(
                    f"a{i}", f"r{i}", b"", 1, moment, moment, 0.1, "low", "refund_now", "1", "p", "s", b"\0" * 8, b""
                ),
            )


def read(ledger: Ledger, days: int, at_most: int = 1_000) -> list[str]:
    with ledger.read() as conn:
        stretch = repository.latest_stretch(conn, days * DAY)
        return [row.return_id for batch in repository.seen_in(conn, stretch, at_most) for row in batch]


def test_an_empty_ledger(ledger: Ledger) -> None:
    with ledger.read() as conn:
        assert repository.latest_stretch(conn, DAY) == (0, 0, 0)
    assert read(ledger, 30) == []


@pytest.mark.parametrize("days", [1, 3, 10, 100])
def test_days_count_back_from_the_latest(ledger: Ledger, days: int) -> None:
    moments = [i * DAY // 2 for i in range(20)]
    store(ledger, moments)
    assert read(ledger, days) == [f"r{i}" for i, moment in enumerate(moments) if moment >= moments[-1] - days * DAY]


def test_gaps_between_numbers_do_no_harm(ledger: Ledger) -> None:
    store(ledger, [i * DAY for i in range(10)])
    with ledger.write() as conn:
        conn.exec_driver_sql("DELETE FROM assessments WHERE assessment_no IN (1, 5, 6, 7, 9)")
    assert read(ledger, 4) == ["r7", "r9"]
    assert read(ledger, 100) == ["r1", "r2", "r3", "r7", "r9"]


def test_of_many_an_even_choice_is_read(ledger: Ledger) -> None:
    store(ledger, [i * DAY // 100 for i in range(100)])
    assert read(ledger, 30, at_most=100) == [f"r{i}" for i in range(100)]
    chosen = read(ledger, 30, at_most=30)
    assert chosen == [f"r{i}" for i in range(3, 100, 4)]

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.clock import DAY, day_of
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.ledger.tables import inspections
from serving.cases.tables import cases
from serving.overview import figures as module
from serving.overview.figures import ENDINGS, figures
from tests.support.closed_cases import OPENED, put_case
from tests.support.many_cases import put_many
from tests.support.service import settings_of

NOW = OPENED + 40 * DAY


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    yield ledger
    ledger.close()


def put(ledger: Ledger, number: int, **changes: Any) -> int:
    with ledger.write() as conn:
        return put_case(conn, **({"case_id": f"CASE-{number}", "return_id": f"r-{number}", "order_no": 1} | changes))


def look(ledger: Ledger, days: int = 90) -> module.Figures:
    with ledger.read() as conn:
        return figures(conn, NOW, days)


def test_nothing_is_nothing(ledger: Ledger) -> None:
    found = look(ledger)
    assert (found.opened, sum(found.ended.values()), found.waiting, found.reasons) == (0, 0, [], [])
    assert found.median_hours is found.first.agreed is found.second.agreed is found.random.estimate is None
    assert len(found.days) == 90
    assert found.days[-1].day == day_of(NOW)


def test_days_endings_and_times(ledger: Ledger) -> None:
    put(ledger, 1)
    put(ledger, 2, verdict="cleared", closed_at=OPENED + 3 * DAY)
    put(ledger, 3, verdict="cleared", closed_by=None, closed_at=OPENED + 5 * DAY)
    put(ledger, 4, verdict=None, closed_at=None, closed_by=None, state="open", due_at=NOW - 1)
    put(ledger, 5, verdict="cleared", opened_at=OPENED - 300 * DAY, closed_at=OPENED - 299 * DAY)
    found = look(ledger)
    assert found.opened == 4
    assert found.ended == {"cleared": 1, "abuse_confirmed": 1, "inconclusive": 0, "deadline": 1}
    assert (found.median_hours, found.ninth_hours) == (24, 72)  # what only a deadline ended does not count
    assert found.hours == [0, 0, 0, 1, 1, 0, 0]
    assert found.waiting == [("open", 1, 1)]
    opened = next(day for day in found.days if day.day == day_of(OPENED))
    assert (opened.opened, opened.closed) == (4, 0)


def test_reasons_count_for_what_a_person_concluded(ledger: Ledger) -> None:
    put(ledger, 1, reasons="R02 R05")
    put(ledger, 2, reasons="R02", verdict="cleared")
    put(ledger, 3, reasons="R05", verdict="inconclusive")
    put(ledger, 4, reasons="R02", verdict="cleared", closed_by=None)
    put(ledger, 5, reasons=None)
    first, second = look(ledger).reasons
    assert first.code == "R02"
    assert first.precision is not None
    assert (first.precision.part, first.precision.whole, first.inconclusive) == (1, 2, 0)
    assert second.precision is not None
    assert (second.precision.part, second.precision.whole, second.inconclusive) == (1, 1, 1)


def test_first_judgements_are_held_against_verdicts(ledger: Ledger) -> None:
    put(ledger, 1, judgement="concern")
    put(ledger, 2, judgement="no_concern")
    put(ledger, 3, judgement="no_concern", verdict="cleared")
    put(ledger, 4, judgement="unsure", verdict="cleared")
    put(ledger, 5, judgement="concern", verdict="inconclusive")
    agreement = look(ledger).first
    assert agreement.agreed is not None
    assert (agreement.agreed.part, agreement.agreed.whole) == (2, 3)
    assert sum(agreement.pairs.values()) == 5


def test_second_opinions_are_held_against_the_verdict_of_somebody_else_before(ledger: Ledger) -> None:
    same, other, alone = (put(ledger, number) for number in (1, 2, 3))
    with ledger.write() as conn:
        for case_no, verdict, by in (
            (same, "abuse_confirmed", "b"),
            (other, "cleared", "b"),
            (alone, "cleared", "reviewer-1"),
        ):
            conn.exec_driver_sql(
                "INSERT INTO case_verdicts (case_no, staff_id, at, verdict, words, risk_shown, second_opinion)"
                " VALUES (?, ?, ?, ?, '', 0, 1)",
                (case_no, by, OPENED + 2 * DAY, verdict),
            )
    agreement = look(ledger).second
    assert agreement.pairs == {("abuse_confirmed", "abuse_confirmed"): 1, ("abuse_confirmed", "cleared"): 1}
    assert agreement.agreed is not None
    assert (agreement.agreed.part, agreement.agreed.whole) == (1, 2)


def test_random_checks_are_weighted_by_their_odds(ledger: Ledger) -> None:
    drawn = [
        ("r-1", "worn", 0.5, "random"),
        ("r-2", "as_described", 0.01, "random"),
        ("r-2", "as_described", 0.01, "random"),
        ("r-3", "worn", 0.9, "risk"),
    ]
    with ledger.write() as conn:
        conn.exec_driver_sql(
            "INSERT INTO orders (order_no, order_id, customer_id, ordered_at, recorded_at, pooled_at, digest)"
            " VALUES (1, 'o', 'c', 1, 1, 1, x'00')"
        )
        for number, (return_id, finding, odds, trigger) in enumerate(drawn):
            conn.execute(
                sa.insert(inspections).values(
                    return_id=return_id,
                    order_no=1,
                    line_id=str(number),
                    inspected_at=OPENED,
                    finding=finding,
                    trigger=trigger,
                    propensity=odds,
                    recorded_at=OPENED,
                    pooled_at=OPENED,
                    digest=b"0",
                )
            )
    found = look(ledger).random
    assert (found.returns, found.concern) == (2, 1)
    assert found.findings == {"worn": 1, "as_described": 1}
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(2 / 102)


def test_sums_agree_with_a_count_by_hand(ledger: Ledger) -> None:
    with ledger.write() as conn:
        put_many(conn, 400, NOW, days=120)
    found = look(ledger)
    with ledger.read() as conn:
        every = [row._asdict() for row in conn.execute(sa.select(cases))]
    ended = Counter(
        "deadline" if case["closed_by"] is None else case["verdict"]
        for case in every
        if case["closed_at"] is not None and case["closed_at"] >= found.since
    )
    assert found.ended == {ending: ended[ending] for ending in ENDINGS}
    assert found.opened == sum(case["opened_at"] >= found.since for case in every)
    assert sum(found.hours) == sum(ended.values()) - ended["deadline"]


def test_nothing_reads_a_row_of_a_case(ledger: Ledger) -> None:
    """Every query on closed cases is answered from an index that holds all that it needs."""
    with ledger.read() as conn:
        for statement, parameters in (
            (module._OPENED, (1, 2)),
            (module._CLOSED, (1, 2)),
            (module._HOURS, (1, 2)),
            (module._REASONS, (1, 2)),
            (module._JUDGED, (1, 2)),
        ):
            plan = " ".join(str(row[3]) for row in rows(conn, f"EXPLAIN QUERY PLAN {statement}", parameters))
            assert "COVERING INDEX" in plan, plan
        plan = " ".join(str(row[3]) for row in rows(conn, f"EXPLAIN QUERY PLAN {module._SECOND}", (1, 2)))
        assert "ix_case_verdicts_second" in plan

"""Restrictions: only on a confirmed case, only for a time, and ending by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.clock import DAY
from features.ledger.sql import rows
from features.ledger.store import Ledger
from serving.audit import trail
from serving.audit.trail import Actor
from serving.problems import Conflict, Forbidden, Invalid, NotFound
from serving.restrictions import repository
from serving.restrictions.service import MOST_DAYS, is_restricted, lift, lift_of_case, restrict
from tests.support.closed_cases import OPENED, put_case
from tests.support.service import settings_of

LEAD = Actor("staff", "lead-1", "lead", "Lea")
REVIEWER = Actor("staff", "reviewer-1", "reviewer", "Rob")
NOW = OPENED + 2 * DAY


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    with ledger.write() as conn:
        conn.exec_driver_sql(
            "INSERT INTO orders VALUES (1,'o0-0','c0',1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,1,x'')"
        )
    yield ledger
    ledger.close()


def test_it_holds_from_its_beginning_to_its_end(ledger: Ledger) -> None:
    with ledger.write() as conn:
        made = restrict(
            conn, LEAD, put_case(conn), until=NOW + 90 * DAY, now=NOW, hasher=ledger.hasher, start=NOW + DAY
        )
    with ledger.read() as conn:
        held = [is_restricted(conn, "c0", NOW + d * DAY) for d in (0, 1, 89, 90, 400)]
        assert held == [made.holds(NOW + d * DAY) for d in (0, 1, 89, 90, 400)] == [False, True, True, False, False]
        assert not is_restricted(conn, "c1", NOW + DAY)
        (entry,) = trail.of_subject(conn, trail.customer_subject(ledger.hasher, "c0"))
    assert (entry.operation, entry.staff_id) == ("restriction.set", "lead-1")
    assert "'c0'" not in str(entry)


def test_lifting_ends_it_at_once_and_once(ledger: Ledger) -> None:
    with ledger.write() as conn:
        made = restrict(conn, LEAD, put_case(conn), until=NOW + 90 * DAY, now=NOW, hasher=ledger.hasher)
        lifted = lift(conn, REVIEWER, made.restriction_id, now=NOW + DAY, hasher=ledger.hasher)
        again = lift(conn, LEAD, made.restriction_id, now=NOW + 2 * DAY, hasher=ledger.hasher)
        assert (lifted.lifted_at, lifted.lifted_by) == (again.lifted_at, again.lifted_by) == (NOW + DAY, "reviewer-1")
        assert is_restricted(conn, "c0", NOW + DAY - 1)
        assert not is_restricted(conn, "c0", NOW + DAY)
        assert len(rows(conn, "SELECT 1 FROM audit WHERE operation = 'restriction.lift'")) == 1


def test_it_goes_with_the_verdict_that_it_rests_on(ledger: Ledger) -> None:
    with ledger.write() as conn:
        case_no = put_case(conn)
        restrict(conn, LEAD, case_no, until=NOW + 90 * DAY, now=NOW, hasher=ledger.hasher)
        assert lift_of_case(conn, REVIEWER, case_no, now=NOW + DAY, hasher=ledger.hasher) == 1
        assert lift_of_case(conn, REVIEWER, case_no, now=NOW + DAY, hasher=ledger.hasher) == 0
        assert not is_restricted(conn, "c0", NOW + DAY)


@pytest.mark.parametrize(
    "changes", [{"verdict": "cleared"}, {"verdict": "inconclusive"}, {"verdict": None}, {"state": "disputed"}]
)
def test_it_needs_a_confirmed_verdict_that_stands(ledger: Ledger, changes: dict[str, str]) -> None:
    with ledger.write() as conn, pytest.raises(Conflict, match="confirmed"):
        restrict(conn, LEAD, put_case(conn, **changes), until=NOW + DAY, now=NOW, hasher=ledger.hasher)


@pytest.mark.parametrize(
    ("start", "until", "named"),
    [(0, 0, "until"), (0, MOST_DAYS + 1, "until"), (-1, 30, "from"), (5, 4, "until")],
)
def test_its_times_have_limits(ledger: Ledger, start: int, until: int, named: str) -> None:
    with ledger.write() as conn, pytest.raises(Invalid) as told:
        restrict(
            conn, LEAD, put_case(conn), until=NOW + until * DAY, now=NOW, hasher=ledger.hasher, start=NOW + start * DAY
        )
    assert told.value.errors[0].field == named


def test_two_do_not_overlap_and_one_may_follow_another(ledger: Ledger) -> None:
    with ledger.write() as conn:
        case_no = put_case(conn)
        restrict(conn, LEAD, case_no, until=NOW + 30 * DAY, now=NOW, hasher=ledger.hasher)
        with pytest.raises(Conflict, match="already"):
            restrict(conn, LEAD, case_no, until=NOW + 40 * DAY, now=NOW + DAY, hasher=ledger.hasher)
        restrict(conn, LEAD, case_no, until=NOW + 60 * DAY, now=NOW + 30 * DAY, hasher=ledger.hasher)
        assert len(repository.of_customer(conn, "c0")) == 2


@pytest.mark.parametrize("role", ["desk", "reviewer", "analyst", "administrator"])
def test_only_a_lead_sets_one(ledger: Ledger, role: str) -> None:
    with ledger.write() as conn, pytest.raises(Forbidden):
        restrict(conn, Actor("staff", "s", role), put_case(conn), until=NOW + DAY, now=NOW, hasher=ledger.hasher)


def test_what_does_not_exist_is_not_found(ledger: Ledger) -> None:
    with ledger.write() as conn:
        with pytest.raises(NotFound):
            restrict(conn, LEAD, 99, until=NOW + DAY, now=NOW, hasher=ledger.hasher)
        with pytest.raises(NotFound):
            lift(conn, LEAD, "none", now=NOW, hasher=ledger.hasher)


def test_the_question_uses_the_index(ledger: Ledger) -> None:
    with ledger.read() as conn:
        plan = rows(
            conn, "EXPLAIN QUERY PLAN SELECT 1 FROM restrictions WHERE customer_id = ? AND from_at <= 1", ("c",)
        )
    assert "ix_restrictions_customer_id" in str(plan)

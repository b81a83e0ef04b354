"""Erasing a person from all tables: refused while something is open, and then nothing is left."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from features.clock import DAY
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.ledger.tables import metadata as ledger_metadata
from serving.all_tables import metadata as service_metadata
from serving.audit.trail import Actor
from serving.privacy import service
from serving.privacy.collect import collect
from serving.privacy.person import find_person
from serving.privacy.service import Held
from serving.problems import Forbidden, NotFound
from tests.serving.privacy.conftest import LEAD, NOW, TELLING, WHO
from tests.support.closed_cases import OPENED

TABLES = [*ledger_metadata.tables, *service_metadata.tables]
#: What stays on purpose, and holds keyed hashes alone.
KEPT = {"audit", "requests_of_people", "erasures"}


def erase(ledger: Ledger, now: int = NOW) -> service.Done:
    with ledger.read() as conn:
        plan = service.plan_erasure(conn, ledger.hasher, WHO, now=now)
    with ledger.write() as conn:
        return service.erase(conn, LEAD, plan, hasher=ledger.hasher, now=now)


def everything(conn: Connection, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(conn, f"SELECT * FROM {table}") for table in tables}


def test_nothing_is_left_of_the_person(ledger: Ledger) -> None:
    with ledger.read() as conn:
        who = find_person(conn, ledger.hasher, WHO)
    done = erase(ledger)
    assert (done.orders, done.keys_shared) == (8, 0)
    names = {WHO, *who.order_ids, *who.return_ids, *who.assessment_ids, *who.case_ids, *who.keys}
    with ledger.read() as conn:
        for table, found in everything(conn, TABLES).items():
            text = repr(found)
            for name in names:
                assert repr(name) not in text, (table, name)
            for words in TELLING:
                assert repr(words) not in text, (table, words)
            assert "came back" not in text
        again = find_person(conn, ledger.hasher, WHO)
        assert not again.is_known
        assert set(collect(conn, again).counts) == KEPT
        assert [row[0] for row in rows(conn, "SELECT kind FROM requests_of_people ORDER BY request_no")] == [
            "export",
            "erasure",
        ]


def test_the_books_stay(ledger: Ledger) -> None:
    counts = ["orders", "order_lines", "returns", "inspections", "verdicts", "assessments", "cases", "case_verdicts"]
    with ledger.read() as conn:
        before = {table: len(found) for table, found in everything(conn, counts).items()}
        sums = rows(conn, "SELECT sum(risk), count(*) FROM assessments")
        messages = rows(conn, "SELECT count(*) FROM webhook_messages")
    erase(ledger)
    with ledger.read() as conn:
        assert {table: len(found) for table, found in everything(conn, counts).items()} == before
        assert rows(conn, "SELECT sum(risk), count(*) FROM assessments") == sums
        assert rows(conn, "SELECT count(*) FROM webhook_messages") == [(messages[0][0] - 1,)]
        assert rows(conn, "SELECT count(*) FROM cases c JOIN returns r ON r.return_id = c.return_id") == [(1,)]
        assert rows(conn, "SELECT count(*) FROM assessments a JOIN returns r ON r.return_id = a.return_id") == [(1,)]
        assert rows(conn, "SELECT count(*) FROM cases c JOIN assessments a USING (assessment_id)") == [(1,)]
        assert not rows(conn, "PRAGMA foreign_key_check")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE cases SET state = 'claimed'", "case CASE-1"),
        ("UPDATE disputes SET decided_at = NULL", "dispute CASE-1"),
        (f"UPDATE restrictions SET until_at = {NOW + DAY}", "restriction X-1"),
    ],
)
def test_it_waits_for_what_is_open(ledger: Ledger, change: str, what: str) -> None:
    with ledger.write() as conn:
        conn.exec_driver_sql(change)
    with ledger.read() as conn:
        before = everything(conn, TABLES)
    with pytest.raises(Held, match=what):
        erase(ledger)
    with ledger.read() as conn:
        assert everything(conn, TABLES) == before


def test_what_came_open_after_the_plan_counts(ledger: Ledger) -> None:
    with ledger.read() as conn:
        plan = service.plan_erasure(conn, ledger.hasher, WHO, now=NOW)
    assert not plan.holds
    with ledger.write() as conn:
        conn.exec_driver_sql("UPDATE cases SET state = 'disputed'")
        with pytest.raises(Held):
            service.erase(conn, LEAD, plan, hasher=ledger.hasher, now=NOW)


def test_a_message_written_after_the_plan_goes_too(ledger: Ledger) -> None:
    with ledger.read() as conn:
        plan = service.plan_erasure(conn, ledger.hasher, WHO, now=NOW)
    with ledger.write() as conn:
        conn.exec_driver_sql(
            "INSERT INTO webhook_messages (message_id, type, at, content) VALUES ('z', 't', 1, '{\"a\": [\"CASE-1\"]}')"
        )
        service.erase(conn, LEAD, plan, hasher=ledger.hasher, now=NOW)
        assert rows(conn, "SELECT message_id FROM webhook_messages") == [("n",)]


def test_only_a_lead_erases_and_only_who_is_known(ledger: Ledger) -> None:
    with ledger.write() as conn:
        plan = service.plan_erasure(conn, ledger.hasher, WHO, now=NOW)
        with pytest.raises(Forbidden):
            service.erase(conn, Actor("staff", "r", "reviewer"), plan, hasher=ledger.hasher, now=NOW)
        plan = service.plan_erasure(conn, ledger.hasher, "nobody", now=NOW)
        with pytest.raises(NotFound):
            service.erase(conn, LEAD, plan, hasher=ledger.hasher, now=OPENED)

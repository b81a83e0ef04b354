"""Removing what has been kept long enough, class by class.

Works in small transactions, so that a running service is not held up; whatever was removed stays removed, and running
it again, or after it was interrupted, goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.erasure import overwriting
from features.ledger.sql import execute_many, rows
from serving.audit import trail
from serving.audit.trail import SYSTEM
from serving.privacy.repository import NO_VECTOR

_AT_ONCE: Final = 1_000
_CLOSED: Final = "SELECT case_no FROM cases WHERE state = 'closed' AND closed_at < ?"
#: What goes before the case itself, because it rests on it.
_OF_CASE: Final = (
    "case_findings",
    "case_checks",
    "case_notes",
    "case_photos",
    "case_verdicts",
    "case_lookers",
    "disputes",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A class of data in one table.

    Attributes:
        period: the class, as the file of periods has it.
        table, key: where it is, and the column that names a row.
        old: condition of what is old enough, with one place for the moment before which it is.
        emptied: what is set instead of deleting the row, as SQL.
        first: tables with rows that go before, by the same key.
    """

    period: str
    table: str
    key: str
    old: str
    emptied: str = ""
    first: tuple[str, ...] = ()


RULES: Final = (
    Rule("photos", "case_photos", "photo_no", f"case_no IN ({_CLOSED})"),
    Rule("notes", "case_notes", "note_no", f"case_no IN ({_CLOSED})"),
    Rule("notes", "case_verdicts", "verdict_no", f"words <> '' AND case_no IN ({_CLOSED})", "words = ''"),
    Rule("notes", "disputes", "dispute_id", f"words <> '' AND case_no IN ({_CLOSED})", "words = ''"),
    Rule("closed_cases", "cases", "case_no", "state = 'closed' AND closed_at < ?", first=_OF_CASE),
    Rule("notices", "notices", "notice_id", "made_at < ?"),
    Rule("restrictions", "restrictions", "restriction_id", "COALESCE(lifted_at, until_at) < ?"),
    Rule(
        "assessment_vectors",
        "assessments",
        "assessment_no",
        f"feature_service <> '{NO_VECTOR}' AND assessed_at < ?",
        f"feature_service = '{NO_VECTOR}', vector = {{empty}}",
    ),
    Rule("requests", "requests_of_people", "request_no", "at < ?"),
    Rule("events", "live_events", "event_id", "received_at < ?"),
    Rule("webhook_messages", "webhook_messages", "message_no", "at < ?", first=("webhook_deliveries",)),
    Rule("shop_waiting", "shop_waiting", "event_id", "received_at < ?"),
    Rule("sessions", "staff_sessions", "digest", "expires_at < ?"),
    Rule("sessions", "staff_links", "digest", "expires_at < ?"),
    Rule("sign_in_attempts", "sign_in_attempts", "attempt_no", "at < ?"),
)
CLASSES: Final = frozenset(rule.period for rule in RULES)

#: Opens a transaction that writes.
Writing = Callable[[], AbstractContextManager[Connection]]


def due(conn: Connection, periods: Mapping[str, int], now: int) -> dict[str, int]:
    """How many rows of which table would be removed or emptied."""
    counts: dict[str, int] = {}
    for rule in RULES:
        before = now - periods[rule.period] * DAY
        found = rows(conn, f"SELECT count(*) FROM {rule.table} WHERE {rule.old}", (before,))[0][0]
        if found:
            counts[rule.table] = int(found)
    return counts


def remove(writing: Writing, periods: Mapping[str, int], now: int) -> dict[str, int]:
    """Remove it; gives how many rows of which table were removed or emptied, which the audit trail keeps, too."""
    counts: dict[str, int] = {}
    for rule in RULES:
        done = _remove(writing, rule, now - periods[rule.period] * DAY)
        if done:
            counts[rule.table] = counts.get(rule.table, 0) + done
    if counts:
        with writing() as conn:
            trail.record(conn, SYSTEM, "system.retention", at=now, content=counts)
    return counts


def _remove(writing: Writing, rule: Rule, before: int) -> int:
    total = 0
    while True:
        with writing() as conn, overwriting(conn):
            found = rows(conn, f"SELECT {rule.key} FROM {rule.table} WHERE {rule.old} LIMIT {_AT_ONCE}", (before,))
            _remove_rows(conn, rule, found)
        total += len(found)
        if len(found) < _AT_ONCE:
            return total


def _remove_rows(conn: Connection, rule: Rule, found: list[tuple[Any, ...]]) -> None:
    for table in rule.first:
        execute_many(conn, f"DELETE FROM {table} WHERE {rule.key} = ?", found)
    if rule.emptied:
        empty = "x''" if conn.dialect.name == "sqlite" else "''::bytea"
        execute_many(conn, f"UPDATE {rule.table} SET {rule.emptied.format(empty=empty)} WHERE {rule.key} = ?", found)
    else:
        execute_many(conn, f"DELETE FROM {rule.table} WHERE {rule.key} = ?", found)

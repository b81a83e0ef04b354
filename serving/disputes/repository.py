"""SQL of the disputes."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows

_COLUMNS: Final = (
    "dispute_id",
    "case_no",
    "received_at",
    "words",
    "digest",
    "verdict_before",
    "due_at",
    "decided_at",
    "decided_by",
    "outcome",
    "risk_before",
    "risk_after",
)
_LISTED: Final = ", ".join(_COLUMNS)


class Dispute(NamedTuple):
    """A row; times in microseconds since 1970 UTC, risks as JSON numbers."""

    dispute_id: str
    case_no: int
    received_at: int
    words: str
    digest: str
    verdict_before: str | None
    due_at: int
    decided_at: int | None = None
    decided_by: str | None = None
    outcome: str | None = None
    risk_before: str | None = None
    risk_after: str | None = None


class Ended(NamedTuple):
    """A dispute whose case has been concluded since."""

    dispute_id: str
    case_no: int
    verdict_before: str | None
    verdict: str
    closed_at: int
    closed_by: str | None


def add(conn: Connection, dispute: Dispute) -> None:
    """Keep a dispute."""
    execute(conn, f"INSERT INTO disputes ({_LISTED}) VALUES ({', '.join('?' * len(_COLUMNS))})", dispute)


def find(conn: Connection, dispute_id: str) -> Dispute | None:
    """The dispute of that id."""
    found = rows(conn, f"SELECT {_LISTED} FROM disputes WHERE dispute_id = ?", (dispute_id,))
    return Dispute(*found[0]) if found else None


def of_case(conn: Connection, case_no: int) -> list[Dispute]:
    """The disputes of a case, oldest first."""
    sql = f"SELECT {_LISTED} FROM disputes WHERE case_no = ? ORDER BY received_at, dispute_id"
    return [Dispute(*row) for row in rows(conn, sql, (case_no,))]


def ended(conn: Connection) -> list[Ended]:
    """Open disputes whose case has been closed since they were received."""
    sql = (
        "SELECT d.dispute_id, d.case_no, d.verdict_before, c.verdict, c.closed_at, c.closed_by"
        " FROM disputes d JOIN cases c ON c.case_no = d.case_no"
        " WHERE d.decided_at IS NULL AND c.state = 'closed' AND c.verdict IS NOT NULL AND c.closed_at >= d.received_at"
        " ORDER BY d.received_at, d.dispute_id"
    )
    return [Ended(*row) for row in rows(conn, sql)]


def decide(conn: Connection, dispute_id: str, outcome: str, *, by: str | None, at: int) -> None:
    """Note what came of a dispute."""
    execute(
        conn,
        "UPDATE disputes SET decided_at = ?, decided_by = ?, outcome = ? WHERE dispute_id = ? AND decided_at IS NULL",
        (at, by, outcome, dispute_id),
    )


def last_notice(conn: Connection, case_no: int) -> int | None:
    """When the customer was last written to about a case."""
    found = rows(conn, "SELECT max(made_at) FROM notices WHERE case_no = ?", (case_no,))[0][0]
    return None if found is None else int(found)


def assessed_risk(conn: Connection, return_id: str) -> float | None:
    """The risk that was estimated when the return was asked for."""
    found = rows(conn, "SELECT risk FROM assessments WHERE return_id = ?", (return_id,))
    return float(found[0][0]) if found else None

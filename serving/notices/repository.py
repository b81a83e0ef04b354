"""SQL of the notices: keeping them, and reading what they are made of."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows
from serving.notices.words import Kind

_COLUMNS: Final = (
    "notice_id",
    "customer_id",
    "case_no",
    "return_id",
    "kind",
    "round",
    "language",
    "words",
    "made_at",
)
_LISTED: Final = ", ".join(_COLUMNS)


class Notice(NamedTuple):
    """A row; `round` counts how often the case has come to this kind. `made_at` in microseconds since 1970 UTC."""

    notice_id: str
    customer_id: str
    case_no: int | None
    return_id: str | None
    kind: str
    round: int
    language: str
    words: str
    made_at: int


class CaseFacts(NamedTuple):
    """What a notice needs to know of a case."""

    case_no: int
    case_id: str
    return_id: str
    order_id: str
    customer_id: str
    opened_at: int
    opened_because: str
    action: str | None
    kind: str
    reason: str
    country: str | None
    channel: str | None
    category: str | None
    currency: str | None
    value_minor: int
    risk: float | None
    risk_band: str | None
    trigger: str | None
    propensity: float | None
    verdict: str | None
    closed_at: int | None


class Assessed(NamedTuple):
    """The assessment of a case's return; see `serving.assessments.repository.Stored`."""

    requested_at: int
    assessed_at: int
    model_version: str
    policy_version: str
    vector: bytes
    answer: bytes


class Verdict(NamedTuple):
    """A conclusion of a case, and what it rests on."""

    at: int
    verdict: str
    basis: str | None


class Disputed(NamedTuple):
    """A dispute of a case."""

    received_at: int
    due_at: int
    decided_at: int | None
    outcome: str | None


class Due(NamedTuple):
    """A notice that has not been made yet."""

    kind: Kind
    case_no: int
    round: int


def of_round(conn: Connection, case_no: int, kind: str, round_: int) -> str | None:
    """Id of the notice of that case, kind and round, if it has been made."""
    sql = "SELECT notice_id FROM notices WHERE case_no = ? AND kind = ? AND round = ?"
    found = rows(conn, sql, (case_no, kind, round_))
    return str(found[0][0]) if found else None


def add(conn: Connection, notice: Notice) -> None:
    """Keep a notice."""
    execute(conn, f"INSERT INTO notices ({_LISTED}) VALUES ({', '.join('?' * len(_COLUMNS))})", notice)


def find(conn: Connection, notice_id: str) -> Notice | None:
    """The notice of that id."""
    found = rows(conn, f"SELECT {_LISTED} FROM notices WHERE notice_id = ?", (notice_id,))
    return Notice(*found[0]) if found else None


def of_customer(conn: Connection, customer_id: str, at_most: int = 200) -> list[Notice]:
    """The latest notices to a customer, newest first."""
    sql = f"SELECT {_LISTED} FROM notices WHERE customer_id = ? ORDER BY made_at DESC, notice_id LIMIT ?"
    return [Notice(*row) for row in rows(conn, sql, (customer_id, at_most))]


def of_case(conn: Connection, case_no: int) -> list[Notice]:
    """All notices about a case, oldest first."""
    sql = f"SELECT {_LISTED} FROM notices WHERE case_no = ? ORDER BY made_at, notice_id"
    return [Notice(*row) for row in rows(conn, sql, (case_no,))]


def case_facts(conn: Connection, case_no: int) -> CaseFacts | None:
    """The case of that number."""
    found = rows(conn, f"SELECT {', '.join(CaseFacts._fields)} FROM cases WHERE case_no = ?", (case_no,))
    return CaseFacts(*found[0]) if found else None


def assessed(conn: Connection, return_id: str) -> Assessed | None:
    """The assessment of a return."""
    found = rows(conn, f"SELECT {', '.join(Assessed._fields)} FROM assessments WHERE return_id = ?", (return_id,))
    if not found:
        return None
    one = Assessed(*found[0])
    return one._replace(vector=bytes(one.vector), answer=bytes(one.answer))


def verdicts(conn: Connection, case_no: int) -> list[Verdict]:
    """All conclusions of a case, oldest first."""
    sql = "SELECT at, verdict, basis FROM case_verdicts WHERE case_no = ? ORDER BY verdict_no"
    return [Verdict(*row) for row in rows(conn, sql, (case_no,))]


def findings(conn: Connection, case_no: int) -> list[str]:
    """What was seen and stands, each kind once."""
    sql = "SELECT finding FROM case_findings WHERE case_no = ? AND withdrawn_at IS NULL ORDER BY finding_no"
    return list(dict.fromkeys(row[0] for row in rows(conn, sql, (case_no,))))


def disputes(conn: Connection, case_no: int) -> list[Disputed]:
    """The disputes of a case, oldest first."""
    sql = (
        "SELECT received_at, due_at, decided_at, outcome FROM disputes WHERE case_no = ?"
        " ORDER BY received_at, dispute_id"
    )
    return [Disputed(*row) for row in rows(conn, sql, (case_no,))]


def restrictions(conn: Connection, case_no: int) -> list[tuple[int, int, int | None]]:
    """Beginning, end and moment of lifting of the restrictions that rest on a case, oldest first."""
    sql = "SELECT from_at, until_at, lifted_at FROM restrictions WHERE case_no = ? ORDER BY from_at, restriction_id"
    return [(row[0], row[1], row[2]) for row in rows(conn, sql, (case_no,))]


def restricted_until(conn: Connection, customer_id: str, at: int) -> int | None:
    """End of the restriction of a customer that is in force at a moment."""
    sql = (
        "SELECT max(until_at) FROM restrictions WHERE customer_id = ? AND from_at <= ? AND until_at > ?"
        " AND (lifted_at IS NULL OR lifted_at > ?)"
    )
    found = rows(conn, sql, (customer_id, at, at, at))[0][0]
    return None if found is None else int(found)


_CHECKS: Final = (
    "SELECT c.case_no FROM cases c WHERE c.opened_at >= ? AND c.opened_because IN ('action', 'draw', 'hand')"
    " AND c.verdict IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM notices n WHERE n.case_no = c.case_no AND n.kind = 'check') ORDER BY c.opened_at LIMIT ?"
)
#: A conclusion that answers a dispute is told as that.
_VERDICTS: Final = (
    "SELECT case_no, round FROM (SELECT c.case_no, c.closed_at,"
    " (SELECT count(*) FROM case_verdicts v WHERE v.case_no = c.case_no) AS round"
    " FROM cases c WHERE c.closed_at >= ? AND c.verdict IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disputes d"
    " WHERE d.case_no = c.case_no AND (d.decided_at IS NULL OR d.decided_at >= c.closed_at))) closed"
    " WHERE NOT EXISTS (SELECT 1 FROM notices n WHERE n.case_no = closed.case_no AND n.kind = 'verdict'"
    " AND n.round = closed.round) ORDER BY closed_at LIMIT ?"
)
_DISPUTED: Final = "SELECT DISTINCT case_no FROM disputes WHERE received_at >= ? OR decided_at >= ?"
_RESTRICTED: Final = "SELECT DISTINCT case_no FROM restrictions WHERE from_at >= ?"


def due(conn: Connection, since: int, at_most: int) -> list[Due]:
    """Notices about what happened from `since` (microseconds) on that have not been made; of the conclusions of a case
    only the latest."""
    found = [Due("check", row[0], 1) for row in rows(conn, _CHECKS, (since, at_most))]
    found += [Due("verdict", *row) for row in rows(conn, _VERDICTS, (since, at_most))]
    for (case_no,) in rows(conn, _DISPUTED, (since, since)):
        for round_, dispute in enumerate(disputes(conn, case_no), start=1):
            if dispute.received_at >= since:
                found.append(Due("dispute_received", case_no, round_))
            if dispute.decided_at is not None and dispute.decided_at >= since:
                found.append(Due("dispute_decided", case_no, round_))
    for (case_no,) in rows(conn, _RESTRICTED, (since,)):
        for round_, (from_at, _, _) in enumerate(restrictions(conn, case_no), start=1):
            if from_at >= since:
                found.append(Due("restriction", case_no, round_))
    told = ("check", "verdict")  # the statements have left out what has been made
    return [each for each in found if each.kind in told or of_round(conn, *_key(each)) is None][:at_most]


def _key(due: Due) -> tuple[int, str, int]:
    return due.case_no, due.kind, due.round

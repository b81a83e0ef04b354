"""What is written down about a case: findings, checks, notes and verdicts. Only ever appended; a finding that was taken
back stays, with who took it back."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows
from features.ledger.vocabulary import CONCERN_FINDINGS


class Finding(NamedTuple):
    """What somebody saw; an empty `line_id` means the whole return."""

    finding_no: int
    case_no: int
    staff_id: str | None
    at: int
    line_id: str
    finding: str
    withdrawn_at: int | None
    withdrawn_by: str | None
    sent_at: int | None

    @property
    def stands(self) -> bool:
        """Whether it was not taken back."""
        return self.withdrawn_at is None


class CheckResult(NamedTuple):
    """An item of the checklist: fine, not_fine, not_possible, or open again."""

    check_no: int
    case_no: int
    staff_id: str | None
    at: int
    item: str
    result: str


class Note(NamedTuple):
    """Somebody's words."""

    note_no: int
    case_no: int
    staff_id: str | None
    at: int
    words: str


class Verdict(NamedTuple):
    """A conclusion. `staff_id` is None where the deadline had passed and nobody had concluded."""

    verdict_no: int
    case_no: int
    staff_id: str | None
    at: int
    verdict: str
    abuse_type: str | None
    basis: str | None
    words: str
    risk_shown: int
    second_opinion: int


_FINDINGS: Final = f"SELECT {', '.join(Finding._fields)} FROM case_findings WHERE case_no = ? ORDER BY finding_no"
_CHECKS: Final = f"SELECT {', '.join(CheckResult._fields)} FROM case_checks WHERE case_no = ? ORDER BY check_no"
_NOTES: Final = f"SELECT {', '.join(Note._fields)} FROM case_notes WHERE case_no = ? ORDER BY note_no"
_VERDICTS: Final = f"SELECT {', '.join(Verdict._fields)} FROM case_verdicts WHERE case_no = ? ORDER BY verdict_no"


def findings(conn: Connection, case_no: int) -> list[Finding]:
    """All findings, oldest first, with those that were taken back."""
    return [Finding(*row) for row in rows(conn, _FINDINGS, (case_no,))]


def standing(conn: Connection, case_no: int) -> list[Finding]:
    """The findings that were not taken back, oldest first."""
    return [finding for finding in findings(conn, case_no) if finding.stands]


def checks(conn: Connection, case_no: int) -> dict[str, CheckResult]:
    """The latest result of each item of the checklist."""
    return {row[4]: CheckResult(*row) for row in rows(conn, _CHECKS, (case_no,))}


def notes(conn: Connection, case_no: int) -> list[Note]:
    """All notes, oldest first."""
    return [Note(*row) for row in rows(conn, _NOTES, (case_no,))]


def verdicts(conn: Connection, case_no: int) -> list[Verdict]:
    """All verdicts, oldest first; the last one stands unless the case is open again."""
    return [Verdict(*row) for row in rows(conn, _VERDICTS, (case_no,))]


def seen_in_ledger(conn: Connection, return_id: str) -> list[tuple[int, str, str]]:
    """Inspections of the return in the ledger, also those of others, as (inspected_at, line_id, finding)."""
    sql = "SELECT inspected_at, line_id, finding FROM inspections WHERE return_id = ? ORDER BY inspected_at"
    return [(int(at), line_id, finding) for at, line_id, finding in rows(conn, sql, (return_id,))]


def has_concern(conn: Connection, case_no: int, return_id: str) -> bool:
    """Whether anything was found that speaks for abuse, here or by an inspection elsewhere."""
    seen = {finding.finding for finding in standing(conn, case_no)}
    seen |= {finding for _, _, finding in seen_in_ledger(conn, return_id)}
    return not seen.isdisjoint(CONCERN_FINDINGS)


def add_finding(conn: Connection, case_no: int, staff_id: str | None, at: int, line_id: str, finding: str) -> int:
    """Its number."""
    sql = "INSERT INTO case_findings (case_no, staff_id, at, line_id, finding) VALUES (?, ?, ?, ?, ?)"
    return int(rows(conn, f"{sql} RETURNING finding_no", (case_no, staff_id, at, line_id, finding))[0][0])


def withdraw_finding(conn: Connection, finding_no: int, staff_id: str | None, at: int) -> None:
    """Notes that it was taken back."""
    execute(
        conn,
        "UPDATE case_findings SET withdrawn_at = ?, withdrawn_by = ? WHERE finding_no = ?",
        (at, staff_id, finding_no),
    )


def note_sent(conn: Connection, finding_no: int, at: int) -> None:
    """Notes that it went to the ledger."""
    execute(conn, "UPDATE case_findings SET sent_at = ? WHERE finding_no = ?", (at, finding_no))


def add_check(conn: Connection, case_no: int, staff_id: str | None, at: int, item: str, result: str) -> None:
    """Keeps a result."""
    execute(
        conn,
        "INSERT INTO case_checks (case_no, staff_id, at, item, result) VALUES (?, ?, ?, ?, ?)",
        (case_no, staff_id, at, item, result),
    )


def add_note(conn: Connection, case_no: int, staff_id: str | None, at: int, words: str) -> None:
    """Keeps a note."""
    execute(
        conn,
        "INSERT INTO case_notes (case_no, staff_id, at, words) VALUES (?, ?, ?, ?)",
        (case_no, staff_id, at, words),
    )


def add_verdict(
    conn: Connection,
    case_no: int,
    staff_id: str | None,
    at: int,
    verdict: str,
    *,
    abuse_type: str | None,
    basis: str | None,
    words: str,
    risk_shown: bool,
    second_opinion: bool,
) -> None:
    """Keeps a verdict."""
    columns = Verdict._fields[1:]
    execute(
        conn,
        f"INSERT INTO case_verdicts ({', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (case_no, staff_id, at, verdict, abuse_type, basis, words, int(risk_shown), int(second_opinion)),
    )

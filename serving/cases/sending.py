"""From a case to the ledger: what was found, as inspections, and what was concluded.

The check's trigger and its odds go with the findings: they say for how many returns the label stands.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.engine import Connection

from features.ledger.append import append_rows
from features.ledger.identity import KeyHasher
from features.ledger.sql import rows
from serving.cases import records
from serving.cases.repository import Case
from serving.problems import Conflict

_ASKED: Final = "SELECT MAX(requested_at) FROM returns WHERE return_id = ?"
_DECIDED: Final = "SELECT decided_at FROM verdicts WHERE return_id = ?"


def send_findings(conn: Connection, case: Case, *, now: int, hasher: KeyHasher) -> None:
    """Appends the findings that stand and have not been sent."""
    asked = _asked_at(conn, case)
    taken = {(at, line_id) for at, line_id, _ in records.seen_in_ledger(conn, case.return_id)}
    for finding in records.standing(conn, case.case_no):
        if finding.sent_at is not None:
            continue
        moment = max(finding.at, asked)
        while (moment, finding.line_id) in taken:  # two findings of one moment are two inspections
            moment += 1
        taken.add((moment, finding.line_id))
        row = {
            "return_id": case.return_id,
            "inspected_at": moment,
            "finding": finding.finding,
            "trigger": case.trigger,
            "propensity": case.propensity,
            "line_id": finding.line_id or None,
        }
        _append(conn, "inspections", row, now=max(now, moment), hasher=hasher)
        records.note_sent(conn, finding.finding_no, now)


def send_verdict(
    conn: Connection,
    case: Case,
    verdict: str,
    *,
    basis: str | None,
    abuse_type: str | None,
    now: int,
    hasher: KeyHasher,
) -> None:
    """Appends a verdict; it comes after those that the ledger has."""
    moment = max(now, _asked_at(conn, case), *(int(at) + 1 for (at,) in rows(conn, _DECIDED, (case.return_id,))))
    row = {
        "return_id": case.return_id,
        "decided_at": moment,
        "verdict": verdict,
        "abuse_type": abuse_type,
        "basis": basis,
    }
    _append(conn, "verdicts", row, now=max(now, moment), hasher=hasher)


def _append(conn: Connection, table: str, row: dict[str, Any], *, now: int, hasher: KeyHasher) -> None:
    outcome = append_rows(conn, table, [row], live=True, now_us=now, hasher=hasher)
    if outcome.rejects:
        raise Conflict(f"The ledger does not take this: {outcome.rejects[0].reason}.")


def _asked_at(conn: Connection, case: Case) -> int:
    return int(rows(conn, _ASKED, (case.return_id,))[0][0] or 0)

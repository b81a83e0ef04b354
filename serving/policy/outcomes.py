"""What is known of returns that somebody looked at: the rule by which training labels them (docs/training.md), here for
figures. A test holds that both say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy.engine import Connection

from features.ledger.sql import batches
from features.ledger.vocabulary import CLEARING_FINDINGS, CONCERN_FINDINGS

FOUND: Final = 1
CLEARED: Final = 0
NOT_KNOWN: Final = -1

_INSPECTIONS: Final = "SELECT return_id, line_id, finding FROM inspections ORDER BY inspected_at, inspection_no"
_VERDICTS: Final = "SELECT return_id, verdict, basis FROM verdicts ORDER BY decided_at, verdict_no"
_SAYS: Final = {"abuse_confirmed": FOUND, "cleared": CLEARED}
_EVIDENCE: Final = ("inspection", "carrier_trace", "admission")
_WEAK: Final = ("opinion", "policy")


def outcomes(conn: Connection) -> dict[str, int]:
    """return_id -> `FOUND`, `CLEARED` or `NOT_KNOWN`, of all returns that somebody looked at or concluded about."""
    found = _by_findings(conn)
    last = {row[0]: (row[1], row[2]) for row in _stream(conn, _VERDICTS)}
    for return_id, (verdict, basis) in last.items():
        says = _SAYS.get(verdict, NOT_KNOWN)
        weak = basis in _WEAK or (verdict == "abuse_confirmed" and basis not in _EVIDENCE)
        if verdict != "inconclusive" and weak:
            says = says if found.get(return_id) == says else NOT_KNOWN
        found[return_id] = says
    return found


def _by_findings(conn: Connection) -> dict[str, int]:
    of_lines: dict[str, dict[str, str]] = {}
    for return_id, line_id, finding in _stream(conn, _INSPECTIONS):
        of_lines.setdefault(return_id, {})[line_id] = finding
    found = {}
    for return_id, lines in of_lines.items():
        seen = set(lines.values())
        found[return_id] = FOUND if seen & _CONCERN else CLEARED if seen & _CLEARING else NOT_KNOWN
    return found


_CONCERN: Final = frozenset(CONCERN_FINDINGS)
_CLEARING: Final = frozenset(CLEARING_FINDINGS)


def _stream(conn: Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    for batch in batches(conn, sql):
        yield from batch

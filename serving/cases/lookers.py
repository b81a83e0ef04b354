"""Who has a case open at this moment, so that two people do not do the same work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from features.clock import SECOND
from features.ledger.sql import execute, marks, rows
from serving.audit.trail import Actor

#: Who has not been heard of for so long has gone. The page says every half minute that it is still open.
GONE_US: Final = 75 * SECOND
_NOTE: Final = (
    "INSERT INTO case_lookers (case_no, staff_id, seen_at) VALUES (?, ?, ?)"
    " ON CONFLICT (case_no, staff_id) DO UPDATE SET seen_at = excluded.seen_at"
)


def note(conn: Connection, actor: Actor, case_no: int, now: int) -> None:
    """Notes that somebody has the case open."""
    if actor.staff_id is not None:
        execute(conn, _NOTE, (case_no, actor.staff_id, now))


def leave(conn: Connection, actor: Actor, case_no: int) -> None:
    """Notes that they have not any more."""
    execute(conn, "DELETE FROM case_lookers WHERE case_no = ? AND staff_id = ?", (case_no, actor.staff_id))


def of_cases(conn: Connection, case_nos: Sequence[int], now: int, *, but: str | None = None) -> dict[int, list[str]]:
    """case_no -> who looks at it, without `but`; cases that nobody looks at are absent."""
    if not case_nos:
        return {}
    sql = f"SELECT case_no, staff_id FROM case_lookers WHERE seen_at > ? AND case_no IN {marks(len(case_nos))}"
    found: dict[int, list[str]] = {}
    for case_no, staff_id in rows(conn, f"{sql} ORDER BY seen_at DESC", (now - GONE_US, *case_nos)):
        if staff_id != but:
            found.setdefault(int(case_no), []).append(staff_id)
    return found


def forget(conn: Connection, now: int) -> None:
    """Throws away who has long gone."""
    execute(conn, "DELETE FROM case_lookers WHERE seen_at <= ?", (now - GONE_US,))

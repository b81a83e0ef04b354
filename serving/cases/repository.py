"""SQL of the cases themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import day_of
from features.ledger.sql import marks, rows
from serving.cases.states import Resting, State


class Case(NamedTuple):
    """A case as it stands: times in microseconds since 1970 UTC, money in 1/100 of the currency."""

    case_no: int
    case_id: str
    return_id: str
    order_no: int
    order_id: str
    customer_id: str
    assessment_id: str | None
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
    expected_loss_minor: int
    risk: float | None
    risk_band: str | None
    reasons: str | None
    trigger: str | None
    propensity: float | None
    state: State = "open"
    state_since: int = 0
    rests_in: Resting = "open"
    not_by: str | None = None
    due_at: int = 0
    due_day: int = 0
    escalated_at: int | None = None
    claimed_by: str | None = None
    claimed_at: int | None = None
    claim_until: int | None = None
    inspections_seen: int | None = None
    judged_at: int | None = None
    judged_by: str | None = None
    judgement: str | None = None
    risk_shown_at: int | None = None
    verdict: str | None = None
    closed_at: int | None = None
    closed_by: str | None = None
    revision: int = 1

    @property
    def barred(self) -> frozenset[str]:
        """Who may not give the next verdict: ids of staff."""
        return frozenset((self.not_by or "").split())

    @property
    def is_closed(self) -> bool:
        """Whether a verdict stands and nobody is asked for another one."""
        return self.state == "closed"

    def held_by(self, now: int) -> str | None:
        """Whose claim it is at that moment; a claim ends without activity."""
        return self.claimed_by if self.claim_until is not None and now < self.claim_until else None

    def as_of(self, now: int) -> Case:
        """The case without a claim that has ended, whether anybody has noticed or not."""
        if self.claimed_by is None or self.held_by(now) is not None:
            return self
        ended = self.claim_until or self.state_since
        return self._replace(state=self.rests_in, state_since=ended, claimed_by=None, claimed_at=None, claim_until=None)


COLUMNS: Final = Case._fields
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM cases"
_NEW: Final = COLUMNS[1:]
_OPEN: Final = (
    f"INSERT INTO cases ({', '.join(_NEW)}) VALUES {marks(len(_NEW))} ON CONFLICT (return_id) DO NOTHING"
    " RETURNING case_no"
)


def open_case(conn: Connection, case: Case) -> int | None:
    """Keeps a new case; its number (that of `case` does not count), or None if the return has a case already."""
    found = rows(conn, _OPEN, case[1:])
    return int(found[0][0]) if found else None


def change(conn: Connection, case: Case, **changes: Any) -> Case:
    """Writes changes of a case as it was read in this transaction; its revision rises by one.

    Raises:
        LookupError: it is gone, or was not as it was read.
    """
    if "due_at" in changes:
        changes["due_day"] = day_of(changes["due_at"])
    changes["revision"] = case.revision + 1
    assignments = ", ".join(f"{name} = ?" for name in changes)
    statement = f"UPDATE cases SET {assignments} WHERE case_no = ? AND revision = ? RETURNING case_no"
    if not rows(conn, statement, (*changes.values(), case.case_no, case.revision)):
        raise LookupError(f"case {case.case_id} was not as it was read")
    return case._replace(**changes)


def note_shown(conn: Connection, case: Case, now: int) -> Case:
    """Writes when anybody first saw the risk. Looking is no change: the revision stays."""
    if case.risk_shown_at is not None:
        return case
    rows(conn, "UPDATE cases SET risk_shown_at = ? WHERE case_no = ? RETURNING case_no", (now, case.case_no))
    return case._replace(risk_shown_at=now)


def find(conn: Connection, case_id: str) -> Case | None:
    """The case of that reference."""
    return _one(conn, "case_id = ?", case_id)


def find_no(conn: Connection, case_no: int) -> Case | None:
    """The case of that number."""
    return _one(conn, "case_no = ?", case_no)


def of_return(conn: Connection, return_id: str) -> Case | None:
    """The case of a return."""
    return _one(conn, "return_id = ?", return_id)


def of_customer(conn: Connection, customer_id: str, *, at_most: int = 200) -> list[Case]:
    """The cases of a customer's returns, newest first."""
    sql = f"{_SELECT} WHERE customer_id = ? ORDER BY opened_at DESC, case_no DESC LIMIT ?"
    return [Case(*row) for row in rows(conn, sql, (customer_id, at_most))]


def select(conn: Connection, ending: str, parameters: Sequence[Any] = ()) -> list[Case]:
    """Cases by the rest of a statement, from its WHERE on."""
    return [Case(*row) for row in rows(conn, f"{_SELECT} {ending}", parameters)]


def _one(conn: Connection, condition: str, value: object) -> Case | None:
    found = rows(conn, f"{_SELECT} WHERE {condition}", (value,))
    return Case(*found[0]) if found else None

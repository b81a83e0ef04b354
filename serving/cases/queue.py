"""The queue: what somebody should look at next, by deadline and then by what would be lost.

Pages follow keys, not offsets: a page is where it was, whatever is closed meanwhile. The risk itself is not part of it:
the evidence comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import day_of
from features.ledger.sql import rows
from serving.cases import lookers, repository
from serving.cases.reference import read_reference
from serving.cases.repository import Case
from serving.cases.states import STATES, State

PAGE: Final = 50
#: What a search needs at least, in characters, and how many cases it gives.
_SHORTEST_START: Final = 3
_LONGEST_SEARCH: Final = 200
_LAST_CHARACTER: Final = "\U0010ffff"
_BY_STATE: Final = (
    "SELECT state, COUNT(*), SUM(CASE WHEN due_at <= ? THEN 1 ELSE 0 END) FROM cases WHERE state != 'closed'"
    " GROUP BY state"
)
_CHOICES: Final = (
    "SELECT DISTINCT country, channel, category FROM (SELECT country, channel, category FROM cases"
    " WHERE state != 'closed' ORDER BY due_day, expected_loss_minor DESC, case_no LIMIT 500) first_ones"
)
_AFTER: Final = "due_day >= ? AND (due_day > ? OR expected_loss_minor < ? OR (expected_loss_minor = ? AND case_no > ?))"
_BEFORE: Final = (
    "due_day <= ? AND (due_day < ? OR expected_loss_minor > ? OR (expected_loss_minor = ? AND case_no < ?))"
)
_BACKWARDS: Final = "due_day DESC, expected_loss_minor, case_no DESC"
ACTIVE: Final = "active"
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the queue is wanted; None: whatever it is.

    Attributes:
        state: one of the states, or `active` for all but the closed ones.
        mine: only what this member of staff has claimed.
        because, kind, country, channel, category: as in the cases.
        value_from, value_to: bounds of the value in 1/100 of the currency, both included.
        overdue: only what is past its deadline.
        escalated: only what was past its deadline once already.
        free: only what nobody has claimed.
        search: a case's reference, or a return's, an order's or a customer's id, or how one begins.
    """

    state: State | str = ACTIVE
    mine: str | None = None
    because: str | None = None
    kind: str | None = None
    country: str | None = None
    channel: str | None = None
    category: str | None = None
    value_from: int | None = None
    value_to: int | None = None
    overdue: bool = False
    escalated: bool = False
    free: bool = False
    search: str = ""


class Position(NamedTuple):
    """A place in the queue: a day and a loss, or for closed cases the moment of closing and nothing."""

    first: int
    second: int
    case_no: int


class Row(NamedTuple):
    """A case in the queue, and who has it open at the moment (ids of staff)."""

    case: Case
    lookers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the queue. `after` is where the next page begins, None at the end."""

    rows: tuple[Row, ...]
    after: Position | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases there are: by state (the closed ones left out), mine, overdue, escalated."""

    by_state: dict[str, int]
    mine: int
    overdue: int
    escalated: int

    @property
    def active(self) -> int:
        """All that are not closed."""
        return sum(self.by_state.values())


def page(
    conn: Connection,
    filters: Filters,
    now: int,
    *,
    staff_id: str | None = None,
    after: Position | None = None,
    size: int = PAGE,
) -> Page:
    """A page of the queue. `staff_id` is who looks: others are named as lookers."""
    found = _search(conn, filters.search, after, size) if filters.search else _select(conn, filters, now, after, size)
    more = len(found) > size
    cases = [case.as_of(now) for case in found[:size]]
    seen = lookers.of_cases(conn, [case.case_no for case in cases], now, but=staff_id)
    there = tuple(Row(case, tuple(seen.get(case.case_no, ()))) for case in cases)
    return Page(there, position(cases[-1]) if more else None)


def position(case: Case) -> Position:
    """Where a case stands in the queue."""
    if case.is_closed:
        return Position(case.closed_at or 0, 0, case.case_no)
    return Position(case.due_day, case.expected_loss_minor, case.case_no)


def next_case(conn: Connection, filters: Filters, now: int, *, staff_id: str, but: Case | None = None) -> Case | None:
    """What to go on with after a case (or to begin with): the first of the queue that this person may conclude, nobody
    else has claimed and, if there is any, nobody else looks at."""
    wanted = replace(filters, search="", state=ACTIVE if filters.state == CLOSED else filters.state)
    left = None if but is None else but.case_no
    fitting: list[Row] = []
    after: Position | None = None
    for _ in range(4):
        piece = page(conn, wanted, now, staff_id=staff_id, after=after)
        fitting = [row for row in piece.rows if row.case.case_no != left and _may_take(row.case, staff_id, now)]
        if fitting or piece.after is None:
            break
        after = piece.after
    fitting.sort(key=lambda row: bool(row.lookers))
    return fitting[0].case if fitting else None


def neighbours(conn: Connection, case: Case, filters: Filters, now: int) -> tuple[Case | None, Case | None]:
    """The cases before and after one in the queue, as it is filtered; a closed case has none."""
    if case.is_closed:
        return None, None
    wanted = replace(filters, search="", state=ACTIVE if filters.state == CLOSED else filters.state)
    following = _select(conn, wanted, now, position(case), 0)
    before = _select(conn, wanted, now, position(case), 0, backwards=True)
    return (before[0] if before else None), (following[0] if following else None)


def counts(conn: Connection, now: int, *, staff_id: str | None = None) -> Counts:
    """How much there is to do."""
    by_state: dict[str, int] = {state: 0 for state in STATES if state != CLOSED}
    overdue = 0
    for state, count, past in rows(conn, _BY_STATE, (now,)):
        by_state[state] = int(count)
        overdue += int(past)
    mine = _count(conn, "claimed_by = ? AND claim_until > ?", (staff_id, now)) if staff_id else 0
    return Counts(by_state, mine, overdue, _count(conn, "escalated_at IS NOT NULL AND state != 'closed'", ()))


class Choices(NamedTuple):
    """What the filters can choose from."""

    countries: tuple[str, ...]
    channels: tuple[str, ...]
    categories: tuple[str, ...]


def choices(conn: Connection) -> Choices:
    """What there is to filter by, among the cases that are due first."""
    found = rows(conn, _CHOICES)
    return Choices(*(tuple(sorted({row[i] for row in found} - {None})) for i in range(3)))


def _may_take(case: Case, staff_id: str, now: int) -> bool:
    return (
        case.held_by(now) in (None, staff_id) and staff_id not in case.barred and not case.state.startswith("waiting")
    )


def _count(conn: Connection, condition: str, parameters: tuple[Any, ...]) -> int:
    return int(rows(conn, f"SELECT COUNT(*) FROM cases WHERE {condition}", parameters)[0][0])


def _select(
    conn: Connection, filters: Filters, now: int, after: Position | None, size: int, *, backwards: bool = False
) -> list[Case]:
    conditions, parameters = _conditions(filters, now)
    if filters.state == CLOSED:
        conditions.insert(0, "closed_at IS NOT NULL")
        if after is not None:
            conditions.append("(closed_at < ? OR (closed_at = ? AND case_no < ?))")
            parameters += [after.first, after.first, after.case_no]
        order = "closed_at DESC, case_no DESC"
    else:
        if after is not None:
            conditions.append(_BEFORE if backwards else _AFTER)
            parameters += [after.first, after.first, after.second, after.second, after.case_no]
        order = _BACKWARDS if backwards else "due_day, expected_loss_minor DESC, case_no"
    ending = f"WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?"
    return repository.select(conn, ending, (*parameters, size + 1))


def _conditions(filters: Filters, now: int) -> tuple[list[str], list[Any]]:
    conditions = ["state = 'closed'" if filters.state == CLOSED else "state != 'closed'"]
    parameters: list[Any] = []

    def add(condition: str, *values: Any) -> None:
        conditions.append(condition)
        parameters.extend(values)

    if filters.state not in (ACTIVE, CLOSED):
        add("state = ?", filters.state)
    if filters.mine is not None:
        add("claimed_by = ? AND claim_until > ?", filters.mine, now)
    if filters.free:
        add("(claimed_by IS NULL OR claim_until <= ?)", now)
    for column in ("kind", "country", "channel", "category"):
        value = getattr(filters, column)
        if value is not None:
            add(f"{column} = ?", value)
    if filters.because is not None:
        add("opened_because = ?", filters.because)
    if filters.value_from is not None:
        add("value_minor >= ?", filters.value_from)
    if filters.value_to is not None:
        add("value_minor <= ?", filters.value_to)
    if filters.overdue:
        add("due_day <= ? AND due_at <= ?", day_of(now), now)
    if filters.escalated:
        add("escalated_at IS NOT NULL")
    return conditions, parameters


def _search(conn: Connection, wanted: str, after: Position | None, size: int) -> list[Case]:
    """Cases by reference or id, newest first, whatever else is asked for: exactly, else by how they begin."""
    text = wanted.strip()[:_LONGEST_SEARCH].replace("\x00", "")
    reference = read_reference(text)
    if not text:
        return []
    parts = ["return_id = ?", "order_id = ?", "customer_id = ?"] + (["case_id = ?"] if reference else [])
    union = " UNION ".join(f"SELECT case_no FROM cases WHERE {part}" for part in parts)
    values = [text] * 3 + ([reference] if reference else [])
    if len(text) < _SHORTEST_START or rows(conn, f"{union} LIMIT 1", values):
        return _numbered(conn, union, values, after, size)
    beginnings = (("case_id", text.upper()), ("return_id", text), ("order_id", text), ("customer_id", text))
    begun = [_begins(conn, column, beginning) for column, beginning in beginnings]
    union = " UNION ".join(f"SELECT case_no FROM cases WHERE {condition}" for condition, _ in begun)
    return _numbered(conn, union, [value for _, values in begun for value in values], after, size)


def _begins(conn: Connection, column: str, beginning: str) -> tuple[str, tuple[str, ...]]:
    """The condition that a text begins so, and its values. SQLite's indexes are in the order of the characters, others
    may be in that of a language."""
    if conn.dialect.name == "sqlite":
        return f"{column} >= ? AND {column} < ?", (beginning, beginning + _LAST_CHARACTER)
    escaped = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{column} LIKE ? ESCAPE '\\'", (f"{escaped}%",)


def _numbered(conn: Connection, numbers: str, values: list[Any], after: Position | None, size: int) -> list[Case]:
    before = "" if after is None else " AND case_no < ?"
    ending = f"WHERE case_no IN ({numbers}){before} ORDER BY case_no DESC LIMIT ?"
    more = [] if after is None else [after.case_no]
    return repository.select(conn, ending, [*values, *more, size + 1])

"""What happened with an order, from purchase to conclusion, and until when the customer may return it.

Times are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.sql import rows
from serving.cases.claim import Delivery

Kind = Literal[
    "ordered", "delivered", "requested", "other_requested", "opened", "found", "disputed", "decided", "other_found"
]
#: Of what happened at the same moment, what comes first.
_ORDER: Final[tuple[Kind, ...]] = (
    "ordered",
    "delivered",
    "other_requested",
    "requested",
    "opened",
    "other_found",
    "found",
    "disputed",
    "decided",
)
#: Most moments that are shown; an order has few, and one with more is cut in the middle of nothing.
MOST_MOMENTS: Final = 60


class Moment(NamedTuple):
    """Something that happened. `words` are words of the closed vocabularies that tell it, strongest first:

    delivered: proof; requested and other_requested: kind, reason; opened: what opened the case; found and other_found:
    finding; decided: verdict, basis.
    """

    at: int
    kind: Kind
    words: tuple[str, ...] = ()


class Window(NamedTuple):
    """Until when the customer has a right: its basis, the delivery it counts from, and the end of its last day."""

    basis: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments in their order, the windows that ran, and the end: now, or when the case was closed."""

    moments: tuple[Moment, ...]
    windows: tuple[Window, ...]
    until: int

    @property
    def start(self) -> int:
        """The first moment."""
        return self.moments[0].at if self.moments else self.until


_ORDERED = "SELECT ordered_at FROM orders WHERE order_no = ?"
_DELIVERED = "SELECT delivered_at, proof FROM deliveries WHERE order_no = ?"
_REQUESTED = "SELECT return_id, requested_at, kind, reason FROM returns WHERE order_no = ? AND leads = 1"
_INSPECTED = "SELECT return_id, inspected_at, finding FROM inspections WHERE order_no = ?"
_DECIDED = "SELECT decided_at, verdict, basis FROM verdicts WHERE order_no = ? AND return_id = ?"
_CASE = "SELECT case_no, opened_at, opened_because, closed_at FROM cases WHERE return_id = ?"
_UNSENT = "SELECT at, finding FROM case_findings WHERE case_no = ? AND withdrawn_at IS NULL AND sent_at IS NULL"
_DISPUTED = "SELECT received_at FROM disputes WHERE case_no = ?"


def read(
    conn: Connection, *, order_no: int, return_id: str, windows: Sequence[Window] = (), now: int | None = None
) -> Timeline:
    """The timeline of a return of an order: what the ledger and the case have, up to `now` if it is given."""
    moments = [Moment(at, "ordered") for (at,) in rows(conn, _ORDERED, (order_no,))]
    moments += [Moment(at, "delivered", (proof,)) for at, proof in rows(conn, _DELIVERED, (order_no,))]
    for other, at, kind, reason in rows(conn, _REQUESTED, (order_no,)):
        moments.append(Moment(at, "requested" if other == return_id else "other_requested", (kind, reason)))
    for other, at, finding in rows(conn, _INSPECTED, (order_no,)):
        moments.append(Moment(at, "found" if other == return_id else "other_found", (finding,)))
    for at, verdict, basis in rows(conn, _DECIDED, (order_no, return_id)):
        moments.append(Moment(at, "decided", (verdict, basis) if basis else (verdict,)))
    until = now
    for case_no, opened_at, because, closed_at in rows(conn, _CASE, (return_id,)):
        until = closed_at or now
        moments.append(Moment(opened_at, "opened", (because,)))
        moments += [Moment(at, "found", (finding,)) for at, finding in rows(conn, _UNSENT, (case_no,))]
        moments += [Moment(at, "disputed") for (at,) in rows(conn, _DISPUTED, (case_no,))]
    moments.sort(key=lambda moment: (moment.at, _ORDER.index(moment.kind), moment.words))
    kept = tuple(dict.fromkeys(moments))[:MOST_MOMENTS]
    last = kept[-1].at if kept else 0
    return Timeline(kept, tuple(windows), max(last, until or last))


def windows_of(rights: Mapping[str, Any], delivery: Delivery | None) -> tuple[Window, ...]:
    """The window of the right that an assessment's `rights` names; none while nothing was delivered."""
    until = rights.get("until")
    if not until or delivery is None:
        return ()
    last_day = datetime.fromisoformat(str(until)[:10]).replace(tzinfo=UTC)
    end = int(last_day.timestamp()) * 1_000_000 + DAY
    start = delivery.delivered_at
    return (Window(str(rights.get("basis", "policy")), start, end),) if end > start else ()

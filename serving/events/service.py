"""Taking events into the ledger: all of a call or none of it, each of them once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from features.ledger.append import Outcome, Reject, append_rows
from features.ledger.identity import KeyHasher
from features.population import settle
from serving.events import repository
from serving.events.schemas import OWN_TIME, Event, EventsAnswer, EventsRequest, OrderLine, table_row
from serving.problems import Conflict, FieldError, Location, Problem, clash, invalid

_TABLES: Final = {
    "delivery": "deliveries",
    "return": "returns",
    "inspection": "inspections",
    "verdict": "verdicts",
}
#: Columns of the ledger's rows that are called otherwise in bodies.
_BODY_NAMES: Final = {"unit_price_e4": "unit_price", "discount_e4": "discount"}
_OWN_TIMES: Final = frozenset(OWN_TIME.values())


@dataclass
class Rows:
    """Rows of one table, with the place in the body that each came from."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    places: list[Location] = field(default_factory=list)

    def add(self, row: dict[str, Any], *place: str | int) -> None:
        """Append a row that stands at `place` in the body."""
        self.rows.append(row)
        self.places.append(place)


def check_times(request: EventsRequest) -> None:
    """Both times of an event, where both are given, must be the same.

    Raises:
        Invalid: they are not.
    """
    errors = [
        FieldError(("events", i, own), "must be the same as occurred_at")
        for i, event in enumerate(request.events)
        if (own := OWN_TIME[event.type]) and getattr(event, own) not in (None, event.occurred_at)
    ]
    if errors:
        raise invalid(errors)


def record(conn: Connection, request: EventsRequest, *, now_us: int, hasher: KeyHasher) -> EventsAnswer:
    """Appends what is new of a call.

    Runs in an open transaction, which the caller takes back if a problem is raised.

    Raises:
        Conflict: an event id, or what an event tells of, is known with other content.
        Invalid: an event does not fit the ledger.
    """
    key = hasher.subkey(b"events")
    digests = [_digest(event, key) for event in request.events]
    fresh = _fresh(conn, request, digests)
    orders, lines = Rows(), Rows()
    others = {kind: Rows() for kind in _TABLES}
    for i in fresh:
        event = request.events[i]
        row = table_row(event, time_name=OWN_TIME[event.type])
        if event.type == "order":
            orders.add(row, "events", i)
            for j, line in enumerate(event.lines):
                lines.add(line_row(event.order_id, line), "events", i, "lines", j)
        else:
            others[event.type].add(row, "events", i)

    duplicates = append_orders(conn, orders, lines, now_us=now_us, hasher=hasher)
    for kind, rows in others.items():
        duplicates += _append(conn, _TABLES[kind], rows, now_us=now_us, hasher=hasher).duplicates

    repository.remember(conn, {request.events[i].event_id: (request.events[i].type, digests[i]) for i in fresh}, now_us)
    return EventsAnswer(accepted=len(fresh) - duplicates, duplicates=len(request.events) - len(fresh) + duplicates)


def _fresh(conn: Connection, request: EventsRequest, digests: Sequence[bytes]) -> list[int]:
    """Positions of the events whose ids have not come before, each id once."""
    known = repository.digests(conn, {event.event_id for event in request.events})
    fresh: list[int] = []
    for i, (event, digest) in enumerate(zip(request.events, digests, strict=True)):
        if event.event_id not in known:
            known[event.event_id] = digest
            fresh.append(i)
        elif known[event.event_id] != digest:
            raise clash("this event is known with other content", "events", i, "event_id")
    return fresh


def line_row(order_id: str, line: OrderLine) -> dict[str, Any]:
    """A line as a row for the ledger."""
    return {
        "order_id": order_id,
        "line_id": line.line_id,
        "sku": line.sku,
        "quantity": line.quantity,
        "unit_price_e4": line.unit_price,
        "discount_e4": line.discount,
        "category": line.category,
    }


def append_orders(conn: Connection, orders: Rows, lines: Rows, *, now_us: int, hasher: KeyHasher) -> int:
    """Appends orders with all their lines; the number of orders that were known already, with the same lines.

    `orders` may name an order twice, `lines` then has its lines twice.

    Raises:
        Conflict: an order is known with other content or other lines.
        Invalid: an order does not fit the ledger.
    """
    if not orders.rows:
        return 0
    sizes = Counter(place[:-2] for place in lines.places)  # a line stands at (*order, "lines", j)
    counts = repository.line_counts(conn, {row["order_id"] for row in orders.rows})
    known = {order_id for order_id, count in counts.items() if count}  # bulk ingest may bring an order before its lines
    _append(conn, "orders", orders, now_us=now_us, hasher=hasher)
    order_nos = _append(conn, "order_lines", lines, now_us=now_us, hasher=hasher).order_nos
    duplicates = 0
    repeated = known or len({row["order_id"] for row in orders.rows}) < len(orders.rows)
    after = repository.line_counts(conn, {row["order_id"] for row in orders.rows}) if repeated else {}
    for row, place in zip(orders.rows, orders.places, strict=True):
        order_id = row["order_id"]
        if order_id in known:
            duplicates += 1
            if not sizes[place] == counts[order_id] == after[order_id]:
                raise clash("the order is known with other lines", *place, "lines")
        elif repeated:
            known.add(order_id)
            counts[order_id] = sizes[place]
    if order_nos:
        settle(conn, order_nos)
    return duplicates


def _append(conn: Connection, table: str, rows: Rows, *, now_us: int, hasher: KeyHasher) -> Outcome:
    """Appends rows; the first that the ledger refuses is raised as a problem that names its place in the body."""
    outcome = append_rows(conn, table, rows.rows, live=True, now_us=now_us, hasher=hasher)
    if outcome.rejects:
        raise _problem(outcome.rejects, rows)
    return outcome


def _problem(rejects: Sequence[Reject], rows: Rows) -> Problem:
    errors = [FieldError(_place(rows.places[reject.index], reject.column), reject.reason) for reject in rejects]
    if all(reject.conflict for reject in rejects):
        return Conflict(f"{errors[0].field}: {errors[0].detail}", errors=errors)
    return invalid(errors)


def _place(place: Location, column: str) -> Location:
    """Where a column of a row stands in the body; an event's time under the name that every event has for it."""
    if place[0] == "events" and column in _OWN_TIMES:
        column = "occurred_at"
    return (*place, _BODY_NAMES.get(column, column))


def _digest(event: Event, key: bytes) -> bytes:
    """With a key, as it stays when the person of the event is erased: nobody can hold a guess against it."""
    content = orjson.dumps(event.model_dump(exclude_none=True), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, key=key, digest_size=16, person=b"event").digest()

"""SQL of the events' own bookkeeping; their contents go through `features.ledger.append`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.append.lookups import insert, select_in

_COLUMNS = ("event_id", "type", "received_at", "digest")


def digests(conn: Connection, event_ids: Collection[str]) -> dict[str, bytes]:
    """Digests of those of the events that have come before."""
    found = select_in(conn, "SELECT event_id, digest FROM live_events WHERE event_id IN", event_ids)
    return {event_id: bytes(digest) for event_id, digest in found}


def remember(conn: Connection, events: Mapping[str, tuple[str, bytes]], received_at: int) -> None:
    """Keep event_id -> (type, digest), with the day only: ids often hold those of orders, and the moment at which one
    came is close to that of the order, so that it would lead back to somebody who was erased."""
    day = received_at // DAY * DAY
    insert(conn, "live_events", _COLUMNS, [(i, kind, day, digest) for i, (kind, digest) in events.items()])


def line_counts(conn: Connection, order_ids: Collection[str]) -> dict[str, int]:
    """Number of lines of each of the orders that the ledger has."""
    found = select_in(
        conn,
        "SELECT o.order_id, (SELECT count(*) FROM order_lines l WHERE l.order_no = o.order_no) FROM orders o "
        "WHERE o.order_id IN",
        order_ids,
    )
    return {order_id: int(count) for order_id, count in found}

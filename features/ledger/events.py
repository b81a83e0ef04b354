"""The events that came over HTTP, by the sender's own ids: each takes effect once, however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.engine import Connection

from features.ledger.append.lookups import insert, select_in

#: `new`: not seen before, and remembered now. `duplicate`: seen with the same content. `conflict`: with other content.
EventStatus = Literal["new", "duplicate", "conflict"]

_COLUMNS = ("event_id", "type", "digest", "received_at")


def remember_events(conn: Connection, events: Sequence[tuple[str, str, bytes, int]]) -> list[EventStatus]:
    """Remembers the events that are new.

    Args:
        conn: from `Ledger.write()`; the caller rolls back if it will have all or nothing.
        events: (event_id, type, digest of the content, received_at in microseconds); 16 bytes are a good digest.

    Returns:
        The status of each event, in their order. An id that comes twice in one call is new once.
    """
    found = select_in(
        conn,
        "SELECT event_id, type, digest FROM live_events WHERE event_id IN",
        dict.fromkeys(event_id for event_id, *_ in events),
    )
    known = {event_id: (kind, bytes(digest)) for event_id, kind, digest in found}
    statuses: list[EventStatus] = []
    new = []
    for event in events:
        event_id, kind, digest, _ = event
        seen = known.get(event_id)
        if seen is None:
            known[event_id] = (kind, digest)
            new.append(event)
            statuses.append("new")
        else:
            statuses.append("duplicate" if seen == (kind, digest) else "conflict")
    insert(conn, "live_events", _COLUMNS, new)
    return statuses

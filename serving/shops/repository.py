"""SQL of connected shops. Times are microseconds since 1970 UTC."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy.engine import Connection

from features.ledger.identity import KeyHasher
from features.ledger.sql import execute, marks, rows
from serving.shops.reading import Mapped

_CONNECTION: Final = ("connection_id", "kind", "name", "prefix", "secret", "created_at", "disabled_at")
_CONNECTIONS: Final = f"SELECT {', '.join(_CONNECTION)} FROM shop_connections"
_WAIT: Final = (
    "INSERT INTO shop_waiting (event_id, connection_id, order_id, received_at, content) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (event_id) DO NOTHING"
)


class Shop(NamedTuple):
    """A connected shop; the secret is sealed."""

    connection_id: str
    kind: str
    name: str
    prefix: str
    secret: str
    created_at: int
    disabled_at: int | None


def insert(conn: Connection, shop: Shop) -> None:
    """Store a new connection."""
    execute(conn, f"INSERT INTO shop_connections ({', '.join(_CONNECTION)}) VALUES {marks(len(_CONNECTION))}", shop)


def find(conn: Connection, connection_id: str) -> Shop | None:
    """The connection of that id."""
    found = rows(conn, f"{_CONNECTIONS} WHERE connection_id = ?", (connection_id,))
    return Shop(*found[0]) if found else None


def every(conn: Connection) -> list[Shop]:
    """All connections, oldest first."""
    return [Shop(*row) for row in rows(conn, f"{_CONNECTIONS} ORDER BY created_at, connection_id")]


def set_disabled(conn: Connection, connection_id: str, moment: int) -> None:
    """Take nothing from a shop any more."""
    execute(conn, "UPDATE shop_connections SET disabled_at = ? WHERE connection_id = ?", (moment, connection_id))


def has_order(conn: Connection, order_id: str) -> bool:
    """Whether the ledger has the order."""
    return bool(rows(conn, "SELECT 1 FROM orders WHERE order_id = ?", (order_id,)))


def is_told(conn: Connection, event: dict[str, Any]) -> bool:
    """Whether an event about the same thing has been taken, or the ledger has the line of the return from elsewhere."""
    if rows(conn, "SELECT 1 FROM live_events WHERE event_id = ?", (event["event_id"],)):
        return True
    if event["type"] != "return":
        return False
    line = "SELECT 1 FROM returns WHERE return_id = ? AND line_id = ?"
    return bool(rows(conn, line, (event["return_id"], event["line_id"])))


def is_erased(conn: Connection, hasher: KeyHasher, customer_id: str, ordered_at: int) -> bool:
    """Whether a customer was erased after the moment of an order: shops go on telling of old orders when anything about
    them changes, and that must not bring the person back, nor count the order twice."""
    found = rows(conn, "SELECT erased_at FROM erasures WHERE subject = ?", (hasher.customer(customer_id),))
    return bool(found) and ordered_at <= found[0][0]


def wait(conn: Connection, connection_id: str, mapped: Mapped, now: int) -> None:
    """Keep an event until its order comes; one about the same thing that waits already stays."""
    content = orjson.dumps({"event": mapped.event, "own_time": mapped.own_time}).decode()
    execute(conn, _WAIT, (mapped.event["event_id"], connection_id, mapped.event["order_id"], now, content))


def take_waiting(conn: Connection, connection_id: str, order_id: str) -> list[Mapped]:
    """The events that have waited for an order, oldest first; they wait no longer."""
    key = (order_id, connection_id)
    where = "WHERE order_id = ? AND connection_id = ?"
    found = rows(conn, f"SELECT content FROM shop_waiting {where} ORDER BY received_at, event_id", key)
    if found:
        execute(conn, f"DELETE FROM shop_waiting {where}", key)
    return [Mapped(**orjson.loads(content)) for (content,) in found]


def count_waiting(conn: Connection) -> dict[str, int]:
    """Connection -> events that wait for their orders."""
    return dict(rows(conn, "SELECT connection_id, count(*) FROM shop_waiting GROUP BY connection_id"))


def forget_waiting(conn: Connection, before: int) -> None:
    """Let go of events whose orders have not come since a moment."""
    execute(conn, "DELETE FROM shop_waiting WHERE received_at < ?", (before,))

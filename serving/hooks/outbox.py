"""The outbox: messages are written in the transaction of what they tell of, and sent later.

So nothing is sent that was taken back, and nothing that was committed goes unsent, whenever a process ends.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from features.ledger.sql import execute_many, rows
from serving.clock import iso
from serving.hooks.types import TEST, TYPES

_WANTED: Final = "SELECT endpoint_id, types FROM webhook_endpoints WHERE disabled_at IS NULL"
_MESSAGE: Final = (
    "INSERT INTO webhook_messages (message_id, type, at, content) VALUES (?, ?, ?, ?) RETURNING message_no"
)
_DELIVERY: Final = "INSERT INTO webhook_deliveries (message_no, endpoint_id, attempts, next_at) VALUES (?, ?, 0, ?)"
_KNOWN: Final = "webhook endpoints"  # key of what a connection has looked up


def put(conn: Connection, kind: str, content: Mapping[str, Any], now: int) -> None:
    """Write a message for the endpoints that want its type; nothing if there are none.

    `conn` must be in a transaction that writes, that of what the message tells of. `content` has exactly the fields
    that `serving.hooks.types` gives the type: no others can slip out.

    Raises:
        KeyError: there is no such type.
        ValueError: the fields are not those of the type.
    """
    fields = TYPES[kind].fields
    if content.keys() != fields.keys():
        wrong = ", ".join(sorted(content.keys() ^ fields.keys()))
        raise ValueError(f"{kind} has the fields {', '.join(fields)}; missing or too many: {wrong}")
    endpoint_ids = _wanting(conn).get(kind)
    if endpoint_ids:
        _write(conn, kind, content, now, endpoint_ids)


def put_test(conn: Connection, endpoint_id: str, now: int) -> int:
    """Write a message of the type `webhook.test` for one endpoint; its number."""
    return _write(conn, TEST.name, {"endpoint_id": endpoint_id}, now, [endpoint_id])


def forget(conn: Connection) -> None:
    """Look the endpoints up again: they were changed in this transaction."""
    conn.info.pop(_KNOWN, None)


def _wanting(conn: Connection) -> Mapping[str, list[str]]:
    """Type -> the endpoints that want it, looked up once in a transaction.

    A transaction that writes keeps all others from writing, of this process and of the others, so what it has seen
    stays true until its end.
    """
    transaction = conn.get_transaction()
    known = conn.info.get(_KNOWN)
    if known is not None and known[0] is transaction:
        found: Mapping[str, list[str]] = known[1]
        return found
    wanting: dict[str, list[str]] = defaultdict(list)
    for endpoint_id, types in rows(conn, _WANTED):
        for kind in types.split():
            wanting[kind].append(endpoint_id)
    conn.info[_KNOWN] = (transaction, wanting)
    return wanting


def _write(conn: Connection, kind: str, content: Mapping[str, Any], now: int, endpoint_ids: list[str]) -> int:
    message_id = f"msg_{secrets.token_hex(12)}"
    body = orjson.dumps({"type": kind, "timestamp": iso(now), "data": dict(content)}).decode()
    message_no = int(rows(conn, _MESSAGE, (message_id, kind, now, body))[0][0])
    execute_many(conn, _DELIVERY, [(message_no, endpoint_id, now) for endpoint_id in endpoint_ids])
    return message_no

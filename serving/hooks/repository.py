"""SQL of webhooks. Times are microseconds since 1970 UTC."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, execute_many, marks, rows
from serving.hooks.outbox import forget

_ENDPOINT: Final = (
    "endpoint_id",
    "url",
    "secret",
    "former_secret",
    "former_until",
    "types",
    "description",
    "created_at",
    "disabled_at",
    "disabled_because",
)
_ENDPOINTS: Final = f"SELECT {', '.join(_ENDPOINT)} FROM webhook_endpoints"


class Endpoint(NamedTuple):
    """Where messages go; the secrets are sealed."""

    endpoint_id: str
    url: str
    secret: str
    former_secret: str | None
    former_until: int | None
    types: str
    description: str
    created_at: int
    disabled_at: int | None
    disabled_because: str | None


class Due(NamedTuple):
    """A message that is to be sent to an endpoint; `attempts` counts the one that begins."""

    message_no: int
    message_id: str
    content: str
    attempts: int


class Ended(NamedTuple):
    """What came of an attempt. `next_at`: of the next one; None where the message was delivered or is given up."""

    message_no: int
    endpoint_id: str
    attempts: int
    at: int
    next_at: int | None
    delivered: bool
    status: int | None
    trouble: str | None


class Delivery(NamedTuple):
    """A message on its way to an endpoint, as people see it."""

    message_no: int
    message_id: str
    type: str
    at: int
    attempts: int
    next_at: int | None
    delivered_at: int | None
    last_at: int | None
    last_status: int | None
    last_trouble: str | None


class Counts(NamedTuple):
    """Deliveries of an endpoint that wait, and that were given up."""

    waiting: int
    given_up: int


def insert(conn: Connection, endpoint: Endpoint) -> None:
    """Store a new endpoint."""
    execute(conn, f"INSERT INTO webhook_endpoints ({', '.join(_ENDPOINT)}) VALUES {marks(len(_ENDPOINT))}", endpoint)
    forget(conn)


def find(conn: Connection, endpoint_id: str) -> Endpoint | None:
    """The endpoint of that id."""
    found = rows(conn, f"{_ENDPOINTS} WHERE endpoint_id = ?", (endpoint_id,))
    return Endpoint(*found[0]) if found else None


def every(conn: Connection) -> list[Endpoint]:
    """All endpoints, oldest first."""
    return [Endpoint(*row) for row in rows(conn, f"{_ENDPOINTS} ORDER BY created_at, endpoint_id")]


def set_disabled(conn: Connection, endpoint_id: str, moment: int | None, because: str | None) -> None:
    """Disable an endpoint, or enable it again with None."""
    statement = "UPDATE webhook_endpoints SET disabled_at = ?, disabled_because = ? WHERE endpoint_id = ?"
    execute(conn, statement, (moment, because, endpoint_id))
    forget(conn)


def set_secrets(conn: Connection, endpoint_id: str, secret: str, former: str | None, former_until: int | None) -> None:
    """Replace the secret; the former one signs, too, for a while."""
    statement = "UPDATE webhook_endpoints SET secret = ?, former_secret = ?, former_until = ? WHERE endpoint_id = ?"
    execute(conn, statement, (secret, former, former_until, endpoint_id))


def with_due(conn: Connection, now: int) -> list[Endpoint]:
    """The endpoints in use that a message should go to now."""
    return [
        Endpoint(*row)
        for row in rows(
            conn,
            f"{_ENDPOINTS} e WHERE disabled_at IS NULL AND EXISTS (SELECT 1 FROM webhook_deliveries d"
            " WHERE d.endpoint_id = e.endpoint_id AND d.next_at <= ?) ORDER BY created_at, endpoint_id",
            (now,),
        )
    ]


def claim(conn: Connection, endpoint_id: str, now: int, until: int, at_most: int) -> list[Due]:
    """Take messages for an endpoint that is in use, those that have waited longest first: nobody else gets them before
    `until`."""
    due = [
        Due(*row)
        for row in rows(
            conn,
            "SELECT d.message_no, m.message_id, m.content, d.attempts + 1 FROM webhook_deliveries d"
            " JOIN webhook_messages m ON m.message_no = d.message_no"
            " JOIN webhook_endpoints e ON e.endpoint_id = d.endpoint_id"
            " WHERE d.endpoint_id = ? AND d.next_at <= ? AND e.disabled_at IS NULL"
            " ORDER BY d.next_at, d.message_no LIMIT ?",
            (endpoint_id, now, at_most),
        )
    ]
    execute_many(
        conn,
        "UPDATE webhook_deliveries SET next_at = ?, attempts = ? WHERE message_no = ? AND endpoint_id = ?",
        [(until, one.attempts, one.message_no, endpoint_id) for one in due],
    )
    return due


def take(conn: Connection, endpoint_id: str, message_no: int, until: int) -> Due:
    """Take one message, whoever has it."""
    execute(
        conn,
        "UPDATE webhook_deliveries SET next_at = ?, attempts = attempts + 1 WHERE message_no = ? AND endpoint_id = ?",
        (until, message_no, endpoint_id),
    )
    found = rows(
        conn,
        "SELECT d.message_no, m.message_id, m.content, d.attempts FROM webhook_deliveries d JOIN webhook_messages m"
        " ON m.message_no = d.message_no WHERE d.message_no = ? AND d.endpoint_id = ?",
        (message_no, endpoint_id),
    )
    return Due(*found[0])


def settle(conn: Connection, ended: list[Ended]) -> None:
    """Keep what came of attempts. One whose lease was over counts only if it delivered; a delivery is never undone."""
    for one in ended:
        values: tuple[Any, ...] = (one.next_at, one.at if one.delivered else None, one.at, one.status, one.trouble)
        where = "message_no = ? AND endpoint_id = ? AND delivered_at IS NULL"
        key: tuple[Any, ...] = (one.message_no, one.endpoint_id)
        if not one.delivered:
            where, key = f"{where} AND attempts = ?", (*key, one.attempts)
        execute(
            conn,
            "UPDATE webhook_deliveries SET next_at = ?, delivered_at = ?, last_at = ?, last_status = ?,"
            f" last_trouble = ? WHERE {where}",
            (*values, *key),
        )


def send_now(conn: Connection, endpoint_id: str, message_nos: list[int], now: int) -> None:
    """Let undelivered messages go out at once, and their attempts begin anew."""
    execute_many(
        conn,
        "UPDATE webhook_deliveries SET next_at = ?, attempts = 0 WHERE endpoint_id = ? AND message_no = ?"
        " AND delivered_at IS NULL",
        [(now, endpoint_id, message_no) for message_no in message_nos],
    )


def given_up(conn: Connection, endpoint_id: str, at_most: int) -> list[int]:
    """Numbers of the messages that were given up, newest first."""
    found = rows(
        conn,
        "SELECT message_no FROM webhook_deliveries WHERE endpoint_id = ? AND next_at IS NULL AND delivered_at IS NULL"
        " ORDER BY message_no DESC LIMIT ?",
        (endpoint_id, at_most),
    )
    return [int(row[0]) for row in found]


def deliveries(conn: Connection, endpoint_id: str, *, at_most: int, before: int | None = None) -> list[Delivery]:
    """The latest messages for an endpoint, newest first; those with a number below `before`."""
    found = rows(
        conn,
        "SELECT m.message_no, m.message_id, m.type, m.at, d.attempts, d.next_at, d.delivered_at, d.last_at,"
        " d.last_status, d.last_trouble FROM webhook_messages m JOIN webhook_deliveries d"
        " ON d.message_no = m.message_no AND d.endpoint_id = ? WHERE m.message_no < ?"
        " ORDER BY m.message_no DESC LIMIT ?",
        (endpoint_id, 2**62 if before is None else before, at_most),
    )
    return [Delivery(*row) for row in found]


def counts(conn: Connection) -> dict[str, Counts]:
    """Endpoint -> its counts, for all endpoints."""
    count = "SELECT endpoint_id, count(*) FROM webhook_deliveries WHERE {} GROUP BY endpoint_id"
    waiting = dict(rows(conn, count.format("next_at IS NOT NULL")))
    lost = dict(rows(conn, count.format("next_at IS NULL AND delivered_at IS NULL")))
    endpoint_ids = [row[0] for row in rows(conn, "SELECT endpoint_id FROM webhook_endpoints")]
    return {each: Counts(int(waiting.get(each, 0)), int(lost.get(each, 0))) for each in endpoint_ids}


def counts_of(conn: Connection, endpoint_id: str) -> Counts:
    """The counts of one endpoint."""
    count = "SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = ? AND {}"
    waiting = rows(conn, count.format("next_at IS NOT NULL"), (endpoint_id,))[0][0]
    lost = rows(conn, count.format("next_at IS NULL AND delivered_at IS NULL"), (endpoint_id,))[0][0]
    return Counts(int(waiting), int(lost))


def purge(conn: Connection, before: int, at_most: int) -> int:
    """Delete messages from before a moment, whatever became of them; how many there were, at most so many at once."""
    oldest = rows(conn, "SELECT message_no, at FROM webhook_messages ORDER BY message_no LIMIT ?", (at_most,))
    old = [(message_no,) for message_no, at in oldest if at < before]
    execute_many(conn, "DELETE FROM webhook_deliveries WHERE message_no = ?", old)
    execute_many(conn, "DELETE FROM webhook_messages WHERE message_no = ?", old)
    return len(old)

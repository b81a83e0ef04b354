"""SQL of the assessments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import batches, execute, rows

_COLUMNS: Final = (
    "assessment_id",
    "return_id",
    "request_digest",
    "order_no",
    "requested_at",
    "assessed_at",
    "risk",
    "risk_band",
    "action",
    "model_version",
    "policy_version",
    "feature_service",
    "vector",
    "answer",
)


class Stored(NamedTuple):
    """An assessment as it is stored; times in microseconds since 1970 UTC, `vector` as float64 bytes."""

    assessment_id: str
    return_id: str
    request_digest: bytes
    order_no: int
    requested_at: int
    assessed_at: int
    risk: float
    risk_band: str
    action: str
    model_version: str
    policy_version: str
    feature_service: str
    vector: bytes
    answer: bytes


class Seen(NamedTuple):
    """What a stored assessment saw; see `Stored`."""

    return_id: str
    assessed_at: int
    feature_service: str
    vector: bytes


class Stretch(NamedTuple):
    """The assessments of a stretch of time: numbers from `first_no` on, how many, and the moment of the latest."""

    first_no: int
    made: int
    latest: int


class OrderHead(NamedTuple):
    """An order as an assessment needs it."""

    order_no: int
    customer_id: str
    ordered_at: int
    channel: str | None
    country: str | None
    currency: str | None
    email_id: str | None
    address_id: str | None
    payment_id: str | None
    device_id: str | None
    delivered_at: int | None

    def parties(self) -> tuple[tuple[str, str | None], ...]:
        """Whose histories its events belong to: (entity, key)."""
        return (
            ("customer", self.customer_id),
            ("email", self.email_id),
            ("address", self.address_id),
            ("payment", self.payment_id),
            ("device", self.device_id),
        )


class KnownLine(NamedTuple):
    """A line of a return that the ledger has."""

    order_no: int
    line_id: str
    customer_id: str | None
    requested_at: int
    quantity: int
    reason: str
    kind: str
    resolution: str | None
    channel: str | None
    tender: str | None
    proof_of_purchase: int | None


_ANSWER = "SELECT request_digest, answer FROM assessments WHERE return_id = ?"
_STORED = f"SELECT {', '.join(_COLUMNS)} FROM assessments WHERE assessment_id = ?"
_STORE = f"INSERT INTO assessments ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_LATEST = "SELECT assessment_no, assessed_at FROM assessments ORDER BY assessment_no DESC LIMIT 1"
_NEXT = "SELECT assessment_no, assessed_at FROM assessments WHERE assessment_no >= ? ORDER BY assessment_no LIMIT 1"
_COUNT = "SELECT COUNT(*) FROM assessments WHERE assessment_no >= ?"
_ORDER = (
    "SELECT order_no, customer_id, ordered_at, channel, country, currency, email_id, address_id, payment_id, device_id,"
    " (SELECT max(d.delivered_at) FROM deliveries d WHERE d.order_no = o.order_no) FROM orders o WHERE order_id = ?"
)
_LINES = "SELECT line_id, quantity FROM order_lines WHERE order_no = ?"
_RETURN = (
    "SELECT order_no, line_id, customer_id, requested_at, quantity, reason, kind, resolution, channel, tender,"
    " proof_of_purchase FROM returns WHERE return_id = ? ORDER BY return_no"
)
_CUSTOMER = "SELECT 1 FROM orders WHERE customer_id = ? LIMIT 1"
_RAISE = (
    "INSERT INTO watermarks (entity, key, assessed_until) VALUES {} ON CONFLICT (entity, key) DO UPDATE SET"
    " assessed_until = excluded.assessed_until WHERE excluded.assessed_until > watermarks.assessed_until"
)


def answer_of(conn: Connection, return_id: str) -> tuple[bytes, bytes] | None:
    """Request digest and answer of the return's assessment, if it has been assessed."""
    found = rows(conn, _ANSWER, (return_id,))
    return (bytes(found[0][0]), bytes(found[0][1])) if found else None


def find(conn: Connection, assessment_id: str) -> Stored | None:
    """The stored assessment of that id."""
    found = rows(conn, _STORED, (assessment_id,))
    return Stored(*found[0]) if found else None


def latest_stretch(conn: Connection, length: int) -> Stretch:
    """The assessments made in the last `length` microseconds before the latest one.

    They are numbered in the order in which they were made, so their first is found without an index of times.
    """
    last = rows(conn, _LATEST)
    if not last:
        return Stretch(0, 0, 0)
    last_no, latest = last[0]
    low, high = 0, int(last_no)
    while low < high:
        middle = (low + high) // 2
        number, moment = rows(conn, _NEXT, (middle,))[0]
        if moment < latest - length:
            low = number + 1
        else:
            high = middle
    return Stretch(low, int(rows(conn, _COUNT, (low,))[0][0]), int(latest))


def seen_in(conn: Connection, stretch: Stretch, at_most: int) -> Iterator[list[Seen]]:
    """What the assessments of a stretch saw, in batches in the order of their making; of more than `at_most` about that
    many, picked evenly."""
    step = max(1, -(-stretch.made // at_most))
    sql = (
        "SELECT return_id, assessed_at, feature_service, vector FROM assessments"
        f" WHERE assessment_no >= {stretch.first_no} AND assessment_no % {step} = 0 ORDER BY assessment_no"
    )
    for batch in batches(conn, sql, 2_000):
        yield [Seen._make(row) for row in batch]


def store(conn: Connection, assessment: Stored) -> None:
    """Keep an assessment."""
    execute(conn, _STORE, assessment)


def order(conn: Connection, order_id: str) -> OrderHead | None:
    """The order of that id."""
    found = rows(conn, _ORDER, (order_id,))
    return OrderHead(*found[0]) if found else None


def order_id(conn: Connection, order_no: int) -> str:
    """The id of the order of that number."""
    return str(rows(conn, "SELECT order_id FROM orders WHERE order_no = ?", (order_no,))[0][0])


def line_quantities(conn: Connection, order_no: int) -> dict[str, int]:
    """line_id -> pieces bought."""
    return dict(rows(conn, _LINES, (order_no,)))


def known_lines(conn: Connection, return_id: str) -> list[KnownLine]:
    """The lines of the return that the ledger has, from events or ingest."""
    return [KnownLine(*row) for row in rows(conn, _RETURN, (return_id,))]


def has_customer(conn: Connection, customer_id: str) -> bool:
    """Whether the customer has bought anything."""
    return bool(rows(conn, _CUSTOMER, (customer_id,)))


def raise_watermarks(conn: Connection, parties: Iterable[tuple[str, str | None]], moment: int) -> None:
    """Note that the histories of the parties have been read up to `moment`; what is later told of before it counts
    from `moment` on."""
    values: list[Any] = []
    count = 0
    for entity, key in dict.fromkeys(parties):
        if key is not None:
            values += (entity, key, moment)
            count += 1
    execute(conn, _RAISE.format(", ".join(["(?, ?, ?)"] * count)), values)

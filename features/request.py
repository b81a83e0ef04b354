"""The return that is being asked for: what it says of itself, and the keys under which the past is looked up.

One return may cover several lines of an order. Its *main item* is the line with the greatest returned value (the first
by line id among equals): product and category rates are read for that one. Where the lines of a return state different
things, the line that was recorded first speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from features.ledger import vocabulary as words
from features.ledger.sql import batches, rows

_CHUNK = 20_000

#: Join keys of the entities in Feast.
KEYS: Final = (
    "customer_id",
    "email_id",
    "address_id",
    "payment_id",
    "device_id",
    "order_id",
    "sku",
    "category",
    "courier",
    "country",
)


class RequestField(NamedTuple):
    """A value that comes with the request itself."""

    name: str
    text: str


#: What a request brings, in the order of `RequestRow.values`. Vocabulary words are codes, -1 where not given.
FIELDS: Final = (
    RequestField("requested_at", "moment of the request, microseconds since 1970-01-01 UTC"),
    RequestField("request_items", "items to be returned or claimed"),
    RequestField("request_value", "what was paid for them, in 1/100 of the currency"),
    RequestField("request_lines", "lines of the order that the return covers"),
    RequestField("request_main_value", "what was paid for the main item's returned quantity, in 1/100 of the currency"),
    RequestField("request_similar_lines", "lines of the return in the category of the main item"),
    RequestField("request_order_similar_lines", "lines of the order in the category of the main item"),
    RequestField("request_expected_ppm", "returns to expect of these items, per million, when they were bought"),
    RequestField("request_reason_code", "stated reason"),
    RequestField("request_kind_code", "return or claim"),
    RequestField("request_resolution_code", "refund, exchange or store credit"),
    RequestField("request_tender_code", "refund to the original or another tender"),
    RequestField("request_channel_code", "channel of the return"),
    RequestField("request_proof_of_purchase", "1 with proof of purchase, 0 without"),
    RequestField("request_order_channel_code", "channel of the order"),
)
FIELD_NAMES: Final = tuple(field.name for field in FIELDS)


class Line(NamedTuple):
    """A line of the order with how much of it comes back now (0: stays)."""

    line_id: str
    sku: str
    category: str | None
    quantity: int
    value: int
    expected_ppm: int
    returned: int


@dataclass(frozen=True)
class RequestRow:
    """One request as Feast sees it: join keys (ids already hashed) and request values."""

    keys: Mapping[str, str | None]
    order_no: int
    values: tuple[int, ...]

    @property
    def requested_at(self) -> int:
        """Moment of the request in microseconds."""
        return self.values[0]

    def entity_row(self) -> dict[str, Any]:
        """The row to hand to `get_online_features`."""
        return {**self.keys, **dict(zip(FIELD_NAMES, self.values, strict=True))}


@dataclass(frozen=True)
class Stated:
    """What the request says: words of the closed vocabularies, or `None` where not given."""

    requested_at: int
    reason: str
    kind: str
    resolution: str | None = None
    tender: str | None = None
    channel: str | None = None
    proof_of_purchase: bool | None = None


def code(vocabulary: Sequence[str], word: str | None) -> int:
    """Position in a vocabulary, -1 for unknown."""
    return vocabulary.index(word) if word in vocabulary else -1


def summarise(lines: Sequence[Line], stated: Stated, order_channel: str | None) -> tuple[Line, tuple[int, ...]]:
    """The main item, and the values of `FIELDS`. `lines` are all lines of the order; at least one is returned."""
    back = [line for line in lines if line.returned]
    paid = [line.value * line.returned // line.quantity for line in back]
    main_paid, main = paid[0], back[0]
    for value, line in zip(paid, back, strict=True):
        if value > main_paid or (value == main_paid and line.line_id < main.line_id):
            main_paid, main = value, line
    items = expected = 0
    for line in back:
        items += line.returned
        expected += line.returned * line.expected_ppm
    proof = stated.proof_of_purchase
    return main, (
        stated.requested_at,
        items,
        sum(paid),
        len(back),
        main_paid,
        [line.category for line in back].count(main.category),
        [line.category for line in lines].count(main.category),
        expected // items,
        code(words.REASONS, stated.reason),
        code(words.KINDS, stated.kind),
        code(words.RESOLUTIONS, stated.resolution),
        code(words.TENDERS, stated.tender),
        code(words.CHANNELS, stated.channel),
        -1 if proof is None else int(proof),
        code(words.CHANNELS, order_channel),
    )


_ORDER = (
    "SELECT order_no, order_id, customer_id, email_id, address_id, payment_id, device_id, courier, country, channel"
    " FROM orders WHERE order_id = ?"
)
_LINES = (
    "SELECT line_id, sku, category, quantity, value_minor, COALESCE(expected_ppm, 0) FROM order_lines"
    " WHERE order_no = ? ORDER BY line_id"
)


def build_request_row(
    conn: Connection, order_id: str, returned: Mapping[str, int], stated: Stated, customer_id: str | None = None
) -> RequestRow:
    """The row of a return of `returned` (line_id -> quantity) of an order that the ledger has.

    `customer_id` is who returns, if that is not who bought. Raises `LookupError` for an unknown order or line.
    """
    found = rows(conn, _ORDER, (order_id,))
    if not found:
        raise LookupError(f"unknown order {order_id}")
    order_no, order_id, buyer, email, address, payment, device, courier, country, channel = found[0]
    lines = [Line._make((*row, returned.get(row[0], 0))) for row in rows(conn, _LINES, (order_no,))]
    unknown = set(returned) - {line.line_id for line in lines}
    if unknown:
        raise LookupError(f"order {order_id} has no line {min(unknown)}")
    main, values = summarise(lines, stated, channel)
    keys = (customer_id or buyer, email, address, payment, device, order_id, main.sku, main.category, courier, country)
    return RequestRow(dict(zip(KEYS, keys, strict=True)), order_no, values)


_RETURNED = (
    "SELECT r.return_no, r.return_id, r.order_no, r.requested_at, r.line_id, r.quantity, r.reason, r.kind,"
    " r.resolution, r.tender, r.channel, r.proof_of_purchase, COALESCE(r.customer_id, o.customer_id), o.email_id,"
    " o.address_id, o.payment_id, o.device_id, o.order_id, o.courier, o.country, o.channel"
    " FROM returns r JOIN orders o ON o.order_no = r.order_no"
)
_LINES_OF_RETURNS = (
    "SELECT l.order_no, l.line_id, l.sku, l.category, l.quantity, l.value_minor, COALESCE(l.expected_ppm, 0)"
    " FROM order_lines l WHERE l.order_no IN (SELECT order_no FROM returns) ORDER BY l.order_no, l.line_id"
)


def assessed_returns(conn: Connection, until: int | None = None) -> pd.DataFrame:
    """Every return in the ledger as a request at its own moment: the entity frame of the training table.

    One row per return_id, ordered by (event_timestamp, return_id): `return_id`, `KEYS`, `FIELD_NAMES` and
    `event_timestamp` (UTC). `until` leaves out what was requested after that moment (microseconds).
    """
    parts = [_frame(chunk) for chunk in _chunks(_request_records(conn, until), _CHUNK)]
    frame = pd.concat(parts, ignore_index=True) if parts else _frame([])
    frame["event_timestamp"] = pd.to_datetime(frame["requested_at"], unit="us", utc=True)
    return frame.sort_values(["event_timestamp", "return_id"], kind="stable", ignore_index=True)


def _frame(records: list[tuple[Any, ...]]) -> pd.DataFrame:
    """A compact frame of some records: Arrow strings and int64."""
    names = ["return_id", *KEYS, *FIELD_NAMES]
    columns = list(zip(*records, strict=True)) if records else [()] * len(names)
    text = pd.StringDtype("pyarrow")
    data: dict[str, Any] = {
        name: pd.array(column, dtype=text) for name, column in zip(names[:11], columns, strict=False)
    }
    data |= {name: np.array(column, dtype=np.int64) for name, column in zip(names[11:], columns[11:], strict=True)}
    return pd.DataFrame(data)


def _chunks(records: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(records, size)):
        yield chunk


def _request_records(conn: Connection, until: int | None) -> Iterator[tuple[Any, ...]]:
    order_lines = _lines_by_order(conn)
    current: list[tuple[Any, ...]] = []
    current_no = -1
    for (order_no, return_id), group in _grouped_returns(conn, until):
        while current_no < order_no:
            current_no, current = next(order_lines)
        head = group[0]
        returned = {row[4]: row[5] for row in group}
        proof = None if head[11] is None else bool(head[11])
        stated = Stated(head[3], head[6], head[7], head[8], head[9], head[10], proof)
        main, values = summarise(
            [Line._make((*line[1:], returned.get(line[1], 0))) for line in current], stated, head[20]
        )
        customer, email, address, payment, device, order_id, courier, country = head[12:20]
        keys = (customer, email, address, payment, device, order_id, main.sku, main.category, courier, country)
        yield (return_id, *keys, *values)


def _grouped_returns(conn: Connection, until: int | None) -> Iterator[tuple[tuple[int, str], list[tuple[Any, ...]]]]:
    where = "" if until is None else f" WHERE r.requested_at <= {int(until)}"
    stream = (
        row
        for batch in batches(conn, f"{_RETURNED}{where} ORDER BY r.order_no, r.return_id, r.return_no")
        for row in batch
    )
    for key, group in groupby(stream, key=itemgetter(2, 1)):
        yield key, list(group)


def _lines_by_order(conn: Connection) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """Number of each order with its lines: its number, and the fields of `Line` but the last."""
    stream = (row for batch in batches(conn, _LINES_OF_RETURNS) for row in batch)
    for order_no, group in groupby(stream, key=itemgetter(0)):
        yield order_no, list(group)

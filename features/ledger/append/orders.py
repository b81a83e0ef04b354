"""Appending orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.clock import DAY
from features.ledger.append.batch import Batch, shown_time
from features.ledger.append.lookups import ENTITY_COLUMNS, erased_until, insert, select_in, storable, watermarks_of

_CONTENT = (
    "order_id",
    "customer_id",
    "ordered_at",
    "channel",
    "country",
    "currency",
    "email_id",
    "address_id",
    "payment_id",
    "device_id",
    "courier",
)
_COLUMNS = ("order_no", *_CONTENT, "recorded_at", "pooled_at", "digest")


def append_orders(batch: Batch) -> None:
    """Appends orders: none known with other content, none in the future."""
    conn, rows = batch.conn, batch.rows
    contents = [_content(batch, row) for row in rows]
    wanted = storable(dict.fromkeys(content["order_id"] for content in contents))
    known: dict[str, bytes] = {
        order_id: bytes(digest)
        for order_id, digest in select_in(conn, "SELECT order_id, digest FROM orders WHERE order_id IN", wanted)
    }
    next_no, open_day = conn.exec_driver_sql(
        "SELECT coalesce((SELECT max(order_no) FROM orders), 0) + 1, "
        "coalesce((SELECT value FROM ledger_meta WHERE name = 'open_day'), 0)"
    ).one()
    batch.open_day_us = open_day * DAY
    watermarks = _watermarks(batch, contents)
    erased = erased_until(batch, (content["customer_id"] for content in contents))

    accepted = []
    for index, (row, content) in enumerate(zip(rows, contents, strict=True)):
        digest = batch.digest(index, content)
        order_id, ordered_at = content["order_id"], content["ordered_at"]
        if (
            digest is None
            or not batch.is_new(index, "order_id", digest, known.get(order_id))
            or not batch.in_time(index, "ordered_at", ordered_at, row)
        ):
            continue
        if ordered_at <= erased.get(content["customer_id"], -1):
            moment = shown_time(erased[content["customer_id"]])
            batch.refuse(index, "customer_id", f"what was known of this customer was erased at {moment}")
            continue
        watermark = 0
        if watermarks:
            watermark = max(watermarks.get((e, content[c]), 0) for e, c in ENTITY_COLUMNS.items())
        recorded, pooled = batch.times(row, ordered_at, ordered_at, watermark)
        known[order_id] = digest
        accepted.append((next_no, *content.values(), recorded, pooled, digest))
        batch.accept(next_no, recorded)
        next_no += 1
    insert(conn, "orders", _COLUMNS, accepted)


def _content(batch: Batch, row: Mapping[str, Any]) -> dict[str, Any]:
    hasher, get = batch.hasher, row.get
    return {  # in the order of _CONTENT
        "order_id": row["order_id"],
        "customer_id": row["customer_id"],
        "ordered_at": row["ordered_at"],
        "channel": get("channel"),
        "country": get("country"),
        "currency": get("currency"),
        "email_id": hasher.email(get("email_id")),
        "address_id": hasher.address(get("address_id")),
        "payment_id": hasher.payment(get("payment_id")),
        "device_id": hasher.device(get("device_id")),
        "courier": get("courier"),
    }


def _watermarks(batch: Batch, contents: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    if not batch.live:
        return {}
    keys = {(entity, content[column]) for content in contents for entity, column in ENTITY_COLUMNS.items()}
    stored = set(storable(key for _, key in keys if key is not None))
    return watermarks_of(batch.conn, [pair for pair in keys if pair[1] in stored])

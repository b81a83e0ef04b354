"""Appending what belongs to an order: its lines and deliveries."""

from __future__ import annotations

from typing import Any

from features.ledger.append.batch import Batch, shown, shown_time
from features.ledger.append.lookups import insert, orders_of, select_in

_TIMES = ("recorded_at", "pooled_at", "digest")
_LINE_COLUMNS = (
    "order_no",
    "line_id",
    "sku",
    "quantity",
    "unit_price_e4",
    "discount_e4",
    "value_minor",
    "category",
    *_TIMES,
)
_DELIVERY_COLUMNS = ("order_no", "delivered_at", "proof", *_TIMES)


def line_value_minor(quantity: int, unit_price_e4: int, discount_e4: int) -> int:
    """What was paid for a whole line, in 1/100 of the currency, halves rounded up; never below nothing.

    >>> line_value_minor(3, 19_950, 10_000)  # 3 at 1.995, less 1.00
    499
    """
    return max(0, (quantity * unit_price_e4 - discount_e4 + 50) // 100)


def append_order_lines(batch: Batch) -> None:
    """Appends order lines: each of a known order, none known with other content."""
    orders = orders_of(batch)
    known: dict[tuple[int, str], bytes] = {
        (order_no, line_id): bytes(digest)
        for order_no, line_id, digest in select_in(
            batch.conn,
            "SELECT order_no, line_id, digest FROM order_lines WHERE order_no IN",
            (order.order_no for order in orders.values()),
        )
    }
    accepted = []
    for index, row in enumerate(batch.rows):
        order = orders.get(row["order_id"])
        if order is None:
            batch.refuse(index, "order_id", f"unknown order {shown(row['order_id'])}")
            continue
        content: dict[str, Any] = {
            "order_id": order.order_id,
            "line_id": row["line_id"],
            "sku": row["sku"],
            "quantity": row["quantity"],
            "unit_price_e4": row["unit_price_e4"],
            "discount_e4": row.get("discount_e4") or 0,
            "category": row.get("category"),
        }
        digest = batch.digest(index, content)
        key = (order.order_no, content["line_id"])
        if (
            digest is None
            or not batch.is_new(index, "line_id", digest, known.get(key))
            or not batch.in_time(index, "order_id", order.ordered_at, row)
        ):
            continue
        if content["quantity"] < 1:
            batch.refuse(index, "quantity", f"must be at least 1, is {content['quantity']}")
            continue
        recorded, pooled = batch.times(row, order.ordered_at, order.recorded_at, order.watermark_us)
        known[key] = digest
        quantity, price, discount = content["quantity"], content["unit_price_e4"], content["discount_e4"]
        value = line_value_minor(quantity, price, discount)
        accepted.append(
            (*key, content["sku"], quantity, price, discount, value, content["category"], recorded, pooled, digest)
        )
        batch.accept(order.order_no, recorded)
    insert(batch.conn, "order_lines", _LINE_COLUMNS, accepted)


def append_deliveries(batch: Batch) -> None:
    """Appends deliveries: each of a known order and not before it, none known with other content."""
    orders = orders_of(batch)
    known: dict[tuple[int, int], bytes] = {
        (order_no, delivered_at): bytes(digest)
        for order_no, delivered_at, digest in select_in(
            batch.conn,
            "SELECT order_no, delivered_at, digest FROM deliveries WHERE order_no IN",
            (order.order_no for order in orders.values()),
        )
    }
    accepted = []
    for index, row in enumerate(batch.rows):
        order = orders.get(row["order_id"])
        if order is None:
            batch.refuse(index, "order_id", f"unknown order {shown(row['order_id'])}")
            continue
        delivered_at, proof = row["delivered_at"], row.get("proof") or "none"
        digest = batch.digest(index, {"order_id": order.order_id, "delivered_at": delivered_at, "proof": proof})
        key = (order.order_no, delivered_at)
        if (
            digest is None
            or not batch.is_new(index, "delivered_at", digest, known.get(key))
            or not batch.in_time(index, "delivered_at", delivered_at, row)
        ):
            continue
        if delivered_at < order.ordered_at:
            batch.refuse(
                index,
                "delivered_at",
                f"lies before its order {shown(order.order_id)} of {shown_time(order.ordered_at)}",
            )
            continue
        recorded, pooled = batch.times(row, delivered_at, order.recorded_at, order.watermark_us)
        known[key] = digest
        accepted.append((*key, proof, recorded, pooled, digest))
        batch.accept(order.order_no, recorded)
    insert(batch.conn, "deliveries", _DELIVERY_COLUMNS, accepted)

"""Appending returns: never more of a line than was bought, counted over all returns of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from features.ledger.append.batch import Batch, shown, shown_time
from features.ledger.append.lookups import (
    Order,
    erased_until,
    insert,
    orders_of,
    select_in,
    storable,
    watermarks_of,
)

_COLUMNS = (
    "return_id",
    "order_no",
    "line_id",
    "customer_id",
    "requested_at",
    "quantity",
    "reason",
    "kind",
    "resolution",
    "channel",
    "tender",
    "proof_of_purchase",
    "leads",
    "recorded_at",
    "pooled_at",
    "digest",
)


class _Head(NamedTuple):
    """What all lines of a return share."""

    order_no: int
    requested_at: int
    customer_id: str | None


@dataclass(slots=True)
class _Known:
    """What the ledger, and the batch so far, hold about the orders and returns of the batch."""

    bought: dict[tuple[int, str], int] = field(default_factory=dict)  # (order_no, line_id): pieces
    returned: dict[tuple[int, str], int] = field(default_factory=dict)
    digests: dict[tuple[str, str], bytes] = field(default_factory=dict)  # by (return_id, line_id)
    heads: dict[str, _Head] = field(default_factory=dict)  # by return_id


def append_returns(batch: Batch) -> None:
    """Appends lines of returns.

    Each names a known line of a known order, is not before the order, and leaves no more returned than was bought. The
    lines of one return belong to one order, one requester and one moment. The first line of a return `leads` it.
    """
    orders = orders_of(batch)
    known = _known(batch, orders)
    others = _watermarks_of_others(batch, orders)
    erased = erased_until(batch, (row.get("customer_id") for row in batch.rows))
    accepted = []
    for index, row in enumerate(batch.rows):
        order = orders.get(row["order_id"])
        if order is None:
            batch.refuse(index, "order_id", f"unknown order {shown(row['order_id'])}")
            continue
        content = _content(row, order)
        digest = batch.digest(index, content)
        key = (content["return_id"], content["line_id"])
        if (
            digest is None
            or not batch.is_new(index, "return_id", digest, known.digests.get(key))
            or not batch.in_time(index, "requested_at", content["requested_at"], row)
        ):
            continue
        if content["requested_at"] <= erased.get(row.get("customer_id") or "", -1):
            moment = shown_time(erased[row["customer_id"]])
            batch.refuse(index, "customer_id", f"what was known of this customer was erased at {moment}")
            continue
        contradiction = _contradiction(content, order, known.heads.get(key[0]))
        problem = contradiction or _problem(content, order, known)
        if problem is not None:
            batch.refuse(index, *problem, conflict=contradiction is not None)
            continue
        customer_id = content["customer_id"]
        watermark = max(order.watermark_us, others.get(("customer", customer_id or ""), 0))
        recorded, pooled = batch.times(row, content["requested_at"], order.recorded_at, watermark)
        leads = int(key[0] not in known.heads)
        known.digests[key] = digest
        known.heads[key[0]] = _Head(order.order_no, content["requested_at"], customer_id)
        line = (order.order_no, key[1])
        known.returned[line] = known.returned.get(line, 0) + content["quantity"]
        accepted.append(
            (
                key[0],
                *line,
                customer_id,
                content["requested_at"],
                content["quantity"],
                content["reason"],
                content["kind"],
                content["resolution"],
                content["channel"],
                content["tender"],
                content["proof_of_purchase"],
                leads,
                recorded,
                pooled,
                digest,
            )
        )
        batch.accept(order.order_no, recorded)
    insert(batch.conn, "returns", _COLUMNS, accepted)


def _content(row: Mapping[str, Any], order: Order) -> dict[str, Any]:
    get = row.get
    proof, customer_id = get("proof_of_purchase"), get("customer_id")
    return {
        "return_id": row["return_id"],
        "order_id": order.order_id,
        "line_id": row["line_id"],
        "customer_id": None if customer_id == order.customer_id else customer_id,
        "requested_at": row["requested_at"],
        "quantity": row["quantity"],
        "reason": row["reason"],
        "kind": get("kind") or "return",
        "resolution": get("resolution"),
        "channel": get("channel"),
        "tender": get("tender"),
        "proof_of_purchase": None if proof is None else int(proof),
    }


def _problem(content: Mapping[str, Any], order: Order, known: _Known) -> tuple[str, str] | None:
    """The column at fault and why, if the return does not fit what is known."""
    place = f"order {shown(order.order_id)}, line {shown(content['line_id'])}"
    bought = known.bought.get((order.order_no, content["line_id"]))
    if bought is None:
        return "line_id", f"unknown line: {place}"
    if content["requested_at"] < order.ordered_at:
        return "requested_at", f"lies before its order {shown(order.order_id)} of {shown_time(order.ordered_at)}"
    quantity = content["quantity"]
    if quantity < 1:
        return "quantity", f"must be at least 1, is {quantity}"
    returned = known.returned.get((order.order_no, content["line_id"]), 0)
    if returned + quantity > bought:
        return "quantity", f"more returned than bought: {quantity} now and {returned} before, of {bought} ({place})"
    return None


def _contradiction(content: Mapping[str, Any], order: Order, head: _Head | None) -> tuple[str, str] | None:
    """The column at fault and why, if earlier lines of the return are of another order, moment or customer."""
    if head is None:
        return None
    name = f"return {shown(content['return_id'])}"
    if head.order_no != order.order_no:
        return "order_id", f"{name} is known for another order; a return belongs to one order"
    if head.requested_at != content["requested_at"]:
        return "requested_at", f"{name} is known to be of {shown_time(head.requested_at)}; its lines share one time"
    if head.customer_id != content["customer_id"]:
        return "customer_id", f"{name} is known for another customer; its lines share one"
    return None


def _known(batch: Batch, orders: Mapping[str, Order]) -> _Known:
    conn, known = batch.conn, _Known()
    order_nos = [order.order_no for order in orders.values()]
    bought = "SELECT order_no, line_id, quantity FROM order_lines WHERE order_no IN"
    for order_no, line_id, quantity in select_in(conn, bought, order_nos):
        known.bought[order_no, line_id] = quantity
    returned = "SELECT order_no, line_id, sum(quantity) FROM returns WHERE order_no IN"
    for order_no, line_id, quantity in select_in(conn, returned, order_nos, " GROUP BY order_no, line_id"):
        known.returned[order_no, line_id] = int(quantity)
    returns = "SELECT return_id, line_id, order_no, requested_at, customer_id, digest FROM returns WHERE return_id IN"
    wanted = storable({row["return_id"] for row in batch.rows})
    for return_id, line_id, order_no, requested_at, customer_id, digest in select_in(conn, returns, wanted):
        known.digests[return_id, line_id] = bytes(digest)
        known.heads[return_id] = _Head(order_no, requested_at, customer_id)
    return known


def _watermarks_of_others(batch: Batch, orders: Mapping[str, Order]) -> dict[tuple[str, str], int]:
    """Watermarks of those who return what somebody else bought."""
    if not batch.live:
        return {}
    buyers = {order.customer_id for order in orders.values()}
    others: set[str] = {row["customer_id"] for row in batch.rows if row.get("customer_id")} - buyers
    return watermarks_of(batch.conn, [("customer", key) for key in storable(others)]) if others else {}

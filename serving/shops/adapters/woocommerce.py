"""WooCommerce: orders and refunds.

Amounts of lines come without tax; where the shop's prices include it (`prices_include_tax`) it is added again, so that
a price is what the shopper saw.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from serving.shops.reading import Adapter, Mapped, Message, Node, Reading, address, left_out, line_prices

#: Words of a refund's `reason`, which is free text, in lower case; the first that it holds, as whole words, decides.
REASONS: Final = {
    "not received": "not_received",
    "never arrived": "not_received",
    "not arrived": "not_received",
    "missing": "missing_item",
    "wrong size": "size_fit",
    "too small": "size_fit",
    "too large": "size_fit",
    "too big": "size_fit",
    "does not fit": "size_fit",
    "doesn't fit": "size_fit",
    "wrong item": "wrong_item_sent",
    "wrong product": "wrong_item_sent",
    "damaged": "damaged_in_transit",
    "broken": "defective",
    "defective": "defective",
    "faulty": "defective",
    "not as described": "not_as_described",
    "late": "arrived_late",
    "changed mind": "changed_mind",
    "changed their mind": "changed_mind",
    "no longer wanted": "changed_mind",
    "gift": "gift",
}
_CHANNELS: Final = {"checkout": "web", "store-api": "web", "admin": "phone", "pos": "store", "pos-rest-api": "store"}
#: Orders of these states count; the others are not placed yet, or never were.
_PLACED: Final = frozenset(("processing", "on-hold", "completed", "refunded"))
_CLAIMS: Final = frozenset(("not_received", "missing_item"))
_PING: Final = re.compile(rb"webhook_id=\d+")


def read_order(message: Message) -> Reading:
    """An order as it is now; or a refund, where an extension sends refunds under a topic of orders."""
    body = message.body
    if body["amount"].value is not None and body["parent_id"].value not in (None, 0):
        return read_refund(message)
    status = body["status"].text() or ""
    if status not in _PLACED:
        return left_out(f"an order that is {status or 'in no state'}")
    order_id = body["id"].ident()
    reading = _order(message, body, order_id)
    refunds = body["refunds"].items()
    if refunds:
        reading.add(_whole_refund(message, body, order_id, refunds))
    return reading


def read_refund(message: Message) -> Reading:
    """A refund with its lines: what came back."""
    refund = message.body
    refund_id, order_id = refund["id"].ident(), refund["parent_id"].ident()
    reason = _reason(refund["reason"])
    reading = Reading()
    for line in refund["line_items"].items():
        quantity = abs(line["quantity"].count())
        bought = _refunded_line(line)
        if not quantity or bought is None:
            reading.notes.append(f"{line.place}: {'of no line of the order' if quantity else 'money only'}")
            continue
        moment = refund["date_created_gmt"].moment(utc=True)
        reading.events.append(Mapped(_return(message, refund_id, order_id, bought, quantity, reason, moment), False))
    if not reading.events and not reading.notes:
        reading.notes.append("a refund of money only")
    return reading


def _order(message: Message, order: Node, order_id: str) -> Reading:
    with_tax = order["prices_include_tax"].flag()
    lines = [_line(line, with_tax=with_tax) for line in order["line_items"].items() if line["quantity"].count() > 0]
    if not lines:
        return left_out("an order without goods")
    to, billing = order["shipping"], order["billing"]
    to = to if to["country"].text() else billing
    account = order["customer_id"].text()
    event = message.event(
        f"order:{order_id}",
        "order",
        order["date_created_gmt"].moment(utc=True),
        order_id=message.own(order_id),
        customer_id=message.own(account)
        if account not in (None, "0")
        else message.guest(billing["email"].text(), order_id),
        channel=_CHANNELS.get((order["created_via"].text() or "").lower()),
        country=to["country"].text(),
        currency=order["currency"].text(),
        email_id=billing["email"].text(),
        address_id=address(*(to[name].text() for name in ("address_1", "address_2", "postcode", "city", "country"))),
        lines=lines,
    )
    return Reading([Mapped(event)])


def _line(line: Node, *, with_tax: bool) -> dict[str, Any]:
    quantity = line["quantity"].count()
    before, paid = line["subtotal"].amount(), line["total"].amount()
    if with_tax:
        before, paid = before + line["subtotal_tax"].amount(), paid + line["total_tax"].amount()
    variation, product = line["variation_id"].text(), line["product_id"].text()
    sku = line["sku"].text() or (
        f"variation-{variation}" if variation not in (None, "0") else f"product-{product}" if product else "custom"
    )
    return {
        "line_id": line["id"].ident(),
        "sku": sku,
        "quantity": quantity,
        **line_prices(quantity, before, max(Decimal(0), paid)),
    }


def _whole_refund(message: Message, order: Node, order_id: str, refunds: list[Node]) -> Reading:
    """An order names its refunds without their lines: only one that gives all of it back says what came back."""
    refund = refunds[0]
    if len(refunds) > 1 or -refund["total"].amount() < order["total"].amount():
        return left_out("refunds of a part: their lines are in the messages about refunds")
    if order["date_completed_gmt"].value is None:
        return left_out("refunded before it was completed: what was not sent cannot come back")
    refund_id, reason = refund["id"].ident(), _reason(refund["reason"])
    return Reading(
        [
            Mapped(
                _return(message, refund_id, order_id, line["id"].ident(), line["quantity"].count(), reason, None),
                own_time=False,
            )
            for line in order["line_items"].items()
            if line["quantity"].count() > 0
        ]
    )


def _return(
    message: Message, refund_id: str, order_id: str, line_id: str, quantity: int, reason: str, moment: str | None
) -> dict[str, Any]:
    return message.event(
        f"refund:{refund_id}:{line_id}",
        "return",
        moment,
        return_id=message.own(f"refund-{refund_id}"),
        order_id=message.own(order_id),
        line_id=line_id,
        quantity=quantity,
        reason=reason,
        kind="claim" if reason in _CLAIMS else "return",
        resolution="refund",
    )


def _refunded_line(line: Node) -> str | None:
    """The line of the order that a line of a refund is about."""
    for entry in line["meta_data"].items():
        if entry["key"].text() == "_refunded_item_id":
            return entry["value"].text()
    return None


def _reason(node: Node) -> str:
    said = (node.text() or "").casefold()
    return next((reason for words, reason in REASONS.items() if re.search(rf"\b{re.escape(words)}\b", said)), "other")


WOOCOMMERCE: Final = Adapter(
    kind="woocommerce",
    title="WooCommerce",
    signature_header="x-wc-webhook-signature",
    topic_header="x-wc-webhook-topic",
    delivery_header="x-wc-webhook-delivery-id",
    time_header=None,
    makes_secret=True,
    readers={
        "order.created": read_order,
        "order.updated": read_order,
        "order.restored": read_order,
        "order.refunded": read_order,
        "refund.created": read_refund,
    },
    silent={"order.deleted": "what was bought stays what was bought"},
    reasons=REASONS,
    is_ping=lambda body: _PING.fullmatch(body) is not None,
)

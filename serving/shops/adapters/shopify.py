"""Shopify: orders, fulfilments, returns and refunds.

Amounts are those of `shop_money`, in the shop's own currency, whatever the shopper saw; prices are as the shop shows
them, with tax where `taxes_included`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from serving.privacy.asking import Asking, Wish, names_of
from serving.shops.reading import (
    Adapter,
    Mapped,
    Message,
    Node,
    Reading,
    UnreadableError,
    address,
    left_out,
    line_prices,
)

#: `return_reason`, in lower case.
REASONS: Final = {
    "color": "changed_mind",
    "style": "changed_mind",
    "unwanted": "changed_mind",
    "defective": "defective",
    "not_as_described": "not_as_described",
    "size_too_large": "size_fit",
    "size_too_small": "size_fit",
    "wrong_item": "wrong_item_sent",
    "other": "other",
    "unknown": "other",
}
_CHANNELS: Final = {
    "web": "web",
    "pos": "store",
    "iphone": "app",
    "android": "app",
    "shopify_draft_order": "phone",
    "amazon": "marketplace",
    "ebay": "marketplace",
    "facebook": "marketplace",
    "instagram": "marketplace",
    "tiktok": "marketplace",
}
#: Gateways of refunds that give credit instead of money.
_CREDIT: Final = frozenset(("gift_card", "shopify_store_credit", "store_credit"))

_DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9.-]{2,98}", re.ASCII)


def read_order(message: Message) -> Reading:
    """An order as it is now, with what was delivered and refunded of it by now."""
    order = message.body
    if order["test"].flag():
        return left_out("a test order")
    order_id = order["id"].ident()
    reading = _order(message, order, order_id)
    for fulfillment in order["fulfillments"].items():
        reading.events += _delivery(message, fulfillment, order_id, fulfillment["id"].ident())
    for refund in order["refunds"].items():
        reading.add(_refund(message, refund, order_id))
    return reading


def read_fulfillment(message: Message) -> Reading:
    """A fulfilment: counts once its parcel is delivered."""
    fulfillment = message.body
    found = _delivery(message, fulfillment, fulfillment["order_id"].ident(), fulfillment["id"].ident())
    return Reading(found) if found else left_out("not delivered yet")


def read_fulfillment_event(message: Message) -> Reading:
    """What a carrier says of a parcel; the only message that has the time of delivery itself."""
    told = message.body
    if (told["status"].text() or "").lower() != "delivered":
        return left_out("not delivered yet")
    key = f"fulfillment:{told['fulfillment_id'].ident()}"
    order_id = message.own(told["order_id"].ident())
    event = message.event(key, "delivery", told["happened_at"].moment(), order_id=order_id, proof="scan")
    return Reading([Mapped(event, own_time=False)])


def read_return(message: Message) -> Reading:
    """A return that was asked for or approved. The message has no time of its own."""
    asked = message.body
    order_id = message.own(asked["order"]["id"].ident())
    return_id = message.own(asked["id"].ident())
    exchange = bool(asked["exchange_line_items"].items()) or asked["total_exchange_line_items"].value not in (None, 0)
    reading = Reading()
    for line in asked["return_line_items"].items():
        bought = line["fulfillment_line_item"]["line_item"]["id"].text()
        if bought is None:
            reading.notes.append(f"{line.place} is of no line of the order")
            continue
        said = line["return_reason"].text() or line["return_reason_definition"]["handle"].text() or "unknown"
        event = message.event(
            f"return:{asked['id'].ident()}:{bought}",
            "return",
            None,
            return_id=return_id,
            order_id=order_id,
            line_id=bought,
            quantity=line["quantity"].count(),
            reason=REASONS.get(said.lower().replace("-", "_"), "other"),
            kind="return",
            resolution="exchange" if exchange else None,
        )
        reading.events.append(Mapped(event, own_time=False))
    if not reading.events:
        reading.notes.append("no line of the order comes back")
    return reading


def read_refund(message: Message) -> Reading:
    """A refund: where lines came back without a return having been asked for, it is one."""
    return _refund(message, message.body, message.body["order_id"].ident())


def read_data_request(message: Message) -> Reading:
    """A customer asks for their data: shown to a lead, who makes the file on the page of the customer."""
    return _asking(message, "export", "orders_requested")


def read_redact(message: Message) -> Reading:
    """A customer asks to be erased: shown to a lead, who confirms it on the page of the customer."""
    return _asking(message, "erasure", "orders_to_redact")


def read_shop_redact(message: Message) -> Reading:
    """The app was uninstalled, and what came from the shop is to be erased: shown to an administrator."""
    domain = (message.body["shop_domain"].text() or "").lower()
    if not _DOMAIN.fullmatch(domain):
        raise UnreadableError("shop_domain must be a domain")
    return Reading(shop_asks=domain)


def _asking(message: Message, wish: Wish, orders: str) -> Reading:
    """Whom a privacy message is about: the account, and the orders that were made with its e-mail as a guest."""
    customer = message.body["customer"]
    account, email = customer["id"].text(), customer["email"].text()
    order_ids = tuple(message.own(each.ident()) for each in message.body[orders].items())
    names = names_of((message.own(account) if account else None, message.guest(email, "") if email else None))
    if not names and not order_ids:
        raise UnreadableError("customer must have an id or an email")
    return Reading(asked=[Asking(wish, names, order_ids)])


def _order(message: Message, order: Node, order_id: str) -> Reading:
    if order["cancelled_at"].value is not None:
        return left_out("a cancelled order")
    lines = [_line(line) for line in order["line_items"].items() if _is_goods(line)]
    if not lines:
        return left_out("an order without goods")
    to, paid_at = order["shipping_address"], order["billing_address"]
    account = order["customer"]["id"].text()
    email = order["email"].text() or order["contact_email"].text() or order["customer"]["email"].text()
    event = message.event(
        f"order:{order_id}",
        "order",
        order["created_at"].moment(),
        order_id=message.own(order_id),
        customer_id=message.own(account) if account else message.guest(email, order_id),
        channel=_CHANNELS.get((order["source_name"].text() or "").lower()),
        country=to["country_code"].text() or paid_at["country_code"].text(),
        currency=order["currency"].text(),
        email_id=email,
        address_id=address(*(to[name].text() for name in ("address1", "address2", "zip", "city", "country_code"))),
        lines=lines,
    )
    return Reading([Mapped(event)])


def _is_goods(line: Node) -> bool:
    """Not a gift card, nor a tip, which stand among the lines."""
    tip = line["tip_payment_gateway"].value is not None or line["tip"].value is not None
    return not (line["gift_card"].flag() or tip) and line["quantity"].count() > 0


def _line(line: Node) -> dict[str, Any]:
    quantity = line["quantity"].count()
    before = _shop_money(line, "price") * quantity
    off = sum((_shop_money(each, "amount") for each in line["discount_allocations"].items()), Decimal(0))
    variant, product = line["variant_id"].text(), line["product_id"].text()
    sku = line["sku"].text() or (f"variant-{variant}" if variant else f"product-{product}" if product else "custom")
    return {
        "line_id": line["id"].ident(),
        "sku": sku,
        "quantity": quantity,
        **line_prices(quantity, before, max(Decimal(0), before - off)),
    }


def _shop_money(node: Node, name: str) -> Decimal:
    """An amount in the shop's currency; older versions of the API have no sets."""
    in_shop = node[f"{name}_set"]["shop_money"]["amount"]
    return (in_shop if in_shop.value is not None else node[name]).amount()


def _delivery(message: Message, fulfillment: Node, order_id: str, fulfillment_id: str) -> list[Mapped]:
    if (fulfillment["shipment_status"].text() or "").lower() != "delivered":
        return []
    event = message.event(
        f"fulfillment:{fulfillment_id}",
        "delivery",
        fulfillment["updated_at"].moment(),
        order_id=message.own(order_id),
        proof="scan",
    )
    return [Mapped(event, own_time=False)]


def _refund(message: Message, refund: Node, order_id: str) -> Reading:
    if refund["return"].value is not None:
        return left_out("a refund of a return that is known by itself")
    refund_id = refund["id"].ident()
    gateways = {(each["gateway"].text() or "").lower() for each in refund["transactions"].items()}
    credit = bool(gateways) and gateways <= _CREDIT
    reading = Reading()
    for line in refund["refund_line_items"].items():
        why_not = _not_back(line)
        if why_not:
            reading.notes.append(f"{line.place}: {why_not}")
            continue
        bought = line["line_item_id"].ident()
        event = message.event(
            f"refund:{refund_id}:{bought}",
            "return",
            refund["created_at"].moment(),
            return_id=message.own(f"refund-{refund_id}"),
            order_id=message.own(order_id),
            line_id=bought,
            quantity=line["quantity"].count(),
            reason="other",  # Shopify keeps no reason but a note, which may say anything
            kind="return",
            resolution="store_credit" if credit else "refund",
            tender="other" if credit else None,
        )
        reading.events.append(Mapped(event))
    if not reading.events and not reading.notes:
        reading.notes.append("a refund of money only")
    return reading


def _not_back(line: Node) -> str | None:
    """Why a refunded line did not come back, if it did not."""
    if line["line_item"]["gift_card"].flag():
        return "a gift card"
    if line["quantity"].count() < 1:
        return "money only"
    match line["restock_type"].text():
        case "return":
            return None
        case "cancel":
            return "cancelled before it was sent"
        case "no_restock" | "legacy_restock" | None:
            shipped = line["line_item"]["fulfillment_status"].text() in ("fulfilled", "partial")
            return None if shipped else "not known to have been sent"
        case other:
            raise UnreadableError(f"{line.place}.restock_type is {other!r}")


_ORDERS: Final = ("create", "updated", "paid", "fulfilled", "partially_fulfilled")

SHOPIFY: Final = Adapter(
    kind="shopify",
    title="Shopify",
    signature_header="x-shopify-hmac-sha256",
    topic_header="x-shopify-topic",
    delivery_header="x-shopify-webhook-id",
    time_header="x-shopify-triggered-at",
    makes_secret=False,
    readers={
        **{f"orders/{name}": read_order for name in _ORDERS},
        "fulfillments/create": read_fulfillment,
        "fulfillments/update": read_fulfillment,
        "fulfillment_events/create": read_fulfillment_event,
        "returns/request": read_return,
        "returns/approve": read_return,
        "refunds/create": read_refund,
        "customers/data_request": read_data_request,
        "customers/redact": read_redact,
        "shop/redact": read_shop_redact,
    },
    silent={
        "orders/cancelled": "what was not sent cannot come back",
        "returns/cancel": "a return that was asked for stays one that was asked for",
        "returns/decline": "a return that was asked for stays one that was asked for",
        "returns/close": "nothing new",
        "returns/reopen": "nothing new",
        "returns/update": "the return stays as it was asked for",
    },
    reasons=REASONS,
    is_ping=lambda _: False,
)

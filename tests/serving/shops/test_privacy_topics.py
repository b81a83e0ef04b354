"""What Shopify passes on about privacy: nothing is done by a message, and nothing is lost of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.clock import DAY
from features.ledger.identity import KeyHasher
from features.ledger.store import Ledger
from serving.audit.trail import Actor
from serving.clock import now_us
from serving.events.schemas import EventsRequest
from serving.events.service import _digest
from serving.privacy import asking, service
from serving.shops import connections
from serving.shops.adapters.shopify import SHOPIFY
from serving.shops.reading import Message, Node
from tests.support import shops
from tests.support.service import settings_of
from tests.support.shops import Sender, number

LEAD = Actor("staff", "lead-1", "lead", "Lea")


@pytest.fixture(scope="module")
def shop(connect: Callable[..., Sender]) -> Sender:
    return connect("shopify", prefix="de-")


def privacy_message(orders: str, *bought: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """As Shopify documents `customers/data_request` (`orders_requested`) and `customers/redact`."""
    customer = bought[0]["customer"] or {}
    return {
        "shop_id": 954889,
        "shop_domain": "a-shop.myshopify.com",
        "customer": {"id": customer.get("id"), "email": bought[0]["email"], "phone": "555-625-1199"},
        orders: [order["id"] for order in bought],
    } | changes


def redact(*bought: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return privacy_message("orders_to_redact", *bought, **changes)


def open_for(shop: Sender, customer_id: str) -> list[str]:
    ledger = Ledger.open(settings_of(shop.home))
    try:
        with ledger.read() as conn:
            return [each.wish for each in asking.every_open(conn) if each.customer_id == customer_id]
    finally:
        ledger.close()


def bought(shop: Sender, **changes: Any) -> tuple[dict[str, Any], str]:
    order = shops.shopify_order(email=f"{number()}@example.com", **changes)
    shop.send("orders/create", order)
    ((customer_id,),) = shop.query("SELECT customer_id FROM orders WHERE order_id = ?", f"de-{order['id']}")
    return order, customer_id


def erase(home: Path, customer_id: str) -> None:
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.write() as conn:
            plan = service.plan_erasure(conn, ledger.hasher, customer_id, now=now_us())
            service.erase(conn, LEAD, plan, hasher=ledger.hasher, now=now_us())
    finally:
        ledger.close()


def test_a_redaction_waits_for_a_person_and_is_kept_once(shop: Sender) -> None:
    order, customer_id = bought(shop)
    for _ in range(2):
        assert shop.send("customers/redact", redact(order))["asked"] == 1
    assert open_for(shop, customer_id) == ["erasure"]
    assert shop.query("SELECT 1 FROM orders WHERE customer_id = ?", customer_id) == [(1,)]
    kept = shop.query("SELECT content FROM requests_of_people WHERE content LIKE ?", f"%{customer_id}%")
    assert len(kept) == 1
    assert "555" not in kept[0][0]
    assert "@" not in kept[0][0]


def test_an_erasure_meets_it_and_leaves_no_name_behind(shop: Sender) -> None:
    order, customer_id = bought(shop)
    shop.send("customers/redact", redact(order))
    shop.send("customers/data_request", privacy_message("orders_requested", order, data_request={"id": 9999}))
    assert open_for(shop, customer_id) == ["erasure", "export"]
    erase(shop.home, customer_id)
    assert open_for(shop, customer_id) == []
    assert shop.query("SELECT 1 FROM requests_of_people WHERE content LIKE ?", f"%{customer_id}%") == []


def test_an_export_meets_a_data_request_and_no_erasure(shop: Sender) -> None:
    order, customer_id = bought(shop)
    shop.send("customers/redact", redact(order))
    shop.send("customers/data_request", privacy_message("orders_requested", order, data_request={"id": 9999}))
    ledger = Ledger.open(settings_of(shop.home))
    with ledger.write() as conn:
        plan = service.plan_erasure(conn, ledger.hasher, customer_id, now=now_us())
        service.note_export(conn, LEAD, plan.person, {"orders": 1}, now=now_us())
    ledger.close()
    assert open_for(shop, customer_id) == ["erasure"]


def test_a_guest_is_found_by_the_email_and_by_the_orders(shop: Sender) -> None:
    order, customer_id = bought(shop, customer=None)
    by_email = redact(order, orders_to_redact=[])
    by_order = redact(order, customer={"id": 1, "email": None, "phone": None})
    assert shop.send("customers/redact", by_email)["asked"] == 1
    assert shop.send("customers/redact", by_order)["asked"] == 1
    assert open_for(shop, customer_id) == ["erasure"]


def test_whom_nobody_knows_is_told_and_what_waits_for_their_orders_goes(shop: Sender) -> None:
    order = shops.shopify_order(email="nobody@example.com")
    assert shop.send("refunds/create", shops.shopify_refund(order))["waiting"] == 1
    answer = shop.send("customers/redact", redact(order))
    assert (answer["asked"], answer["notes"]) == (0, ["nothing is stored of this customer"])
    assert shop.query("SELECT 1 FROM shop_waiting WHERE order_id = ?", f"de-{order['id']}") == []


def test_it_does_not_reach_the_customers_of_another_shop(shop: Sender, connect: Callable[..., Sender]) -> None:
    order, customer_id = bought(shop)
    other = connect("shopify", prefix="nl-")
    assert other.send("customers/redact", redact(order))["asked"] == 0
    assert open_for(shop, customer_id) == []


@pytest.mark.parametrize(
    "wrong", [{"customer": None, "orders_to_redact": []}, {"customer": 7}, {"orders_to_redact": 7}]
)
def test_one_that_cannot_be_read_is_told(shop: Sender, wrong: dict[str, Any]) -> None:
    order = shops.shopify_order()
    assert "cannot be read" in shop.send("customers/redact", redact(order, **wrong))["notes"][0]


def test_a_shop_that_left_is_shown_to_an_administrator_and_loses_nothing_by_itself(shop: Sender) -> None:
    order, customer_id = bought(shop)
    for _ in range(2):
        answer = shop.send("shop/redact", {"shop_id": 954889, "shop_domain": "a-shop.myshopify.com"})
        assert "an administrator" in answer["notes"][0]
    ledger = Ledger.open(settings_of(shop.home))
    with ledger.read() as conn:
        entry = connections.shop_asks(conn, shop.connection_id)
    ledger.close()
    assert entry is not None
    assert entry.content["domain"] == "a-shop.myshopify.com"
    assert shop.query("SELECT count(*) FROM audit WHERE content LIKE '%redact_asked%'") == [(1,)]
    assert shop.query("SELECT 1 FROM orders WHERE customer_id = ?", customer_id) == [(1,)]
    assert shop.send("orders/create", order)["duplicates"] == 1


def test_an_old_order_that_changes_does_not_bring_an_erased_customer_back(shop: Sender) -> None:
    order, customer_id = bought(shop)
    erase(shop.home, customer_id)
    ledger = Ledger.open(settings_of(shop.home))
    with ledger.write() as conn:  # as after the time for which ids of messages are kept
        conn.exec_driver_sql("DELETE FROM live_events")
    ledger.close()
    answer = shop.send("orders/updated", order)
    assert answer["accepted"] == 0
    assert "from before its customer was erased" in answer["notes"][0]
    assert shop.query("SELECT 1 FROM orders WHERE customer_id = ?", customer_id) == []
    later = shops.shopify_order(customer=order["customer"], created_at="2126-01-01T00:00:00Z")
    assert "before" not in str(shop.send("orders/create", later)["notes"])


@pytest.mark.parametrize("said", ["1960-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "soon"])
def test_a_header_with_a_time_that_cannot_be_is_told(shop: Sender, said: str) -> None:
    answer = shop.send("orders/create", shops.shopify_order(), **{"x-shopify-triggered-at": said})
    assert "cannot be read: x-shopify-triggered-at" in answer["notes"][0]


def test_ids_of_messages_lead_to_nobody_who_was_erased(shop: Sender) -> None:
    order, customer_id = bought(shop)
    erase(shop.home, customer_id)
    event_id = f"{shop.connection_id}:order:{order['id']}"
    ((received_at, kept),) = shop.query("SELECT received_at, digest FROM live_events WHERE event_id = ?", event_id)
    assert received_at % DAY == 0
    assert now_us() - 2 * DAY < received_at <= now_us()
    reading = SHOPIFY.readers["orders/create"](
        Message(shop.connection_id, "de-", 0, Node(order), KeyHasher(b"a key that somebody guesses"))
    )
    guess = EventsRequest.model_validate({"events": [reading.events[0].event]}).events[0]
    assert kept != _digest(guess, KeyHasher(b"a key that somebody guesses").subkey(b"events"))

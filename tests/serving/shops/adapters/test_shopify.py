from __future__ import annotations

from typing import Any

import pytest

from features.ledger.identity import KeyHasher
from serving.fields import money_e4
from serving.shops.adapters.shopify import SHOPIFY
from serving.shops.reading import Message, Node, Reading, UnreadableError
from tests.support.shops import (
    number,
    price_set,
    shopify_fulfillment,
    shopify_fulfillment_event,
    shopify_line,
    shopify_order,
    shopify_refund,
    shopify_return,
    shopify_return_line,
)

HASHER = KeyHasher(b"a key for tests")
SENT = 1_780_000_000_000_000


def read(topic: str, message: Any) -> Reading:
    return SHOPIFY.readers[topic](Message("c", "", SENT, Node(message), HASHER))


def events(topic: str, message: Any) -> list[dict[str, Any]]:
    return [mapped.event for mapped in read(topic, message).events]


def order(**changes: Any) -> dict[str, Any]:
    (event,) = events("orders/create", shopify_order(**changes))
    return event


def value_e4(line: dict[str, Any]) -> int:
    return line["quantity"] * money_e4(line["unit_price"]) - money_e4(line["discount"])


class TestOrders:
    def test_every_field_has_its_place(self) -> None:
        message = shopify_order()
        (event,) = events("orders/updated", message)
        assert event == {
            "event_id": f"c:order:{message['id']}",
            "type": "order",
            "occurred_at": "2026-05-04T07:14:43Z",
            "order_id": str(message["id"]),
            "customer_id": str(message["customer"]["id"]),
            "channel": "web",
            "country": "DE",
            "currency": "EUR",
            "email_id": "ann@example.com",
            "address_id": "main street 1|53111|bonn|de",
            "lines": [
                {
                    "line_id": str(message["line_items"][0]["id"]),
                    "sku": "SHIRT-M",
                    "quantity": 2,
                    "unit_price": "39.9500",
                    "discount": "7.9900",
                }
            ],
        }

    def test_amounts_are_those_of_the_shop_whatever_the_shopper_saw(self) -> None:
        line = shopify_line(
            price="39.95",
            price_set=price_set("39.95", "43.12", shown_in="USD"),
            discount_allocations=[{"amount": "4.31", "amount_set": price_set("4.00", "4.31", shown_in="USD")}],
        )
        event = order(line_items=[line], presentment_currency="USD")
        assert event["currency"] == "EUR"
        assert value_e4(event["lines"][0]) == 759_000

    def test_without_sets_the_plain_amounts_count(self) -> None:
        line = shopify_line(price="10.00", discount_allocations=[{"amount": "1.50"}])
        del line["price_set"]
        assert value_e4(order(line_items=[line])["lines"][0]) == 185_000

    def test_discounts_of_the_line_and_of_the_order_both_count_and_never_below_nothing(self) -> None:
        allocations = [{"amount": "50.00", "amount_set": price_set("50.00")}] * 2
        assert value_e4(order(line_items=[shopify_line(discount_allocations=allocations)])["lines"][0]) == 0

    def test_gift_cards_and_tips_are_no_goods(self) -> None:
        goods = shopify_line()
        others = [shopify_line(gift_card=True), shopify_line(title="Tip", product_id=None, tip_payment_gateway="card")]
        assert [line["line_id"] for line in order(line_items=[others[0], goods, others[1]])["lines"]] == [
            str(goods["id"])
        ]
        reading = read("orders/create", shopify_order(line_items=others))
        assert (reading.events, reading.notes) == ([], ["an order without goods"])

    @pytest.mark.parametrize(
        ("changes", "sku"),
        [
            ({"sku": " "}, "variant-8001"),
            ({"sku": None, "variant_id": None}, "product-7001"),
            ({"sku": "", "variant_id": None, "product_id": None}, "custom"),
        ],
    )
    def test_a_line_without_a_sku_still_has_a_product(self, changes: dict[str, Any], sku: str) -> None:
        assert order(line_items=[shopify_line(**changes)])["lines"][0]["sku"] == sku

    def test_a_guest_is_the_hash_of_the_email_and_without_one_the_order(self) -> None:
        known = order(customer=None, email="Ann@Example.com ", contact_email=None)["customer_id"]
        assert known == order(customer=None, email=None, contact_email="ann@example.com")["customer_id"]
        assert known == f"guest-{HASHER.email('ann@example.com')}"
        unknown = order(customer=None, email=None, contact_email=None)
        assert unknown["customer_id"] == f"guest-of-{unknown['order_id']}"
        assert "email_id" not in unknown

    @pytest.mark.parametrize(
        ("changes", "note"), [({"test": True}, "test"), ({"cancelled_at": "2026-05-05T00:00:00Z"}, "cancelled")]
    )
    def test_what_is_none_is_left_out(self, changes: dict[str, Any], note: str) -> None:
        reading = read("orders/create", shopify_order(**changes))
        assert reading.events == []
        assert note in reading.notes[0]

    def test_an_order_from_a_till_has_no_address(self) -> None:
        event = order(source_name="pos", shipping_address=None, billing_address=None)
        assert event["channel"] == "store"
        assert not {"country", "address_id"} & event.keys()

    def test_it_brings_what_was_delivered_and_refunded_by_now(self) -> None:
        message = shopify_order()
        message["fulfillments"] = [shopify_fulfillment(message), shopify_fulfillment(message, shipment_status=None)]
        message["refunds"] = [shopify_refund(message)]
        assert [event["type"] for event in events("orders/updated", message)] == ["order", "delivery", "return"]


class TestDeliveries:
    def test_a_parcel_counts_when_it_is_delivered(self) -> None:
        message = shopify_order()
        for status in (None, "in_transit", "out_for_delivery", "failure"):
            assert events("fulfillments/update", shopify_fulfillment(message, shipment_status=status)) == []
        (event,) = events("fulfillments/update", shopify_fulfillment(message))
        assert (event["type"], event["occurred_at"], event["proof"]) == ("delivery", "2026-05-07T12:20:00Z", "scan")

    def test_every_message_about_a_parcel_is_about_the_same_event(self) -> None:
        message = shopify_order()
        fulfillment = shopify_fulfillment(message)
        told = shopify_fulfillment_event(message, fulfillment_id=fulfillment["id"])
        readings = [read("fulfillments/update", fulfillment), read("fulfillment_events/create", told)]
        readings.append(read("fulfillments/update", fulfillment | {"updated_at": "2026-06-01T00:00:00Z"}))
        mapped = [reading.events[0] for reading in readings]
        assert len({each.event["event_id"] for each in mapped}) == 1
        assert not any(each.own_time for each in mapped)
        assert mapped[1].event["occurred_at"] == "2026-05-07T12:05:00Z"

    def test_other_events_of_a_parcel_say_nothing(self) -> None:
        assert (
            events("fulfillment_events/create", shopify_fulfillment_event(shopify_order(), status="in_transit")) == []
        )


class TestReturns:
    def test_lines_share_the_return_and_the_moment_of_the_message(self) -> None:
        message = shopify_order(line_items=[shopify_line(), shopify_line()])
        returned = shopify_return(message)
        found = read("returns/request", returned).events
        assert [each.event["line_id"] for each in found] == [str(line["id"]) for line in message["line_items"]]
        assert {each.event["return_id"] for each in found} == {str(returned["id"])}
        assert {each.event["occurred_at"] for each in found} == {"2026-05-28T20:26:40.000000Z"}
        assert not any(each.own_time for each in found)

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ("size_too_small", "size_fit"),
            ("SIZE_TOO_LARGE", "size_fit"),
            ("unwanted", "changed_mind"),
            ("color", "changed_mind"),
            ("defective", "defective"),
            ("wrong_item", "wrong_item_sent"),
            ("not_as_described", "not_as_described"),
            ("unknown", "other"),
            ("something of 2030", "other"),
            (None, "other"),
        ],
    )
    def test_reasons(self, said: str | None, reason: str) -> None:
        message = shopify_order()
        line = shopify_return_line(message["line_items"][0], return_reason=said)
        (event,) = events("returns/approve", shopify_return(message, return_line_items=[line]))
        assert (event["reason"], event["kind"]) == (reason, "return")

    def test_newer_reasons_are_read_by_their_handle(self) -> None:
        message = shopify_order()
        line = shopify_return_line(
            message["line_items"][0], return_reason=None, return_reason_definition={"handle": "size-too-small"}
        )
        assert events("returns/request", shopify_return(message, return_line_items=[line]))[0]["reason"] == "size_fit"

    def test_an_exchange_is_one(self) -> None:
        message = shopify_order()
        plain = events("returns/request", shopify_return(message))[0]
        exchanged = shopify_return(message, exchange_line_items=[{"id": number(), "line_item": None}])
        assert "resolution" not in plain
        assert events("returns/request", exchanged)[0]["resolution"] == "exchange"

    def test_a_line_that_was_never_sent_is_left_out(self) -> None:
        message = shopify_order()
        line = shopify_return_line(message["line_items"][0], fulfillment_line_item=None)
        reading = read("returns/request", shopify_return(message, return_line_items=[line]))
        assert reading.events == []
        assert "of no line" in reading.notes[0]


class TestRefunds:
    def refund(self, *, gateway: str = "shopify_payments", status: str | None = "fulfilled", **line: Any) -> Reading:
        message = shopify_order()
        refund = shopify_refund(message)
        refund["refund_line_items"][0] |= line
        refund["refund_line_items"][0]["line_item"] |= {"fulfillment_status": status}
        refund["transactions"][0]["gateway"] = gateway
        return read("refunds/create", refund)

    def test_goods_that_came_back_are_a_return(self) -> None:
        (mapped,) = self.refund().events
        assert mapped.own_time
        assert mapped.event["occurred_at"] == "2026-05-20T08:00:00Z"
        assert {
            "reason": "other",
            "kind": "return",
            "resolution": "refund",
            "quantity": 1,
        }.items() <= mapped.event.items()

    @pytest.mark.parametrize(
        ("restock", "status", "returned"),
        [
            ("return", "fulfilled", True),
            ("no_restock", "fulfilled", True),
            ("no_restock", "partial", True),
            ("legacy_restock", "fulfilled", True),
            ("no_restock", None, False),
            ("cancel", None, False),
            ("cancel", "fulfilled", False),
        ],
    )
    def test_what_was_never_sent_did_not_come_back(self, restock: str, status: str | None, returned: bool) -> None:
        reading = self.refund(restock_type=restock, status=status)
        assert bool(reading.events) is returned
        assert bool(reading.notes) is not returned

    def test_money_only_is_no_return(self) -> None:
        message = shopify_order()
        goodwill = shopify_refund(message, refund_line_items=[], order_adjustments=[{"id": 1, "amount": "-5.00"}])
        reading = read("refunds/create", goodwill)
        assert (reading.events, reading.notes) == ([], ["a refund of money only"])
        assert self.refund(quantity=0).events == []

    def test_of_a_return_that_is_known_by_itself_nothing_is_made(self) -> None:
        message = shopify_order()
        assert read("refunds/create", shopify_refund(message, **{"return": {"id": number()}})).events == []

    def test_credit_is_told_from_money(self) -> None:
        (mapped,) = self.refund(gateway="gift_card").events
        assert (mapped.event["resolution"], mapped.event["tender"]) == ("store_credit", "other")

    def test_a_word_that_is_new_is_told(self) -> None:
        with pytest.raises(UnreadableError, match=r"refund_line_items\[0\]\.restock_type is 'teleport'"):
            self.refund(restock_type="teleport")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_is_none_in_utc_is_told(moment: str) -> None:
    with pytest.raises(UnreadableError, match="created_at must be a time"):
        order(created_at=moment)

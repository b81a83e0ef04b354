from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from features.ledger.identity import KeyHasher
from serving.fields import money_e4
from serving.shops.adapters.woocommerce import WOOCOMMERCE
from serving.shops.reading import Message, Node, Reading, UnreadableError
from tests.support.shops import Sender, woo_line, woo_order, woo_refund

HASHER = KeyHasher(b"a key for tests")


def read(topic: str, message: Any) -> Reading:
    return WOOCOMMERCE.readers[topic](Message("c", "", 1_780_000_000_000_000, Node(message), HASHER))


def events(topic: str, message: Any) -> list[dict[str, Any]]:
    return [mapped.event for mapped in read(topic, message).events]


def value_e4(line: dict[str, Any]) -> int:
    return line["quantity"] * money_e4(line["unit_price"]) - money_e4(line["discount"])


class TestOrders:
    def test_every_field_has_its_place(self) -> None:
        message = woo_order()
        (event,) = events("order.created", message)
        assert event == {
            "event_id": f"c:order:{message['id']}",
            "type": "order",
            "occurred_at": "2026-05-04T07:14:43Z",
            "order_id": str(message["id"]),
            "customer_id": "26",
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

    def test_prices_are_with_tax_where_the_shop_shows_them_so(self) -> None:
        (with_tax,) = events("order.created", woo_order())
        (without,) = events("order.created", woo_order(prices_include_tax=False))
        assert value_e4(with_tax["lines"][0]) == 719_100
        assert value_e4(without["lines"][0]) == 604_300

    def test_what_was_paid_comes_out_exactly_where_pieces_do_not_divide(self) -> None:
        line = woo_line(quantity=3, subtotal="10.00", subtotal_tax="0", total="10.00", total_tax="0")
        (event,) = events("order.created", woo_order(line_items=[line]))
        assert value_e4(event["lines"][0]) in (99_999, 100_000)

    @pytest.mark.parametrize("status", ["pending", "failed", "cancelled", "checkout-draft", "trash", ""])
    def test_an_order_counts_once_it_is_placed(self, status: str) -> None:
        reading = read("order.updated", woo_order(status=status))
        assert reading.events == []
        assert len(reading.notes) == 1

    def test_a_guest_has_the_customer_number_nought(self) -> None:
        (event,) = events("order.created", woo_order(customer_id=0))
        assert event["customer_id"] == f"guest-{HASHER.email('ann@example.com')}"

    def test_without_a_delivery_address_the_billing_address_counts(self) -> None:
        message = woo_order()
        message["shipping"] = dict.fromkeys(message["shipping"], "")
        (event,) = events("order.created", message)
        assert (event["country"], event["address_id"]) == ("DE", "main street 1|53111|bonn|de")

    @pytest.mark.parametrize(
        ("changes", "sku"),
        [
            ({"sku": ""}, "product-93"),
            ({"sku": "", "variation_id": 7}, "variation-7"),
            ({"sku": None, "product_id": None}, "custom"),
        ],
    )
    def test_a_line_without_a_sku_still_has_a_product(self, changes: dict[str, Any], sku: str) -> None:
        (event,) = events("order.created", woo_order(line_items=[woo_line(**changes)]))
        assert event["lines"][0]["sku"] == sku

    def test_a_time_without_a_zone_is_utc(self) -> None:
        (event,) = events("order.created", woo_order(date_created_gmt="2026-01-01T00:00:00"))
        assert event["occurred_at"] == "2026-01-01T00:00:00Z"


class TestRefunds:
    @pytest.mark.parametrize(
        ("said", "reason", "kind"),
        [
            ("Too small", "size_fit", "return"),
            ("Parcel not received", "not_received", "claim"),
            ("one sock MISSING", "missing_item", "claim"),
            ("arrived damaged", "damaged_in_transit", "return"),
            ("I don't know", "other", "return"),
            ("the chocolate had melted", "other", "return"),
            ("came too late", "arrived_late", "return"),
            ("", "other", "return"),
            (None, "other", "return"),
        ],
    )
    def test_reasons(self, said: str | None, reason: str, kind: str) -> None:
        (event,) = events("refund.created", woo_refund(woo_order(), reason=said))
        assert (event["reason"], event["kind"], event["quantity"]) == (reason, kind, 1)
        assert event["occurred_at"] == "2026-05-20T08:00:00Z"

    def test_a_refund_under_a_topic_of_orders_is_read_as_one(self) -> None:
        message = woo_order()
        (event,) = events("order.refunded", woo_refund(message))
        assert (event["type"], event["order_id"]) == ("return", str(message["id"]))

    def test_money_only_is_no_return(self) -> None:
        message = woo_order()
        assert read("refund.created", woo_refund(message, line_items=[])).notes == ["a refund of money only"]
        refund = woo_refund(message)
        refund["line_items"][0]["quantity"] = 0
        assert read("refund.created", refund).events == []

    def test_a_line_of_nothing_is_left_out(self) -> None:
        refund = woo_refund(woo_order())
        refund["line_items"][0]["meta_data"] = []
        assert "of no line" in read("refund.created", refund).notes[0]

    def test_an_order_refunded_as_a_whole_came_back(self) -> None:
        message = woo_order(status="refunded", date_completed_gmt="2026-05-08T00:00:00")
        message["refunds"] = [{"id": 77, "reason": "too big", "total": "-76.90"}]
        order, returned = events("order.updated", message)
        assert order["type"] == "order"
        assert (returned["return_id"], returned["quantity"], returned["reason"]) == ("refund-77", 2, "size_fit")

    @pytest.mark.parametrize(
        ("completed", "totals"),
        [(None, ["-76.90"]), ("2026-05-08T00:00:00", ["-10.00"]), ("2026-05-08T00:00:00", ["-38.45", "-38.45"])],
    )
    def test_otherwise_an_order_does_not_say_what_came_back(self, completed: str | None, totals: list[str]) -> None:
        refunds = [{"id": 77 + i, "reason": "", "total": total} for i, total in enumerate(totals)]
        reading = read("order.updated", woo_order(date_completed_gmt=completed, refunds=refunds))
        assert [mapped.event["type"] for mapped in reading.events] == ["order"]
        assert len(reading.notes) == 1

    def test_both_messages_about_a_whole_refund_are_about_one_return(self, connect: Callable[..., Sender]) -> None:
        shop = connect("woocommerce")
        message = woo_order(status="refunded", date_completed_gmt="2026-05-08T00:00:00")
        refund = woo_refund(message)
        refund["line_items"][0]["quantity"] = -2
        message["refunds"] = [{"id": refund["id"], "reason": refund["reason"], "total": "-76.90"}]
        assert shop.send("refund.created", refund)["waiting"] == 1
        answer = shop.send("order.updated", message)
        assert (answer["accepted"], answer["duplicates"]) == (2, 1)


class TestPing:
    def test_trying_the_address_out_is_answered(self, connect: Callable[..., Sender]) -> None:
        shop = connect("woocommerce")
        form = {"content-type": "application/x-www-form-urlencoded"}
        response = shop.post(b"webhook_id=7", form)
        assert (response.status_code, response.json()["notes"]) == (200, ["the address answers"])
        assert shop.post(b"webhook_id=7&x=1", form).status_code == 401
        assert connect("shopify").post(b"webhook_id=7", form).status_code == 401


def test_half_a_piece_cannot_be_read() -> None:
    with pytest.raises(UnreadableError, match=r"line_items\[0\]\.quantity must be a whole number"):
        read("order.created", woo_order(line_items=[woo_line(quantity=0.5)]))

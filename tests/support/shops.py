"""Messages as shops send them: the documented structure and field names, made-up content."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from features.ledger.sql import rows
from features.ledger.store import Ledger
from serving.shops.adapters import ADAPTERS
from tests.support.service import settings_of

_numbers = itertools.count(5_000_000_001)


def number() -> int:
    """An id of its own."""
    return next(_numbers)


def signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def encode(message: Any) -> bytes:
    return json.dumps(message).encode()


SECRET = "a secret of the shop, long enough"


@dataclass
class Sender:
    """One connected shop."""

    client: httpx.Client
    home: Path
    kind: str
    connection_id: str
    secret: str = SECRET

    def headers(self, topic: str, body: bytes, **changes: str) -> dict[str, str]:
        adapter = ADAPTERS[self.kind]
        return {
            "content-type": "application/json",
            adapter.signature_header: signature(self.secret, body),
            adapter.topic_header: topic,
            adapter.delivery_header: f"delivery-{number()}",
        } | changes

    def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.client.post(f"/v1/shops/{self.connection_id}", content=body, headers=headers)

    def send(self, topic: str, message: Any, **changes: str) -> dict[str, Any]:
        """The answer to a message that must be taken."""
        body = encode(message)
        response = self.post(body, self.headers(topic, body, **changes))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        ledger = Ledger.open(settings_of(self.home))
        try:
            with ledger.read() as conn:
                return rows(conn, sql, parameters)
        finally:
            ledger.close()


def price_set(amount: str, shown: str | None = None, currency: str = "EUR", shown_in: str = "EUR") -> dict[str, Any]:
    return {
        "shop_money": {"amount": amount, "currency_code": currency},
        "presentment_money": {"amount": shown or amount, "currency_code": shown_in},
    }


def shopify_line(**changes: Any) -> dict[str, Any]:
    line_id = number()
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "current_quantity": 2,
        "fulfillable_quantity": 2,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": 300,
        "name": "Linen shirt - M",
        "price": "39.95",
        "price_set": price_set("39.95"),
        "product_exists": True,
        "product_id": 7001,
        "properties": [],
        "quantity": 2,
        "requires_shipping": True,
        "sku": "SHIRT-M",
        "taxable": True,
        "title": "Linen shirt",
        "total_discount": "0.00",
        "total_discount_set": price_set("0.00"),
        "variant_id": 8001,
        "variant_title": "M",
        "vendor": "Weavers",
        "tax_lines": [{"price": "12.76", "price_set": price_set("12.76"), "rate": 0.19, "title": "VAT"}],
        "duties": [],
        "discount_allocations": [{"amount": "7.99", "amount_set": price_set("7.99"), "discount_application_index": 0}],
    } | changes


def shopify_address(**changes: Any) -> dict[str, Any]:
    return {
        "first_name": "Ann",
        "last_name": "Example",
        "name": "Ann Example",
        "company": None,
        "address1": "Main Street 1",
        "address2": None,
        "zip": "53111",
        "city": "Bonn",
        "province": None,
        "province_code": None,
        "country": "Germany",
        "country_code": "DE",
        "phone": None,
        "latitude": None,
        "longitude": None,
    } | changes


def shopify_order(**changes: Any) -> dict[str, Any]:
    order_id, customer_id = number(), number()
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "app_id": 580111,
        "browser_ip": "192.0.2.7",
        "buyer_accepts_marketing": False,
        "cancel_reason": None,
        "cancelled_at": None,
        "client_details": {"browser_ip": "192.0.2.7", "user_agent": "Browser/1.0"},
        "closed_at": None,
        "confirmed": True,
        "contact_email": "ann@example.com",
        "created_at": "2026-05-04T09:14:43+02:00",
        "currency": "EUR",
        "presentment_currency": "EUR",
        "current_total_price": "76.90",
        "email": "ann@example.com",
        "financial_status": "paid",
        "fulfillment_status": None,
        "name": "#1001",
        "note": None,
        "number": 1,
        "order_number": 1001,
        "payment_gateway_names": ["shopify_payments"],
        "phone": None,
        "processed_at": "2026-05-04T09:14:42+02:00",
        "source_name": "web",
        "subtotal_price": "71.91",
        "tags": "",
        "tax_lines": [],
        "taxes_included": True,
        "test": False,
        "total_discounts": "7.99",
        "total_line_items_price": "79.90",
        "total_price": "76.90",
        "total_tip_received": "0.00",
        "updated_at": "2026-05-04T09:14:47+02:00",
        "user_id": None,
        "billing_address": shopify_address(),
        "customer": {
            "id": customer_id,
            "email": "ann@example.com",
            "first_name": "Ann",
            "last_name": "Example",
            "admin_graphql_api_id": f"gid://shopify/Customer/{customer_id}",
        },
        "discount_applications": [
            {"type": "discount_code", "code": "SPRING", "value": "10.0", "value_type": "percentage"}
        ],
        "fulfillments": [],
        "line_items": [shopify_line()],
        "payment_terms": None,
        "refunds": [],
        "shipping_address": shopify_address(),
        "shipping_lines": [{"id": number(), "code": "Standard", "price": "4.99", "price_set": price_set("4.99")}],
    } | changes


def shopify_fulfillment(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    fulfillment_id = number()
    return {
        "id": fulfillment_id,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{fulfillment_id}",
        "order_id": order["id"],
        "status": "success",
        "created_at": "2026-05-05T08:00:00+02:00",
        "updated_at": "2026-05-07T14:20:00+02:00",
        "service": "manual",
        "tracking_company": "Parcel Co",
        "tracking_number": "1Z",
        "shipment_status": "delivered",
        "location_id": 1,
        "line_items": order["line_items"],
        "name": "#1001.1",
    } | changes


def shopify_fulfillment_event(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": number(),
        "fulfillment_id": number(),
        "order_id": order["id"],
        "shop_id": 1,
        "status": "delivered",
        "message": None,
        "happened_at": "2026-05-07T14:05:00+02:00",
        "created_at": "2026-05-07T14:21:00+02:00",
        "updated_at": "2026-05-07T14:21:00+02:00",
        "country": "DE",
    } | changes


def shopify_return(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return_id = number()
    return {
        "id": return_id,
        "admin_graphql_api_id": f"gid://shopify/Return/{return_id}",
        "status": "requested",
        "order": {"id": order["id"], "admin_graphql_api_id": order["admin_graphql_api_id"]},
        "total_return_line_items": len(order["line_items"]),
        "name": "#1001-R1",
        "return_line_items": [shopify_return_line(line) for line in order["line_items"]],
        "return_shipping_fees": [],
        "exchange_line_items": [],
        "total_exchange_line_items": 0,
    } | changes


def shopify_return_line(line: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": number(),
        "admin_graphql_api_id": f"gid://shopify/ReturnLineItem/{line['id']}",
        "fulfillment_line_item": {
            "id": number(),
            "line_item": {"id": line["id"], "admin_graphql_api_id": line["admin_graphql_api_id"]},
        },
        "quantity": 1,
        "return_reason": "size_too_small",
        "return_reason_note": "",
        "customer_note": "too tight, please call me",
    } | changes


def shopify_refund(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    refund_id = number()
    return {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "order_id": order["id"],
        "created_at": "2026-05-20T10:00:00+02:00",
        "processed_at": "2026-05-20T10:00:00+02:00",
        "note": "called by phone",
        "restock": True,
        "return": None,
        "duties": [],
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "user_id": 5,
        "refund_line_items": [
            {
                "id": number(),
                "line_item_id": line["id"],
                "location_id": 1,
                "quantity": 1,
                "restock_type": "return",
                "subtotal": 35.96,
                "subtotal_set": price_set("35.96"),
                "total_tax": 0.0,
                "line_item": line | {"fulfillment_status": "fulfilled"},
            }
            for line in order["line_items"]
        ],
        "transactions": [
            {"id": number(), "kind": "refund", "gateway": "shopify_payments", "amount": "35.96", "currency": "EUR"}
        ],
    } | changes


def woo_line(**changes: Any) -> dict[str, Any]:
    return {
        "id": number() % 100_000,
        "name": "Linen shirt",
        "product_id": 93,
        "variation_id": 0,
        "quantity": 2,
        "tax_class": "",
        "subtotal": "67.14",
        "subtotal_tax": "12.76",
        "total": "60.43",
        "total_tax": "11.48",
        "taxes": [{"id": 1, "total": "11.48", "subtotal": "12.76"}],
        "meta_data": [],
        "sku": "SHIRT-M",
        "price": 30.215,
    } | changes


def woo_order(**changes: Any) -> dict[str, Any]:
    order_id = number() % 1_000_000
    person = {
        "first_name": "Ann",
        "last_name": "Example",
        "company": "",
        "address_1": "Main Street 1",
        "address_2": "",
        "city": "Bonn",
        "state": "",
        "postcode": "53111",
        "country": "DE",
    }
    return {
        "id": order_id,
        "parent_id": 0,
        "number": str(order_id),
        "order_key": "wc_order_abc",
        "created_via": "checkout",
        "version": "9.4.0",
        "status": "processing",
        "currency": "EUR",
        "date_created": "2026-05-04T09:14:43",
        "date_created_gmt": "2026-05-04T07:14:43",
        "date_modified": "2026-05-04T09:14:45",
        "date_modified_gmt": "2026-05-04T07:14:45",
        "date_paid_gmt": "2026-05-04T07:14:45",
        "date_completed_gmt": None,
        "discount_total": "6.71",
        "discount_tax": "1.28",
        "shipping_total": "4.19",
        "shipping_tax": "0.80",
        "cart_tax": "11.48",
        "total": "76.90",
        "total_tax": "12.28",
        "prices_include_tax": True,
        "customer_id": 26,
        "customer_ip_address": "192.0.2.7",
        "customer_user_agent": "Browser/1.0",
        "customer_note": "",
        "billing": person | {"email": "ann@example.com", "phone": "555"},
        "shipping": person,
        "payment_method": "stripe",
        "payment_method_title": "Card",
        "transaction_id": "ch_1",
        "cart_hash": "x",
        "meta_data": [],
        "line_items": [woo_line()],
        "tax_lines": [],
        "shipping_lines": [{"id": 5, "method_title": "Standard", "total": "4.19", "total_tax": "0.80"}],
        "fee_lines": [],
        "coupon_lines": [{"id": 6, "code": "spring", "discount": "6.71", "discount_tax": "1.28"}],
        "refunds": [],
    } | changes


def woo_refund(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": number() % 1_000_000,
        "parent_id": order["id"],
        "date_created": "2026-05-20T10:00:00",
        "date_created_gmt": "2026-05-20T08:00:00",
        "amount": "35.96",
        "reason": "Too small, sorry",
        "refunded_by": 1,
        "refunded_payment": True,
        "meta_data": [],
        "line_items": [
            woo_line(
                quantity=-1,
                subtotal="-33.57",
                total="-30.22",
                total_tax="-5.74",
                meta_data=[{"id": 9, "key": "_refunded_item_id", "value": str(line["id"])}],
            )
            for line in order["line_items"]
        ],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
    } | changes

"""The pages of connections: webhook endpoints, shops and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.app import create_app
from serving.audit import trail
from serving.clock import now_us
from serving.hooks import outbox
from serving.hooks.types import TYPES
from serving.settings import ServingSettings
from tests.support.console import Console, SignedIn, words
from tests.support.receiver import Receiver, receiver
from tests.support.service import bearer, make_key, running, settings_of
from tests.support.shops import SECRET, Sender, shopify_order, woo_order


@pytest.fixture(scope="module")
def console(shared_home: Path) -> Iterator[Console]:
    """A service that may send webhooks to this machine."""
    serving = ServingSettings(model_poll_seconds=600, webhook_private_addresses=True, webhook_poll_seconds=0.05)
    with running(create_app(settings_of(shared_home), serving)) as client:
        console = Console(shared_home, client)
        yield console
        console.close()


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def add(administrator: SignedIn, url: str) -> tuple[str, str]:
    """A new endpoint: its id and its secret."""
    page = administrator.post("/connections/webhooks", {"url": url, "types": "case.opened", "description": "a test"})
    assert page.status_code == 200, page.text
    (secret,) = re.findall(r'value="(whsec_[^"]+)"', page.text)
    (endpoint_id,) = re.findall(r"/connections/webhooks/(ep_\w+)", page.text)
    return endpoint_id, secret


class TestWebhooks:
    def test_an_endpoint_is_added_and_its_secret_shown_once(self, administrator: SignedIn, receiving: Receiver) -> None:
        endpoint_id, secret = add(administrator, receiving.url)
        shown = administrator.get(f"/connections/webhooks/{endpoint_id}")
        assert shown.status_code == 200
        assert secret not in shown.text
        assert receiving.url in words(administrator.get("/connections"))

    def test_what_is_wrong_is_told_and_what_was_typed_stays(self, administrator: SignedIn) -> None:
        page = administrator.post("/connections/webhooks", {"url": "http://example.com/hooks", "description": "mine"})
        assert page.status_code == 422
        assert "Choose one" in words(page)
        assert 'value="http://example.com/hooks"' in page.text
        page = administrator.post("/connections/webhooks", {"url": "http://example.com/hooks", "types": "case.opened"})
        assert page.status_code == 422
        assert "must begin with https" in words(page)
        assert 'value="case.opened" checked' in page.text
        assert 'value="case.closed" checked' not in page.text

    def test_a_test_message_goes_out_and_its_end_is_shown(self, administrator: SignedIn, receiving: Receiver) -> None:
        endpoint_id, secret = add(administrator, receiving.url)
        here = f"/connections/webhooks/{endpoint_id}"
        assert administrator.post(f"{here}/test").status_code == 303
        (received,) = receiving.wait(1)
        assert received.check(secret)["type"] == "webhook.test"
        for _ in range(100):
            if "Delivered" in words(page := administrator.get(here)):
                break
        assert "Delivered" in words(page)
        assert received.id in page.text

    def test_both_secrets_sign_after_a_change(self, administrator: SignedIn, receiving: Receiver) -> None:
        endpoint_id, secret = add(administrator, receiving.url)
        page = administrator.post(f"/connections/webhooks/{endpoint_id}/rotate")
        (changed,) = re.findall(r'value="(whsec_[^"]+)"', page.text)
        administrator.post(f"/connections/webhooks/{endpoint_id}/test")
        (received,) = receiving.wait(1)
        received.check(secret)
        received.check(changed)

    def test_what_was_given_up_is_counted_and_sent_again(
        self, administrator: SignedIn, receiving: Receiver, shared_home: Path
    ) -> None:
        endpoint_id, _ = add(administrator, receiving.url)
        here = f"/connections/webhooks/{endpoint_id}"
        receiving.answer = lambda _: 500
        ledger = Ledger.open(settings_of(shared_home))
        with ledger.write() as conn:
            outbox.put(conn, "case.opened", dict.fromkeys(TYPES["case.opened"].fields, "x"), now_us())
            execute(conn, "UPDATE webhook_deliveries SET attempts = 9 WHERE endpoint_id = ?", (endpoint_id,))
        receiving.wait(1)
        for _ in range(200):
            if "Given up" in words(page := administrator.get(here)):
                break
        assert "answered 500" in words(page)
        assert "Send all again that were given up (1)" in words(page)
        receiving.answer = lambda _: 204
        (message_no,) = re.findall(r'name="message_no" value="(\d+)"', page.text)
        assert administrator.post(f"{here}/retry", {"message_no": message_no}).status_code == 303
        receiving.wait(2)
        with ledger.read() as conn:
            entries = trail.of_subject(conn, f"webhook:{endpoint_id}")
        ledger.close()
        assert [(entry.content["what"], entry.staff_id) for entry in entries] == [
            ("retried", administrator.person.staff_id),
            ("added", administrator.person.staff_id),
        ]

    def test_an_endpoint_is_disabled_and_used_again(self, administrator: SignedIn, receiving: Receiver) -> None:
        endpoint_id, _ = add(administrator, receiving.url)
        here = f"/connections/webhooks/{endpoint_id}"
        administrator.post(f"{here}/disable")
        assert "Disabled" in words(administrator.get(here))
        administrator.post(f"{here}/test")  # of another tab: told, and nothing is sent
        assert "This endpoint is disabled." in words(administrator.get(here))
        administrator.post(f"{here}/enable")
        assert "In use" in words(administrator.get(here))
        assert receiving.received == []

    def test_a_long_list_has_pages(self, administrator: SignedIn, receiving: Receiver, shared_home: Path) -> None:
        endpoint_id, _ = add(administrator, receiving.url)
        ledger = Ledger.open(settings_of(shared_home))
        with ledger.write() as conn:
            for _ in range(70):
                outbox.put_test(conn, endpoint_id, now_us())
        ledger.close()
        page = administrator.get(f"/connections/webhooks/{endpoint_id}")
        (before,) = re.findall(r"\?before=(\d+)", page.text)
        assert page.text.count("<code>msg_") == 50
        assert administrator.get(f"/connections/webhooks/{endpoint_id}?before={before}").text.count("<code>msg_") == 20
        assert administrator.get(f"/connections/webhooks/{endpoint_id}?before=x").status_code == 200

    def test_what_is_not_there_is_told(self, administrator: SignedIn) -> None:
        assert administrator.get("/connections/webhooks/ep_0").status_code == 404
        for what in ("test", "rotate", "disable", "enable", "retry"):
            assert administrator.post(f"/connections/webhooks/ep_0/{what}").status_code == 404


class TestShops:
    def test_a_shop_is_connected_and_sends(self, console: Console, administrator: SignedIn, shared_home: Path) -> None:
        page = administrator.post("/connections/shops", {"shop_name": "Shop <NL>", "kind": "woocommerce"})
        assert page.status_code == 200
        (connection_id,) = re.findall(r'value="http[^"]*/v1/shops/(\w+)"', page.text)
        (secret,) = re.findall(r'id="secret" value="([^"]+)"', page.text)
        sender = Sender(administrator.client, shared_home, "woocommerce", connection_id, secret)
        assert sender.send("order.created", woo_order())["accepted"] == 1
        assert "Shop &lt;NL&gt;" in administrator.get("/connections").text
        shown = administrator.get(f"/connections/shops/{connection_id}")
        assert secret not in shown.text
        assert administrator.post(f"/connections/shops/{connection_id}/disconnect").status_code == 303
        assert "Shop <NL> is disconnected." in words(administrator.get("/connections")).replace("&lt;", "<").replace(
            "&gt;", ">"
        )
        body = b"{}"
        assert sender.post(body, sender.headers("order.created", body)).status_code in (200, 401)

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            ({"shop_name": "", "kind": "shopify"}, "Fill this in."),
            ({"shop_name": "x", "kind": "magento"}, "Choose one of those"),
            ({"shop_name": "x", "kind": "shopify"}, "Shopify has a secret of its own"),
            ({"shop_name": "x", "kind": "shopify", "shop_secret": "short"}, "at least 16"),
            ({"shop_name": "x", "kind": "woocommerce", "prefix": "a b"}, "without blanks"),
        ],
    )
    def test_what_is_wrong_is_told_and_a_secret_is_not_shown_again(
        self, administrator: SignedIn, data: dict[str, str], told: str
    ) -> None:
        page = administrator.post("/connections/shops", data)
        assert page.status_code == 422
        assert told in words(page)
        assert "short" not in re.findall(r'value="([^"]*)"', page.text)

    def test_what_a_shop_passes_on_about_privacy_is_shown(self, administrator: SignedIn, shared_home: Path) -> None:
        page = administrator.post(
            "/connections/shops",
            {"shop_name": "Left", "kind": "shopify", "shop_secret": SECRET, "prefix": "left-"},
        )
        (connection_id,) = re.findall(r'value="http[^"]*/v1/shops/(\w+)"', page.text)
        shop = Sender(administrator.client, shared_home, "shopify", connection_id)
        order = shopify_order(customer={"id": 77}, email=None, contact_email=None)
        shop.send("orders/create", order)
        shop.send("customers/redact", {"customer": {"id": 77}, "orders_to_redact": []})
        shop.send("shop/redact", {"shop_id": 1, "shop_domain": "left.myshopify.com"})
        shown = administrator.get(f"/connections/shops/{connection_id}").text
        assert "left.myshopify.com asks that everything that came from it be erased." in shown
        assert "Requests of customers that wait</dt><dd>1</dd>" in shown
        assert "The shop asked for erasure" in shown
        assert "left-77" not in shown

    def test_what_is_not_there_is_told(self, administrator: SignedIn) -> None:
        assert administrator.get("/connections/shops/0").status_code == 404
        assert administrator.post("/connections/shops/0/disconnect").status_code == 404


class TestKeys:
    def test_a_key_is_revoked_after_a_second_question(
        self, console: Console, administrator: SignedIn, shared_home: Path
    ) -> None:
        key = make_key(shared_home)
        key_id = key.split("_")[1]
        page = administrator.get("/connections")
        assert key not in page.text
        assert f"rw_{key_id}_" in page.text
        assert "Revoke this key?" in words(administrator.get(f"/connections/keys/{key_id}"))
        assert administrator.post(f"/connections/keys/{key_id}/revoke").status_code == 303
        assert f"The key {key_id} is revoked." in words(administrator.get("/connections"))
        answer = administrator.client.get("/v1/assessments/x", headers=bearer(key))
        assert answer.status_code == 401
        ledger = Ledger.open(settings_of(shared_home))
        with ledger.read() as conn:
            (entry,) = trail.of_subject(conn, f"key:{key_id}")
            assert rows(conn, "SELECT 1 FROM api_keys WHERE key_id = ? AND revoked_at IS NOT NULL", (key_id,))
        ledger.close()
        assert entry.staff_id == administrator.person.staff_id

    def test_what_is_not_there_is_told(self, administrator: SignedIn) -> None:
        assert administrator.get("/connections/keys/0").status_code == 404
        assert administrator.post("/connections/keys/0/revoke").status_code == 404


def test_it_reads_in_dutch(console: Console) -> None:
    page = console.another("administrator", language="nl").get("/connections")
    assert "Koppelingen" in words(page)
    assert "Proefmelding" in words(page) or "Ontvanger toevoegen" in words(page)

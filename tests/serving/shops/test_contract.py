"""What holds for every kind of shop: a new adapter is listed in `SAMPLES`, and all of this runs on it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.ledger import vocabulary
from features.ledger.identity import KeyHasher
from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.clock import now_us
from serving.events.schemas import EventsRequest
from serving.shops import connections
from serving.shops.adapters import ADAPTERS
from serving.shops.reading import Message, Node, UnreadableError
from tests.support import shops
from tests.support.service import Api, settings_of
from tests.support.shops import SECRET, Sender

Make = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Sample:
    """Messages of a kind of shop."""

    order_topic: str
    order: Make
    return_topic: str
    returned: Make
    guest: dict[str, Any]  # changes that make an order one of a guest


SAMPLES = {
    "shopify": Sample(
        "orders/create", shops.shopify_order, "returns/request", shops.shopify_return, {"customer": None}
    ),
    "woocommerce": Sample("order.created", shops.woo_order, "refund.created", shops.woo_refund, {"customer_id": 0}),
}


@pytest.fixture(scope="module", params=sorted(SAMPLES))
def shop(request: pytest.FixtureRequest, connect: Callable[..., Sender]) -> Sender:
    return connect(request.param)


@pytest.fixture
def sample(shop: Sender) -> Sample:
    return SAMPLES[shop.kind]


def test_every_adapter_is_checked_here() -> None:
    assert SAMPLES.keys() == ADAPTERS.keys()


def counts(answer: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in answer.items() if name != "notes" and count}


class TestTaking:
    def test_an_order_is_in_the_ledger_when_it_is_answered(self, shop: Sender, sample: Sample) -> None:
        order = sample.order()
        answer = shop.send(sample.order_topic, order)
        assert (counts(answer), answer["notes"]) == ({"accepted": 1}, [])
        ((customer, currency, country, channel, email, address),) = shop.query(
            "SELECT customer_id, currency, country, channel, email_id, address_id FROM orders WHERE order_id = ?",
            str(order["id"]),
        )
        assert (currency, country, channel) == ("EUR", "DE", "web")
        assert customer
        assert len(email) == len(address) == 32
        ((quantity, value),) = shop.query(
            "SELECT quantity, value_minor FROM order_lines JOIN orders USING (order_no) WHERE order_id = ?",
            str(order["id"]),
        )
        assert (quantity, value) == (2, 7191)

    def test_the_same_delivery_again_changes_nothing(self, shop: Sender, sample: Sample) -> None:
        body = shops.encode(sample.order())
        headers = shop.headers(sample.order_topic, body)
        assert counts(shop.post(body, headers).json()) == {"accepted": 1}
        assert counts(shop.post(body, headers).json()) == {"duplicates": 1}

    def test_the_same_thing_under_another_delivery_does_not_either(self, shop: Sender, sample: Sample) -> None:
        order = sample.order()
        returned = sample.returned(order)
        shop.send(sample.order_topic, order)
        for topic, message, first in (
            (sample.order_topic, order, {"duplicates": 1}),
            (sample.return_topic, returned, {"accepted": 1}),
            (sample.return_topic, returned, {"duplicates": 1}),
        ):
            assert counts(shop.send(topic, message)) == first

    def test_a_return_that_comes_before_its_order_waits_for_it(self, shop: Sender, sample: Sample) -> None:
        order = sample.order()
        returned = sample.returned(order)
        assert counts(shop.send(sample.return_topic, returned)) == {"waiting": 1}
        assert counts(shop.send(sample.return_topic, returned)) == {"waiting": 1}
        assert counts(shop.send(sample.order_topic, order)) == {"accepted": 2}
        assert counts(shop.send(sample.return_topic, returned)) == {"duplicates": 1}
        found = shop.query(
            "SELECT quantity, reason, kind FROM returns JOIN orders USING (order_no) WHERE order_id = ?",
            str(order["id"]),
        )
        assert found == [(1, "size_fit", "return")]

    def test_what_says_otherwise_than_before_is_told_and_changes_nothing(self, shop: Sender, sample: Sample) -> None:
        order = sample.order()
        shop.send(sample.order_topic, order)
        changed = order | {"currency": "SEK"}
        answer = shop.send(sample.order_topic, changed)
        assert counts(answer) == {"changed": 1}
        assert "known with other content" in answer["notes"][0]
        assert shop.query("SELECT currency FROM orders WHERE order_id = ?", str(order["id"])) == [("EUR",)]

    def test_what_does_not_fit_is_told_and_stops_nothing(self, shop: Sender, sample: Sample) -> None:
        order = sample.order()
        shop.send(sample.order_topic, order)
        for _ in range(2):
            assert counts(shop.send(sample.return_topic, sample.returned(order))) == {"accepted": 1}
        answer = shop.send(sample.return_topic, sample.returned(order))
        assert counts(answer) == {"refused": 1}
        assert "more returned than bought" in answer["notes"][0]

    def test_other_topics_are_taken_and_left_alone(self, shop: Sender) -> None:
        for topic in ("products/update", "app/uninstalled", "", *ADAPTERS[shop.kind].silent):
            answer = shop.send(topic, {"id": 1})
            assert counts(answer) == {}
            assert len(answer["notes"]) == 1

    def test_a_guest_is_known_by_the_hash_of_the_email(self, shop: Sender, sample: Sample) -> None:
        orders = [sample.order(**sample.guest) for _ in range(2)]
        for order in orders:
            shop.send(sample.order_topic, order)
        ids = ",".join(f"'{order['id']}'" for order in orders)
        found = {row[0] for row in shop.query(f"SELECT customer_id FROM orders WHERE order_id IN ({ids})")}
        assert len(found) == 1
        assert found.pop().startswith("guest-")

    def test_a_prefix_keeps_shops_apart(self, connect: Callable[..., Sender], shop: Sender, sample: Sample) -> None:
        other = connect(shop.kind, prefix="nl-")
        order = sample.order()
        assert counts(shop.send(sample.order_topic, order)) == {"accepted": 1}
        assert counts(other.send(sample.order_topic, order | {"currency": "SEK"})) == {"accepted": 1}
        assert shop.query("SELECT currency FROM orders WHERE order_id = ?", f"nl-{order['id']}") == [("SEK",)]

    def test_the_next_assessment_counts_it(self, shop: Sender, sample: Sample, api: Api) -> None:
        order = sample.order()
        shop.send(sample.order_topic, order)
        ((customer_id,),) = shop.query("SELECT customer_id FROM orders WHERE order_id = ?", str(order["id"]))
        line_id = str(order["line_items"][0]["id"])
        answer = api.assess(
            {
                "return_id": f"asked-{order['id']}",
                "customer_id": customer_id,
                "order_id": str(order["id"]),
                "lines": [{"line_id": line_id, "quantity": 1}],
                "reason": "size_fit",
            }
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["history"]["orders"] >= 1

    def test_a_return_that_was_assessed_first_is_a_repetition(self, shop: Sender, sample: Sample, api: Api) -> None:
        order = sample.order()
        shop.send(sample.order_topic, order)
        ((customer_id,),) = shop.query("SELECT customer_id FROM orders WHERE order_id = ?", str(order["id"]))
        returned = sample.returned(order)
        return_id = str(returned["id"]) if shop.kind == "shopify" else f"refund-{returned['id']}"
        body = {
            "return_id": return_id,
            "customer_id": customer_id,
            "order_id": str(order["id"]),
            "lines": [{"line_id": str(order["line_items"][0]["id"]), "quantity": 1}],
            "reason": "changed_mind",
        }
        assert api.assess(body).status_code == 200
        assert counts(shop.send(sample.return_topic, returned)) == {"duplicates": 1}


class TestSignature:
    def refused(self, shop: Sender, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        response = shop.post(body, headers)
        assert response.status_code == 401
        assert "www-authenticate" not in response.headers
        problem: dict[str, Any] = response.json()
        return problem

    def test_what_is_not_signed_is_not_taken_and_the_answer_is_always_the_same(
        self, shop: Sender, sample: Sample
    ) -> None:
        order = sample.order()
        body = shops.encode(order)
        headers = shop.headers(sample.order_topic, body)
        name = ADAPTERS[shop.kind].signature_header
        forged = [
            (body + b" ", headers),
            (body, headers | {name: ""}),
            (body, headers | {name: "AAAA"}),
            (body, headers | {name: shops.signature("another secret", body)}),
            (body, {key: value for key, value in headers.items() if key != name}),
        ]
        answers = [self.refused(shop, *attempt) for attempt in forged]
        stranger = Sender(shop.client, shop.home, shop.kind, "0" * 24)
        answers.append(self.refused(stranger, body, headers))
        assert all(answer == answers[0] for answer in answers)
        assert answers[0]["detail"] == "The message was not accepted."
        assert shop.query("SELECT 1 FROM orders WHERE order_id = ?", str(order["id"])) == []

    def test_a_disconnected_shop_is_a_stranger(self, connect: Callable[..., Sender], shop: Sender) -> None:
        sample = SAMPLES[shop.kind]
        other = connect(shop.kind)
        ledger = Ledger.open(settings_of(shop.home))
        with ledger.write() as conn:
            connections.disconnect(conn, SYSTEM, other.connection_id, now=now_us())
        ledger.close()
        body = shops.encode(sample.order())
        self.refused(other, body, other.headers(sample.order_topic, body))

    def test_it_is_counted(self, shop: Sender, sample: Sample) -> None:
        self.refused(shop, b"{}", shop.headers(sample.order_topic, b"x"))
        text = shop.client.get("/metrics").text
        assert f'returnwise_shop_messages_total{{kind="{shop.kind}",outcome="forged"}}' in text


class TestBadBodies:
    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"nonsense"])
    def test_what_is_not_json_is_refused(self, shop: Sender, sample: Sample, body: bytes) -> None:
        assert shop.post(body, shop.headers(sample.order_topic, body)).status_code == 400

    def test_what_is_too_large_is_not_read(self, shop: Sender, sample: Sample) -> None:
        body = b" " * (1024 * 1024 + 1)
        assert shop.post(body, shop.headers(sample.order_topic, body)).status_code == 413

    @pytest.mark.parametrize("message", [None, [], 7, "text", {}, {"id": None}, {"line_items": 7}])
    def test_what_has_another_form_is_told(self, shop: Sender, sample: Sample, message: Any) -> None:
        for topic in (sample.order_topic, sample.return_topic):
            answer = shop.send(topic, message)
            assert counts(answer) == {}
            assert answer["notes"]

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_any_damage_is_an_answer_and_no_defect(self, shop: Sender, sample: Sample, data: st.DataObject) -> None:
        topic, message = data.draw(
            st.sampled_from(
                [(sample.order_topic, sample.order()), (sample.return_topic, sample.returned(sample.order()))]
            )
        )
        damaged = copy.deepcopy(message)
        node: Any = damaged
        while isinstance(node, dict | list) and node:
            key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
                node[key] = data.draw(
                    st.none()
                    | st.booleans()
                    | st.integers(-(2**63), 2**64 - 1)
                    | st.floats(allow_nan=False, allow_infinity=False)
                    | st.text(max_size=300)
                    | st.just([])
                    | st.just({})
                )
                break
            node = node[key]
        try:
            body = shops.encode(damaged)
            response = shop.post(body, shop.headers(topic, body))
        except UnicodeEncodeError:
            return
        assert response.status_code in (200, 400), response.text


class TestReaders:
    hasher = KeyHasher(b"a key for tests")

    @pytest.mark.parametrize("kind", sorted(ADAPTERS))
    def test_every_reason_is_one_of_the_contract(self, kind: str) -> None:
        assert set(ADAPTERS[kind].reasons.values()) <= set(vocabulary.REASONS)

    @pytest.mark.parametrize("kind", sorted(ADAPTERS))
    def test_every_topic_is_read_or_left_alone_and_not_both(self, kind: str) -> None:
        adapter = ADAPTERS[kind]
        assert not adapter.readers.keys() & adapter.silent.keys()
        for topic, reader in adapter.readers.items():
            assert topic == topic.lower()
            with pytest.raises(UnreadableError):
                reader(Message("c", "", 1, Node([]), self.hasher))

    @pytest.mark.parametrize("kind", sorted(ADAPTERS))
    def test_no_event_holds_a_name_a_phone_number_or_a_note(self, kind: str) -> None:
        sample, adapter = SAMPLES[kind], ADAPTERS[kind]
        order = sample.order(**sample.guest)
        for topic, message in ((sample.order_topic, order), (sample.return_topic, sample.returned(order))):
            reading = adapter.readers[topic](Message("c", "", 1, Node(message), self.hasher))
            text = repr(reading.events)
            assert "Example" not in text
            assert "555" not in text.replace(str(order["id"]), "")
            assert "call me" not in text
            EventsRequest.model_validate({"events": [mapped.event for mapped in reading.events]})


class TestConnecting:
    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"kind": "magento"}, "no kind of shop magento; there are shopify, woocommerce"),
            ({"name": " "}, "A name has"),
            ({"name": "x" * 101}, "A name has"),
            ({"prefix": "a b"}, "A prefix has"),
            ({"secret": "short"}, "at least 16"),
            ({"kind": "shopify", "secret": None}, "Shopify has a secret of its own"),
        ],
    )
    def test_what_is_wrong_is_told(self, shared_home: Path, change: dict[str, Any], why: str) -> None:
        values: dict[str, Any] = {"kind": "woocommerce", "name": "a shop", "secret": SECRET, "prefix": ""} | change
        ledger = Ledger.open(settings_of(shared_home))
        kind, name = values.pop("kind"), values.pop("name")
        try:
            with pytest.raises(connections.ShopError, match=why), ledger.write() as conn:
                connections.connect(conn, SYSTEM, connections.Sealer(ledger.hasher), kind, name, **values, now=1)
        finally:
            ledger.close()

    def test_where_the_shop_lets_us_a_secret_is_made(self, connect: Callable[..., Sender], shared_home: Path) -> None:
        ledger = Ledger.open(settings_of(shared_home))
        with ledger.write() as conn:
            made = connections.connect(conn, SYSTEM, connections.Sealer(ledger.hasher), "woocommerce", "a shop", now=1)
        ledger.close()
        assert made.secret is not None
        sender = Sender(connect("woocommerce").client, shared_home, "woocommerce", made.shop.connection_id, made.secret)
        assert counts(sender.send("order.created", shops.woo_order())) == {"accepted": 1}

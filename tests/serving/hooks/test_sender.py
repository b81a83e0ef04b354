"""Senders at work: with the service's own writer, against a real receiver."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from features.clock import DAY, SECOND
from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.audit import trail
from serving.audit.trail import SYSTEM
from serving.clock import now_us
from serving.hooks import outbox, repository, sender, service
from serving.hooks.repository import Delivery, Endpoint
from serving.hooks.schedule import MOST_ATTEMPTS
from serving.hooks.sender import LEASE_US
from serving.hooks.service import Made
from serving.hooks.trial import try_out
from serving.sealing import Sealer
from tests.support.receiver import Receiver
from tests.support.senders import send_until, sending

CASE = {"case_id": "K-1", "return_id": "R-1", "order_id": "O-1", "opened_because": "hand", "due_at": None}
_numbers = itertools.count(1)


def add(ledger: Ledger, sealer: Sealer, url: str, *types: str) -> Made:
    with ledger.write() as conn:
        return service.add(conn, SYSTEM, sealer, url, types, inside=True, now=now_us())


def put(ledger: Ledger, count: int = 1) -> None:
    with ledger.write() as conn:
        for _ in range(count):
            outbox.put(conn, "case.opened", CASE | {"case_id": f"K-{next(_numbers)}"}, now_us())


def deliveries(ledger: Ledger, made: Made) -> list[Delivery]:
    with ledger.read() as conn:
        return repository.deliveries(conn, made.endpoint.endpoint_id, at_most=1_000)


def endpoint_of(ledger: Ledger, made: Made) -> Endpoint:
    with ledger.read() as conn:
        return service.get(conn, made.endpoint.endpoint_id)


class TestDelivery:
    def test_what_was_put_arrives_once_signed_and_is_noted(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        made = add(ledger, sealer, receiving.url)
        put(ledger, 40)
        send_until(ledger, sealer, lambda: all(d.delivered_at for d in deliveries(ledger, made)))
        assert len(receiving.received) == 40
        told = {received.check(made.secret)["data"]["case_id"] for received in receiving.received}
        assert len(told) == 40
        assert {(d.attempts, d.next_at, d.last_status, d.last_trouble) for d in deliveries(ledger, made)} == {
            (1, None, 204, None)
        }

    def test_several_processes_share_the_work_and_send_nothing_twice(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        made = add(ledger, sealer, receiving.url)
        put(ledger, 120)
        send_until(ledger, sealer, lambda: all(d.delivered_at for d in deliveries(ledger, made)), senders=3)
        ids = [received.id for received in receiving.received]
        assert len(ids) == len(set(ids)) == 120

    def test_an_endpoint_that_hangs_holds_up_no_other(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        add(ledger, sealer, "http://127.0.0.1:9/nobody-is-here")
        made = add(ledger, sealer, receiving.url)
        put(ledger, 30)
        send_until(ledger, sealer, lambda: all(d.delivered_at for d in deliveries(ledger, made)))
        assert len(receiving.received) == 30

    def test_a_failure_is_tried_again_with_the_same_bytes(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sender, "next_attempt", lambda now, *_, **__: now + SECOND // 20)
        monkeypatch.setattr(sender, "_FIRST_PAUSE_S", 0.05)
        receiving.answer = lambda _: 204 if len(receiving.received) > 2 else 500
        made = add(ledger, sealer, receiving.url)
        put(ledger)
        send_until(ledger, sealer, lambda: deliveries(ledger, made)[0].delivered_at)
        assert len({received.body for received in receiving.received}) == 1
        assert len({received.id for received in receiving.received}) == 1
        for received in receiving.received:
            received.check(made.secret)
        assert deliveries(ledger, made)[0].attempts == 4

    def test_the_next_attempt_follows_the_schedule(self, ledger: Ledger, sealer: Sealer, receiving: Receiver) -> None:
        receiving.answer = lambda _: 500
        made = add(ledger, sealer, receiving.url)
        put(ledger)
        send_until(ledger, sealer, lambda: deliveries(ledger, made)[0].last_at)
        (delivery,) = deliveries(ledger, made)
        assert (delivery.last_status, delivery.last_trouble) == (500, "answered 500")
        assert delivery.next_at is not None
        assert delivery.last_at is not None
        assert 4 * SECOND <= delivery.next_at - delivery.last_at <= 6 * SECOND

    def test_after_the_last_attempt_it_is_given_up_and_can_be_sent_again(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        receiving.answer = lambda _: 500
        made = add(ledger, sealer, receiving.url)
        put(ledger)
        with ledger.write() as conn:
            execute(conn, "UPDATE webhook_deliveries SET attempts = ?", (MOST_ATTEMPTS - 1,))
        send_until(ledger, sealer, lambda: deliveries(ledger, made)[0].last_at)
        (delivery,) = deliveries(ledger, made)
        assert (delivery.next_at, delivery.delivered_at, delivery.attempts) == (None, None, MOST_ATTEMPTS)
        with ledger.read() as conn:
            assert repository.counts(conn)[made.endpoint.endpoint_id] == (0, 1)
        receiving.answer = lambda _: 204
        with ledger.write() as conn:
            assert service.retry(conn, SYSTEM, made.endpoint.endpoint_id, None, now=now_us()) == 1
        send_until(ledger, sealer, lambda: deliveries(ledger, made)[0].delivered_at)

    def test_gone_disables_the_endpoint(self, ledger: Ledger, sealer: Sealer, receiving: Receiver) -> None:
        receiving.answer = lambda _: 410
        made = add(ledger, sealer, receiving.url)
        put(ledger)
        send_until(ledger, sealer, lambda: endpoint_of(ledger, made).disabled_at)
        assert endpoint_of(ledger, made).disabled_because == "gone"
        put(ledger)
        assert len(deliveries(ledger, made)) == 1  # nothing more is written for it
        with ledger.read() as conn:
            entries = trail.of_subject(conn, f"webhook:{made.endpoint.endpoint_id}")
        assert [entry.content["what"] for entry in entries] == ["disabled", "added"]

    def test_what_waits_for_a_disabled_endpoint_goes_out_when_it_is_used_again(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        made = add(ledger, sealer, receiving.url)
        other = add(ledger, sealer, receiving.url)
        put(ledger)
        endpoint_id = made.endpoint.endpoint_id
        with ledger.write() as conn:
            service.disable(conn, SYSTEM, endpoint_id, now=now_us())
        send_until(ledger, sealer, lambda: deliveries(ledger, other)[0].delivered_at)
        assert deliveries(ledger, made)[0].attempts == 0
        with ledger.write() as conn:
            service.enable(conn, SYSTEM, endpoint_id, now=now_us())
        send_until(ledger, sealer, lambda: deliveries(ledger, made)[0].delivered_at)

    def test_a_receiver_that_has_too_much_to_do_is_left_alone_as_long_as_it_asks(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        receiving.answer = lambda _: (429, {"Retry-After": "60"})
        made = add(ledger, sealer, receiving.url)
        put(ledger, 40)
        send_until(ledger, sealer, lambda: len(receiving.received) >= 16)

        async def a_while() -> None:
            async with sending(ledger, sealer):
                await asyncio.sleep(0.3)

        asked = len(receiving.received)
        assert asked == 16
        asyncio.run(a_while())  # a sender that has just started asks once
        assert len(receiving.received) <= 2 * asked
        waits = [d.next_at - d.last_at for d in deliveries(ledger, made) if d.last_at and d.next_at]
        assert min(waits) >= 60 * SECOND


class TestLeases:
    def test_what_a_killed_sender_had_comes_up_again_after_its_lease(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        made = add(ledger, sealer, receiving.url)
        put(ledger)
        endpoint_id, now = made.endpoint.endpoint_id, now_us()
        with ledger.write() as conn:
            (mine,) = repository.claim(conn, endpoint_id, now, now + LEASE_US, 10)
            assert repository.claim(conn, endpoint_id, now + LEASE_US - 1, now + 2 * LEASE_US, 10) == []
            (again,) = repository.claim(conn, endpoint_id, now + LEASE_US, now + 2 * LEASE_US, 10)
        assert again == mine._replace(attempts=2)

    @pytest.mark.parametrize(("delivered", "counts"), [(False, False), (True, True)])
    def test_a_sender_whose_lease_is_over_counts_only_if_it_delivered(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver, delivered: bool, counts: bool
    ) -> None:
        made = add(ledger, sealer, receiving.url)
        put(ledger)
        endpoint_id, now = made.endpoint.endpoint_id, now_us()
        with ledger.write() as conn:
            (late,) = repository.claim(conn, endpoint_id, now, now + 1, 1)
            repository.claim(conn, endpoint_id, now + 1, now + LEASE_US, 1)
            outcome = sender.Outcome(204) if delivered else sender.Outcome(500, "answered 500")
            repository.settle(conn, [sender.ended(endpoint_id, late, outcome)])
        assert (deliveries(ledger, made)[0].delivered_at is not None) is counts
        assert deliveries(ledger, made)[0].attempts == 2

    def test_a_delivery_is_never_undone(self, ledger: Ledger, sealer: Sealer, receiving: Receiver) -> None:
        made = add(ledger, sealer, receiving.url)
        put(ledger)
        endpoint_id, now = made.endpoint.endpoint_id, now_us()
        with ledger.write() as conn:
            (due,) = repository.claim(conn, endpoint_id, now, now + LEASE_US, 1)
            for outcome in (sender.Outcome(204), sender.Outcome(500, "answered 500")):
                repository.settle(conn, [sender.ended(endpoint_id, due, outcome)])
            repository.send_now(conn, endpoint_id, [due.message_no], now)
        assert deliveries(ledger, made)[0].last_status == 204
        assert deliveries(ledger, made)[0].next_at is None


class TestSecrets:
    def test_they_are_not_readable_in_the_database(self, ledger: Ledger, sealer: Sealer, receiving: Receiver) -> None:
        made = add(ledger, sealer, receiving.url)
        with ledger.read() as conn:
            ((stored,),) = rows(conn, "SELECT secret FROM webhook_endpoints")
        assert made.secret.removeprefix("whsec_") not in stored
        assert sealer.open(stored) == made.secret

    def test_for_a_day_after_a_change_both_sign(self, ledger: Ledger, sealer: Sealer, receiving: Receiver) -> None:
        made = add(ledger, sealer, receiving.url)
        with ledger.write() as conn:
            changed = service.rotate(conn, SYSTEM, sealer, made.endpoint.endpoint_id, now=now_us())
        put(ledger)
        send_until(ledger, sealer, lambda: receiving.received)
        for secret in (made.secret, changed.secret):
            receiving.received[0].check(secret)
        later = service.signing_secrets(endpoint_of(ledger, made), sealer, now_us() + DAY + SECOND)
        assert later == [changed.secret]


class TestPurge:
    def test_old_messages_go_whatever_became_of_them(self, ledger: Ledger, sealer: Sealer, receiving: Receiver) -> None:
        made = add(ledger, sealer, receiving.url)
        put(ledger, 5)
        with ledger.write() as conn:
            execute(conn, "UPDATE webhook_messages SET at = at - ? WHERE message_no <= 3", (10 * DAY,))
            assert repository.purge(conn, now_us() - 9 * DAY, 2) == 2
            assert repository.purge(conn, now_us() - 9 * DAY, 2) == 1
            assert repository.purge(conn, now_us() - 9 * DAY, 2) == 0
        assert len(deliveries(ledger, made)) == 2


class TestTrial:
    def test_it_tells_at_once(self, ledger: Ledger, sealer: Sealer, receiving: Receiver) -> None:
        made = add(ledger, sealer, receiving.url, "notice.made")
        assert try_out(ledger, sealer, made.endpoint.endpoint_id, inside=True).status == 204
        told = receiving.received[0].check(made.secret)
        assert (told["type"], told["data"]) == ("webhook.test", {"endpoint_id": made.endpoint.endpoint_id})
        assert deliveries(ledger, made)[0].delivered_at

    def test_an_endpoint_that_is_not_in_use_is_not_tried(
        self, ledger: Ledger, sealer: Sealer, receiving: Receiver
    ) -> None:
        made = add(ledger, sealer, receiving.url)
        with ledger.write() as conn:
            service.disable(conn, SYSTEM, made.endpoint.endpoint_id, now=now_us())
        with pytest.raises(service.HookError, match="is disabled"):
            try_out(ledger, sealer, made.endpoint.endpoint_id, inside=True)


class TestService:
    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"types": ["case.opend"]}, "no type case.opend"),
            ({"description": "x" * 201}, "at most 200"),
            ({"url": "http://example.com"}, "https"),
        ],
    )
    def test_what_is_wrong_is_told(self, ledger: Ledger, sealer: Sealer, change: dict[str, Any], why: str) -> None:
        values: dict[str, Any] = {"url": "https://example.com/", "types": [], "description": ""} | change
        with pytest.raises(Exception, match=why), ledger.write() as conn:
            service.add(conn, SYSTEM, sealer, **values, inside=False, now=1)

    def test_there_is_an_end_to_endpoints(self, ledger: Ledger, sealer: Sealer) -> None:
        for _ in range(20):
            add(ledger, sealer, "https://example.com/")
        with pytest.raises(service.HookError, match="20 endpoints already"):
            add(ledger, sealer, "https://example.com/")

    def test_another_hash_key_opens_no_secret(self, ledger: Ledger, sealer: Sealer) -> None:
        made = add(ledger, sealer, "https://example.com/")
        other = Sealer(type(ledger.hasher)(b"another key"))
        with pytest.raises(Exception, match="sealed with another hash key"):
            service.signing_secrets(made.endpoint, other, 1)

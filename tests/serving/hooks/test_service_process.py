"""Webhooks of the real service: it is killed in the middle, and nothing is lost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from features.clock import SECOND
from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.clock import now_us
from serving.hooks import service as hooks
from serving.sealing import Sealer
from tests.support.processes import Service
from tests.support.receiver import Received, Receiver
from tests.support.senders import send_until
from tests.support.service import Api, assessment, make_key, settings_of

ENVIRONMENT = {"RETURNWISE_WEBHOOK_PRIVATE_ADDRESSES": "true", "RETURNWISE_WEBHOOK_POLL_SECONDS": "0.05"}


def test_a_kill_in_the_middle_loses_nothing(home: Path, receiving: Receiver) -> None:
    key = make_key(home)
    ledger = Ledger.open(settings_of(home))
    with ledger.write() as conn:
        made = hooks.add(conn, SYSTEM, Sealer(ledger.hasher), receiving.url, ["assessment.made"], inside=True, now=1)
    delivered: list[Received] = []

    def slow(received: Received) -> int:
        time.sleep(0.05)
        delivered.append(received)
        return 200 if len(delivered) % 3 else 500

    receiving.answer = slow
    running = Service(home, **ENVIRONMENT)
    api = Api(running.client, key)
    answers: list[dict[str, Any]] = []
    for _ in range(30):
        answers.append(api.assess(assessment()).json())
    receiving.wait(5)
    running.kill()  # some are delivered, some are under way, some wait
    receiving.answer = lambda _: 204
    with ledger.write() as conn:  # as if the leases were over, and the waits after the failures
        execute(conn, "UPDATE webhook_deliveries SET next_at = ? WHERE next_at IS NOT NULL", (now_us() - SECOND,))
        waiting = rows(conn, "SELECT count(*) FROM webhook_deliveries WHERE delivered_at IS NULL")[0][0]
    assert waiting > 0

    def undelivered() -> int:
        with ledger.read() as conn:
            return int(rows(conn, "SELECT count(*) FROM webhook_deliveries WHERE delivered_at IS NULL")[0][0])

    send_until(ledger, Sealer(ledger.hasher), lambda: not undelivered())
    ledger.close()
    bodies: dict[str, set[bytes]] = {}
    for received in receiving.received:
        received.check(made.secret)
        bodies.setdefault(received.id, set()).add(received.body)
    told = {received.message["data"]["assessment_id"] for received in receiving.received}
    assert told == {answer["assessment_id"] for answer in answers}
    assert {len(same) for same in bodies.values()} == {1}

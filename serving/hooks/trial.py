"""Trying an endpoint out, with an answer at once: a message that goes through the outbox like any other."""

from __future__ import annotations

import asyncio

import httpx

from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.clock import now_us
from serving.hooks import repository, service
from serving.hooks.attempt import Outcome, attempt, new_client
from serving.hooks.repository import Due, Endpoint
from serving.hooks.sender import LEASE_US, ended
from serving.sealing import Sealer


def try_out(ledger: Ledger, sealer: Sealer, endpoint_id: str, *, inside: bool) -> Outcome:
    """Send a message of the type `webhook.test` now. If it is not taken, running services go on trying.

    Raises:
        HookError: there is no such endpoint in use.
    """
    now = now_us()
    with ledger.write() as conn:
        message_no = service.test(conn, SYSTEM, endpoint_id, now=now)
        due = repository.take(conn, endpoint_id, message_no, now + LEASE_US)
        endpoint = service.get(conn, endpoint_id)
    outcome = asyncio.run(_send(endpoint, due, service.signing_secrets(endpoint, sealer, now), inside=inside))
    with ledger.write() as conn:
        repository.settle(conn, [ended(endpoint_id, due, outcome)])
    return outcome


async def _send(endpoint: Endpoint, due: Due, secrets: list[str], *, inside: bool) -> Outcome:
    async with new_client(httpx.create_ssl_context()) as client:
        return await attempt(client, endpoint.url, due.message_id, due.content, secrets, inside=inside)

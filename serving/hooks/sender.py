"""Sending what the outbox holds: a thread with an event loop of its own, in every process of the service.

A sender takes messages by a lease: it moves their next attempt to when the lease ends, in a transaction, so that no two
senders have the same one. If it is killed, others take them up after that; the receiver may then see a message twice,
with the same `webhook-id` and content, and never not at all. Each endpoint is served by a task of its own, so that one
that hangs holds up none of the others.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import httpx
from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from features.ledger.store import Ledger
from serving import metrics
from serving.audit.trail import SYSTEM
from serving.clock import now_us
from serving.hooks import repository, service
from serving.hooks.attempt import BUSY, GONE, Outcome, attempt, new_client
from serving.hooks.repository import Due, Ended, Endpoint
from serving.hooks.schedule import next_attempt
from serving.sealing import Sealer
from serving.writer import GroupWriter

_log = logging.getLogger(__name__)

T = TypeVar("T")

#: Longer than an attempt can take.
LEASE_US: Final = 60 * SECOND
#: Messages for one endpoint that are under way at a time.
_AT_ONCE: Final = 16
#: After a round of which nothing was taken, the endpoint is left alone so long, then twice as long, and so on.
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 300.0
_STOP_S: Final = 5.0
_COUNT_EVERY_S: Final = 10.0
_PURGE_EVERY_S: Final = 3600.0
_MOST_PURGED: Final = 500


class Sender:
    """`start` on the event loop of the service, `stop` before its writer stops."""

    def __init__(
        self,
        ledger: Ledger,
        writer: GroupWriter,
        sealer: Sealer,
        *,
        inside: bool,
        poll_seconds: float,
        keep_days: int,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """`trusted`: which certificates count; those that everybody trusts, if None."""
        self._ledger = ledger
        self._writer = writer
        self._sealer = sealer
        self._inside = inside
        self._poll_seconds = poll_seconds
        self._keep_us = keep_days * DAY
        self._trusted = trusted
        self._main: asyncio.AbstractEventLoop | None = None
        self._own: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._paused: dict[str, tuple[float, float]] = {}  # endpoint: until when, and how long the next pause is
        self._counted = self._purged = -1e9

    def start(self) -> None:
        """Begin to send."""
        self._main = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Finish what is under way, if that takes no longer than a few seconds, and end."""
        if self._main is None:
            return
        await asyncio.to_thread(self._ready.wait)
        assert self._own is not None
        assert self._stopping is not None
        self._own.call_soon_threadsafe(self._stopping.set)
        await asyncio.to_thread(self._thread.join, 2 * _STOP_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:  # noqa: BLE001 - the service goes on without webhooks; the outbox keeps them
            _log.exception("the sender of webhooks has ended")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._own, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        while not self._stopping.is_set():
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - the ledger may be back at the next look
                _log.exception("the outbox could not be looked at")
            try:
                await asyncio.wait_for(self._stopping.wait(), self._poll_seconds)
            except TimeoutError:
                continue
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=_STOP_S)
            for task in late:
                task.cancel()

    async def _look(self) -> None:
        """Begin to serve the endpoints that have something due; count and tidy now and then."""
        clock = time.monotonic()
        for endpoint in await asyncio.to_thread(self._with_due):
            until, _ = self._paused.get(endpoint.endpoint_id, (0.0, 0.0))
            if endpoint.endpoint_id not in self._tasks and clock >= until:
                task = asyncio.create_task(self._drain(endpoint), name=f"webhook {endpoint.endpoint_id}")
                self._tasks[endpoint.endpoint_id] = task
                task.add_done_callback(partial(self._done, endpoint.endpoint_id))
        if clock - self._counted >= _COUNT_EVERY_S:
            self._counted = clock
            metrics.webhooks_waiting.set(await asyncio.to_thread(self._waiting))
        if clock - self._purged >= _PURGE_EVERY_S:
            before = now_us() - self._keep_us
            if await self._write(lambda conn: repository.purge(conn, before, _MOST_PURGED)) < _MOST_PURGED:
                self._purged = clock

    async def _drain(self, endpoint: Endpoint) -> None:
        """Send an endpoint what is due, in rounds, until nothing is or it has had enough."""
        assert self._stopping is not None
        try:
            if self._trusted is None:
                self._trusted = await asyncio.to_thread(httpx.create_ssl_context)
            async with new_client(self._trusted) as client:
                while not self._stopping.is_set() and await self._round(client, endpoint):
                    pass
        except Exception:  # noqa: BLE001 - what it had comes up again when the lease is over
            _log.exception("webhook endpoint %s could not be served", endpoint.endpoint_id)
            self._pause(endpoint.endpoint_id)

    async def _round(self, client: httpx.AsyncClient, endpoint: Endpoint) -> bool:
        """Send some messages at once; whether to go on with more."""
        endpoint_id, now = endpoint.endpoint_id, now_us()
        due = await self._write(lambda conn: repository.claim(conn, endpoint_id, now, now + LEASE_US, _AT_ONCE))
        if not due:
            return False
        secrets = service.signing_secrets(endpoint, self._sealer, now)
        outcomes = await asyncio.gather(
            *(attempt(client, endpoint.url, one.message_id, one.content, secrets, inside=self._inside) for one in due)
        )
        results = [ended(endpoint_id, one, outcome) for one, outcome in zip(due, outcomes, strict=True)]
        await self._write(lambda conn: _settle(conn, endpoint_id, results))
        for one in results:
            metrics.webhooks_total.labels("delivered" if one.delivered else "failed").inc()
            if not one.delivered and one.next_at is None:
                metrics.webhooks_total.labels("given_up").inc()
                _log.warning("message %d to webhook endpoint %s is given up", one.message_no, endpoint_id)
        if any(outcome.delivered for outcome in outcomes) and not any(one.status in BUSY for one in outcomes):
            self._paused.pop(endpoint_id, None)
            return len(due) == _AT_ONCE
        self._pause(endpoint_id, max((outcome.asked_s or 0.0 for outcome in outcomes), default=0.0))
        return False

    def _done(self, endpoint_id: str, _task: asyncio.Task[None]) -> None:
        del self._tasks[endpoint_id]

    def _pause(self, endpoint_id: str, asked_s: float = 0.0) -> None:
        _, length = self._paused.get(endpoint_id, (0.0, _FIRST_PAUSE_S))
        until = time.monotonic() + max(length, min(asked_s, _LONGEST_PAUSE_S))
        self._paused[endpoint_id] = (until, min(2 * length, _LONGEST_PAUSE_S))

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """Do something in a transaction of the service's one writer."""
        assert self._main is not None
        written: Any = asyncio.run_coroutine_threadsafe(self._writer.run(work), self._main)
        result: T = await asyncio.wrap_future(written)
        return result

    def _with_due(self) -> list[Endpoint]:
        with self._ledger.read() as conn:
            return repository.with_due(conn, now_us())

    def _waiting(self) -> int:
        with self._ledger.read() as conn:
            return sum(counts.waiting for counts in repository.counts(conn).values())


def ended(endpoint_id: str, due: Due, outcome: Outcome) -> Ended:
    """What is kept of an attempt that has ended now, with the moment of the next one."""
    now = now_us()
    again = None
    if not outcome.delivered:
        again = next_attempt(now, due.attempts, chance=random.random(), asked_s=outcome.asked_s)  # noqa: S311
    return Ended(
        due.message_no, endpoint_id, due.attempts, now, again, outcome.delivered, outcome.status, outcome.trouble
    )


def _settle(conn: Connection, endpoint_id: str, results: list[Ended]) -> None:
    repository.settle(conn, results)
    if any(one.status == GONE for one in results):
        service.disable(conn, SYSTEM, endpoint_id, now=now_us(), because="gone")

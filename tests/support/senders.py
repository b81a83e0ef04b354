"""Senders of webhooks with the service's own writer, without the rest of the service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from features.ledger.store import Ledger
from serving.hooks.sender import Sender
from serving.sealing import Sealer
from serving.writer import GroupWriter


@asynccontextmanager
async def sending(ledger: Ledger, sealer: Sealer, senders: int = 1) -> AsyncIterator[None]:
    """One process of the service, or several, as far as webhooks need it."""
    ledgers = [Ledger.open(ledger._settings) for _ in range(senders)]
    writers = [GroupWriter(one) for one in ledgers]
    running = [
        Sender(one, writer, sealer, inside=True, poll_seconds=0.02, keep_days=30)
        for one, writer in zip(ledgers, writers, strict=True)
    ]
    for writer, one in zip(writers, running, strict=True):
        writer.start()
        one.start()
    try:
        yield
    finally:
        for one in running:
            await one.stop()
        for writer in writers:
            await writer.stop()
        for each in ledgers:
            each.close()


def send_until(
    ledger: Ledger, sealer: Sealer, done: Callable[[], object], senders: int = 1, seconds: float = 20
) -> None:
    """Run senders until `done()`."""

    async def run() -> None:
        async with sending(ledger, sealer, senders):
            until = time.monotonic() + seconds
            while not done():
                assert time.monotonic() < until
                await asyncio.sleep(0.01)

    asyncio.run(run())

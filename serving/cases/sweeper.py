"""Sweeping while the service runs: a task on its event loop, in every process."""

from __future__ import annotations

import asyncio
from typing import Final

from features.ledger.store import Ledger
from serving import metrics
from serving.cases import deadlines, queue
from serving.clock import now_us
from serving.rounds import Rounds
from serving.writer import GroupWriter

PAUSE_S: Final = 60.0


class Sweeper(Rounds):
    """Sweeps at once and then every minute. Whether there is anything to do is looked up in a thread, without a lock;
    only what there is goes through the writer, in small pieces."""

    def __init__(self, ledger: Ledger, writer: GroupWriter, *, pause_seconds: float = PAUSE_S) -> None:
        super().__init__("sweeper", self.once, pause_seconds=pause_seconds)
        self._ledger = ledger
        self._writer = writer

    async def once(self) -> bool:
        """One round; gives whether there may be more to do."""
        if not await asyncio.to_thread(self._look):
            return False
        await self._writer.run(lambda conn: deadlines.sweep(conn, now_us(), hasher=self._ledger.hasher))
        return True

    def _look(self) -> bool:
        now = now_us()
        with self._ledger.read() as conn:
            for state, count in queue.counts(conn, now).by_state.items():
                metrics.cases_active.labels(state).set(count)
            return deadlines.is_due(conn, now)

"""Sweeping while the service runs: a task on its event loop, in every process."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from features.ledger.store import Ledger
from serving import metrics
from serving.cases import deadlines, queue
from serving.clock import now_us
from serving.writer import GroupWriter

_log = logging.getLogger(__name__)
PAUSE_S: Final = 60.0


class Sweeper:
    """`start` on the event loop of the service, `stop` before its writer stops. Whether there is anything to do is
    looked up in a thread, without a lock; only what there is goes through the writer, in small pieces."""

    def __init__(self, ledger: Ledger, writer: GroupWriter, *, pause_seconds: float = PAUSE_S) -> None:
        self._ledger = ledger
        self._writer = writer
        self._pause = pause_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep, at once and then every minute."""
        self._task = asyncio.get_running_loop().create_task(self._serve(), name="sweeper")

    async def stop(self) -> None:
        """Leave the rest to others, or to the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            try:
                while await asyncio.to_thread(self._look):
                    await self._writer.run(lambda conn: deadlines.sweep(conn, now_us(), hasher=self._ledger.hasher))
            except Exception:  # noqa: BLE001 - the next round may go well
                _log.exception("cases could not be swept")
            await asyncio.sleep(self._pause)

    def _look(self) -> bool:
        now = now_us()
        with self._ledger.read() as conn:
            for state, count in queue.counts(conn, now).by_state.items():
                metrics.cases_active.labels(state).set(count)
            return deadlines.is_due(conn, now)

"""Moving what was committed into the database file, beside the requests.

SQLite appends a commit to a log, and every thousand pages the commit that happens to come next also moves the log's
content into the database file: some milliseconds for one request in sixty. Here a thread does so instead, a little
after commits.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from features.ledger.store import Ledger

_log = logging.getLogger(__name__)
_PAUSE_S: Final = 0.25


class Checkpoints:
    """A task on the event loop; the work is done in a thread. `start`, `note` after each commit, `stop`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._committed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._work: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begin to look after the log."""
        self._task = asyncio.get_running_loop().create_task(self._serve(), name="checkpoints")

    def note(self) -> None:
        """Something has been committed."""
        self._committed.set()

    async def stop(self) -> None:
        """Leave the log as it is: nothing in it is lost, and closing the last connection moves the rest."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._work is not None:
            await asyncio.wait([self._work])

    async def _serve(self) -> None:
        while True:
            await self._committed.wait()
            await asyncio.sleep(_PAUSE_S)
            self._committed.clear()
            try:
                self._work = asyncio.get_running_loop().run_in_executor(None, self._ledger.checkpoint)
                await asyncio.shield(self._work)
            except Exception:  # noqa: BLE001 - the log grows until it goes well again, or a commit moves it
                _log.exception("the write-ahead log could not be moved")

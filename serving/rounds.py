"""Something that is done again and again while the service runs: a task on its event loop, in every process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


class Rounds:
    """`start` on the event loop of the service, `stop` before what it works with stops."""

    def __init__(self, name: str, once: Callable[[], Awaitable[object]], *, pause_seconds: float) -> None:
        """`once` does one round; it is called again at once while it gives something true, and then after a pause."""
        self._name = name
        self._once = once
        self._pause = pause_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with a round at once."""
        self._task = asyncio.get_running_loop().create_task(self._serve(), name=self._name)

    async def stop(self) -> None:
        """Leave the rest to others, or to the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            try:
                while await self._once():
                    pass
            except Exception:  # noqa: BLE001 - the next round may go well
                _log.exception("a round of %s failed", self._name)
            await asyncio.sleep(self._pause)

"""Starts the processes that make simulations, and ends them with the service."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from typing import Final

from features.settings import Settings
from serving.clock import now_us
from serving.policy import simulations
from serving.problems import Unavailable
from serving.writer import GroupWriter

_log = logging.getLogger(__name__)
#: A year of a large shop has to be assessed in it.
_LONGEST_S: Final = 3_600.0


class Simulator:
    """Use from the event loop of the service; `stop` before its writer stops."""

    def __init__(self, settings: Settings, writer: GroupWriter, *, longest_seconds: float = _LONGEST_S) -> None:
        self._settings = settings
        self._writer = writer
        self._longest = longest_seconds
        self._going: set[asyncio.Task[None]] = set()

    def begin(self, simulation_id: str) -> None:
        """Have a simulation made that was asked for."""
        task = asyncio.get_running_loop().create_task(self._make(simulation_id), name=f"simulation {simulation_id}")
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def stop(self) -> None:
        """End those that are not done; they are told to have ended."""
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)

    async def _make(self, simulation_id: str) -> None:
        process: Process | None = None
        trouble = "stopped"
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "serving.policy.work", simulation_id, env=self._environment(), stdin=DEVNULL
            )
            async with asyncio.timeout(self._longest):
                status = await process.wait()
            trouble = "internal" if status else ""
        except TimeoutError:
            trouble = "too_long"
        except OSError:
            _log.exception("the process of a simulation could not be started")
            trouble = "internal"
        finally:
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
            if trouble:
                await self._fail(simulation_id, trouble)

    async def _fail(self, simulation_id: str, trouble: str) -> None:
        """Note it, unless the process has said more itself."""
        try:
            await self._writer.run(lambda conn: simulations.fail(conn, simulation_id, trouble, now_us()))
        except Unavailable:
            _log.warning("the end of simulation %s could not be noted", simulation_id)

    def _environment(self) -> Mapping[str, str]:
        """This process's, with the settings of the service, and without the files of its metrics."""
        kept = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
        own = {f"RETURNWISE_{name.upper()}": str(value) for name, value in self._settings.model_dump().items()}
        return kept | own

"""What follows from what happened, shortly after it: disputes are settled, and customers are written to.

Notices are found by what is in the tables (a case that was opened, a conclusion, a restriction, a dispute), so none is
forgotten over a restart, nobody who changes a case has to think of them, and no shopper waits while one is written.
"""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.store import Ledger
from serving.clock import now_us
from serving.disputes import repository as disputes
from serving.disputes import service as dispute_service
from serving.model.holder import ModelSource
from serving.notices import notices, repository
from serving.notices.notices import Prepared
from serving.policy.source import in_force
from serving.problems import Unavailable
from serving.rounds import Rounds
from serving.writer import GroupWriter

#: What happened longer ago is not written about any more.
_LOOK_BACK: Final = 7 * DAY
_AT_ONCE: Final = 20
_PAUSE_S: Final = 2.0


class Correspondence(Rounds):
    """A task of the event loop; finding, searching and wording are done in a thread."""

    def __init__(
        self, ledger: Ledger, writer: GroupWriter, models: ModelSource, *, pause_seconds: float = _PAUSE_S
    ) -> None:
        super().__init__("correspondence", self.once, pause_seconds=pause_seconds)
        self._ledger = ledger
        self._writer = writer
        self._models = models

    async def once(self) -> int:
        """One round; gives how much was done."""
        settled = 0
        if await asyncio.to_thread(self._is_any_ended):
            settled = await self._writer.run(
                lambda conn: dispute_service.settle(conn, now=now_us(), hasher=self._ledger.hasher)
            )
        prepared = await asyncio.to_thread(self._prepare)
        if prepared:
            await self._writer.run(lambda conn: _make(conn, prepared))
        return settled + len(prepared)

    def _is_any_ended(self) -> bool:
        with self._ledger.read() as conn:
            return bool(disputes.ended(conn))

    def _prepare(self) -> list[Prepared]:
        now = now_us()
        try:
            model = self._models.current()
        except Unavailable:
            model = None
        with self._ledger.read() as conn:
            policy = in_force(conn)
            found = [
                notices.prepare(conn, due.kind, due.case_no, due.round, policy=policy, model=model, now=now)
                for due in repository.due(conn, now - _LOOK_BACK, _AT_ONCE)
            ]
        return [each for each in found if each is not None]


def _make(conn: Connection, prepared: list[Prepared]) -> None:
    for each in prepared:
        notices.make(conn, each, now=now_us())

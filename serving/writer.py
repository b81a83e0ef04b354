"""Group commit: requests that arrive together share one durable transaction.

A durable commit waits for the disk, so committing each request by itself would let the disk set the pace. Here one
component owns the process's only writing connection. Work handed to it runs on the event loop, one piece after the
other, each in a savepoint of the open transaction; whatever arrives while the group is being worked on joins it, and
whatever arrives during the commit makes up the next group. Nobody is answered before the commit is done. As all pieces
use one connection, each sees what those before it wrote: the group is committed whole or not at all, so none of them
can have seen something that then never was.

Between processes the database takes care: a transaction that writes excludes all others from its first statement to its
commit (`BEGIN IMMEDIATE`, or an advisory lock on PostgreSQL), so every piece reads the latest committed state.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.engine.base import RootTransaction

from features.ledger.sql import execute
from features.ledger.store import Ledger, Writer
from serving import metrics
from serving.checkpoints import Checkpoints
from serving.outages import is_outage
from serving.problems import Unavailable

_log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_IN_GROUP: Final = 64
#: A group that has worked so long is committed, even if more is waiting: the first in it should not wait for ever.
#: Several times what a commit takes, or commits would eat up what sharing them saves.
LONGEST_GROUP_S: Final = 0.030
#: With commits quicker than this, and nobody else waiting, the loop waits for the disk itself: handing a commit to
#: another thread and back costs about a tenth of a millisecond.
_QUICK_COMMIT_S: Final = 0.001
_NOT_WRITTEN = "The ledger could not be written; nothing of the request was kept. Send it again."


@dataclass(frozen=True, slots=True)
class Before:
    """What has to come before a piece of work: a quick look whether it is done already, and the doing, which may take
    longer."""

    is_done: Callable[[Connection], bool]
    do: Callable[[Connection], None]


@dataclass(slots=True)
class _Piece:
    work: Callable[[Connection], Any]
    before: Before | None
    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def make_ready(self, connection: Connection) -> None:
        """Do what comes before the work, once."""
        before, self.before = self.before, None
        if before is not None and not before.is_done(connection):
            before.do(connection)

    def is_ready(self, connection: Connection) -> bool:
        """Whether nothing has to come before the work any more."""
        if self.before is not None and self.before.is_done(connection):
            self.before = None
        return self.before is None

    def settle(self) -> None:
        if self.answer.done():  # its request was given up
            return
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.result)


class GroupWriter:
    """The one writer of this process. Use from one event loop: `start`, `run` from any task, `stop`."""

    def __init__(self, ledger: Ledger, *, taken_back: Callable[[], None] = lambda: None) -> None:
        """`taken_back` is called after a group could not be committed, for what remembers something read in it."""
        self._ledger = ledger
        self._taken_back = taken_back
        self._waiting: deque[_Piece] = deque()
        self._wanted = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._writer: Writer | None = None
        self._commit_s = _QUICK_COMMIT_S  # what commits take, lately
        self._checkpoints = Checkpoints(ledger)

    def start(self) -> None:
        """Begin to take work."""
        self._task = asyncio.get_running_loop().create_task(self._serve(), name="group-writer")
        self._checkpoints.start()

    async def stop(self) -> None:
        """Finish what is waiting, then let go of the connection."""
        self._stopping = True
        self._wanted.set()
        if self._task is not None:
            await self._task
        await self._checkpoints.stop()
        self._drop_connection()
        self._thread.shutdown()

    async def run(self, work: Callable[[Connection], T], *, before: Before | None = None) -> T:
        """The result of `work`, once everything it wrote is durable.

        `work` runs on the event loop and must not wait for anything but the database. What it raises takes back what
        it wrote, and nothing else, and is raised here. `before` may take longer; what it writes stays, whatever becomes
        of `work`, and what it raises ends the group.

        Raises:
            Unavailable: the group could not be committed; nothing of it was kept.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Piece(work, before, answer))
        self._wanted.set()
        return await answer

    async def _serve(self) -> None:
        while self._waiting or not self._stopping:
            await self._wanted.wait()
            try:
                if self._waiting:
                    await self._group()
            except Exception:  # noqa: BLE001 - without this task nobody would ever be answered again
                _log.exception("the writer goes on after a defect")
            if not self._waiting and not self._stopping:
                self._wanted.clear()

    async def _group(self) -> None:
        done: list[_Piece] = []
        try:
            connection, transaction = await self._begin()
            try:
                await self._work(connection, done)
                await self._commit(transaction)
            except BaseException:
                self._give_up(transaction)
                raise
        except Exception as error:  # noqa: BLE001 - whatever it was, all of the group must be answered
            _log.exception("a group of %d could not be committed", len(done) or len(self._waiting))
            if not done:
                done.extend(self._waiting)
                self._waiting.clear()
            for piece in done:  # also those that were refused: perhaps because of what is now taken back
                piece.error = _unavailable(error)
            metrics.commit_failures_total.inc()
            self._drop_connection()
            self._taken_back()
        finally:
            for piece in done:
                piece.settle()
        metrics.group_size.observe(len(done))

    async def _begin(self) -> tuple[Connection, RootTransaction]:
        """Opens the transaction; in the thread if another process holds the lock, for that may take a while.

        What has to come before the pieces that are waiting is done there, too: it may take longer than the loop can
        spare, when a day is over or after an ingest.
        """
        in_thread = asyncio.get_running_loop().run_in_executor
        writer = self._writer
        if writer is None:
            writer = self._writer = await in_thread(self._thread, self._ledger.writer)
        transaction = writer.begin_at_once()
        if transaction is None:
            transaction = await in_thread(self._thread, writer.begin)
        try:
            unready = [piece for piece in self._waiting if not piece.is_ready(writer.connection)]
            for piece in unready:
                await in_thread(self._thread, piece.make_ready, writer.connection)
        except BaseException:
            self._give_up(transaction)
            raise
        return writer.connection, transaction

    async def _work(self, connection: Connection, done: list[_Piece]) -> None:
        until = time.monotonic() + LONGEST_GROUP_S
        while self._waiting and len(done) < MOST_IN_GROUP:
            piece = self._waiting.popleft()
            if piece.answer.cancelled():
                continue
            done.append(piece)
            _perform(connection, piece)
            if time.monotonic() > until:
                break
            if not self._waiting:
                await asyncio.sleep(0)  # requests whose bodies are here already may join

    async def _commit(self, transaction: RootTransaction) -> None:
        began = time.monotonic()
        if self._commit_s < _QUICK_COMMIT_S and not self._waiting:
            transaction.commit()
        else:
            await asyncio.get_running_loop().run_in_executor(self._thread, transaction.commit)
        took = time.monotonic() - began
        self._commit_s += (took - self._commit_s) / 16
        metrics.commit_seconds.observe(took)
        self._checkpoints.note()

    def _give_up(self, transaction: RootTransaction) -> None:
        try:
            transaction.rollback()
        except Exception:  # noqa: BLE001 - closing the connection takes the transaction back, too
            _log.exception("a transaction could not be taken back")
            self._drop_connection()

    def _drop_connection(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except Exception:  # noqa: BLE001 - it is broken in any case
                _log.exception("a connection could not be closed")


def _perform(connection: Connection, piece: _Piece) -> None:
    """Runs one piece in a savepoint. An error that the savepoint cannot contain passes on, and ends the group."""
    piece.make_ready(connection)
    execute(connection, "SAVEPOINT piece")
    try:
        piece.result = piece.work(connection)
    except Exception as error:  # noqa: BLE001 - passed on to the request
        piece.error = error
        if is_outage(error):
            _log.exception("a piece of work could not be written")
            piece.error = _unavailable(error)
        execute(connection, "ROLLBACK TO SAVEPOINT piece")
    execute(connection, "RELEASE SAVEPOINT piece")


def _unavailable(cause: Exception) -> Unavailable:
    problem = Unavailable(_NOT_WRITTEN)
    problem.__cause__ = cause
    return problem

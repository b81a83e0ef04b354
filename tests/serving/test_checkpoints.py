from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.ledger.store import Ledger
from serving import checkpoints
from serving.checkpoints import Checkpoints
from tests.support.service import settings_of


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setattr(checkpoints, "_PAUSE_S", 0.01)
    ledger = Ledger.open(settings_of(tmp_path))
    yield ledger
    ledger.close()


async def until(condition: threading.Event) -> None:
    for _ in range(1_000):
        if condition.is_set():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


def test_the_log_is_moved_after_a_commit_and_beside_the_loop(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = threading.Event()
    checkpoint = ledger.checkpoint

    def watched() -> None:
        assert threading.current_thread() is not threading.main_thread()
        checkpoint()
        moved.set()

    monkeypatch.setattr(ledger, "checkpoint", watched)

    async def main() -> None:
        task = Checkpoints(ledger)
        task.start()
        await asyncio.sleep(0.05)
        assert not moved.is_set()
        task.note()
        await until(moved)
        await task.stop()

    asyncio.run(main())


def test_a_failure_is_no_end(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    failed, moved = threading.Event(), threading.Event()

    def first_not() -> None:
        if failed.is_set():
            moved.set()
        else:
            failed.set()
            raise OSError("the disk is away")

    monkeypatch.setattr(ledger, "checkpoint", first_not)

    async def main() -> None:
        task = Checkpoints(ledger)
        task.start()
        task.note()
        await until(failed)
        task.note()
        await until(moved)
        await task.stop()

    asyncio.run(main())
    assert "the disk is away" in caplog.text


def test_stopping_waits_for_what_is_being_done(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave, left = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        assert leave.wait(10)
        left.set()

    monkeypatch.setattr(ledger, "checkpoint", slow)

    async def main() -> None:
        task = Checkpoints(ledger)
        task.start()
        task.note()
        await until(entered)
        stopping = asyncio.ensure_future(task.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        leave.set()
        await stopping
        assert left.is_set()

    asyncio.run(main())

from __future__ import annotations

import asyncio
import logging

import pytest

from serving.rounds import Rounds


def test_goes_on_while_there_is_something_to_do_and_after_what_goes_wrong(caplog: pytest.LogCaptureFixture) -> None:
    left = [True, True, False, None, True, False]
    done = asyncio.Event()

    async def once() -> bool:
        if not left:
            done.set()
            return False
        now = left.pop(0)
        if now is None:
            raise OSError("the ledger is away")
        return now

    async def run() -> None:
        rounds = Rounds("the test", once, pause_seconds=0.0)
        rounds.start()
        await asyncio.wait_for(done.wait(), 10)
        await rounds.stop()

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == ["a round of the test failed"]


def test_that_never_began_can_be_stopped() -> None:
    async def once() -> None: ...

    asyncio.run(Rounds("the test", once, pause_seconds=1.0).stop())

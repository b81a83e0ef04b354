from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from features.ledger.store import Ledger
from serving import metrics
from serving.problems import Unavailable, wrong
from serving.writer import MOST_IN_GROUP, Before, GroupWriter
from tests.support.service import settings_of

Work = Callable[[Connection], Any]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    with ledger.write() as conn:
        conn.exec_driver_sql("CREATE TABLE notes (n INTEGER PRIMARY KEY)")
    yield ledger
    ledger.close()


def notes(ledger: Ledger) -> list[int]:
    with ledger.read() as conn:
        return [row[0] for row in conn.exec_driver_sql("SELECT n FROM notes ORDER BY n")]


def note(n: int) -> Work:
    def work(conn: Connection) -> int:
        conn.exec_driver_sql("INSERT INTO notes VALUES (?)", (n,))
        return n

    return work


def not_yet(_conn: Connection) -> bool:
    return False


def run(ledger: Ledger, test: Callable[[GroupWriter], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def main() -> Any:
        writer = GroupWriter(ledger, **options)
        writer.start()
        try:
            return await asyncio.wait_for(test(writer), 20)
        finally:
            await writer.stop()

    return asyncio.run(main())


async def all_of(writer: GroupWriter, *works: Work) -> list[Any]:
    return await asyncio.gather(*(writer.run(work) for work in works), return_exceptions=True)


def groups() -> float:
    return next(
        sample.value
        for metric in metrics.group_size.collect()
        for sample in metric.samples
        if sample.name.endswith("_count")
    )


def test_what_is_answered_can_be_read_by_others(ledger: Ledger) -> None:
    async def test(writer: GroupWriter) -> None:
        assert await writer.run(note(1)) == 1
        assert notes(ledger) == [1]

    run(ledger, test)


def test_requests_that_arrive_together_share_a_commit(ledger: Ledger) -> None:
    before = groups()
    answers = run(ledger, lambda writer: all_of(writer, *map(note, range(MOST_IN_GROUP))))
    assert answers == notes(ledger) == list(range(MOST_IN_GROUP))
    assert groups() - before <= 3


def test_a_group_has_a_limit(ledger: Ledger) -> None:
    count = 3 * MOST_IN_GROUP
    before = groups()
    assert run(ledger, lambda writer: all_of(writer, *map(note, range(count)))) == list(range(count))
    assert groups() - before >= 3


def test_nobody_is_answered_before_the_commit(ledger: Ledger) -> None:
    async def test(writer: GroupWriter) -> None:
        seen: list[list[int]] = []
        async with asyncio.TaskGroup() as tasks:
            for n in range(5):
                task = tasks.create_task(writer.run(note(n)))
                task.add_done_callback(lambda _: seen.append(notes(ledger)))
        assert all(len(each) == 5 for each in seen)

    run(ledger, test)


def test_each_sees_what_those_before_it_wrote(ledger: Ledger) -> None:
    def count(conn: Connection) -> int:
        conn.exec_driver_sql("INSERT INTO notes SELECT count(*) FROM notes")
        return int(conn.exec_driver_sql("SELECT count(*) FROM notes").scalar_one())

    assert run(ledger, lambda writer: all_of(writer, *[count] * 10)) == list(range(1, 11))


def test_a_refused_piece_leaves_no_trace_and_stops_nobody(ledger: Ledger) -> None:
    def refused(conn: Connection) -> None:
        note(7)(conn)
        raise wrong("no", "field")

    def broken(conn: Connection) -> None:
        note(8)(conn)
        raise ZeroDivisionError

    def twice(conn: Connection) -> None:
        note(9)(conn)
        note(1)(conn)  # breaks the primary key

    first, *others, last = run(ledger, lambda writer: all_of(writer, note(1), refused, broken, twice, note(2)))
    assert (first, last) == (1, 2)
    assert [type(other).__name__ for other in others] == ["Invalid", "ZeroDivisionError", "IntegrityError"]
    assert notes(ledger) == [1, 2]


def test_what_comes_before_a_piece_stays(ledger: Ledger) -> None:
    def refused(conn: Connection) -> None:
        note(7)(conn)
        raise wrong("no", "field")

    async def test(writer: GroupWriter) -> None:
        with pytest.raises(Exception, match="no"):
            await writer.run(refused, before=Before(not_yet, lambda conn: note(1)(conn) and None))

    run(ledger, test)
    assert notes(ledger) == [1]


def fail_commit(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the next commits fail as on a full disk."""
    left = [times]
    commit = sa.engine.default.DefaultDialect.do_commit

    def failing(self: Any, connection: Any) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise sqlite3.OperationalError("database or disk is full")
        commit(self, connection)

    monkeypatch.setattr(sa.engine.default.DefaultDialect, "do_commit", failing)


def test_a_commit_that_fails_takes_back_the_group(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_back: list[bool] = []

    def refused(conn: Connection) -> None:
        raise wrong("because of what is taken back", "field")

    async def test(writer: GroupWriter) -> None:
        fail_commit(monkeypatch, 1)
        answers = await all_of(writer, note(1), refused, note(2))
        assert all(isinstance(answer, Unavailable) for answer in answers)
        assert notes(ledger) == []
        assert await all_of(writer, note(1), note(2)) == [1, 2]

    run(ledger, test, taken_back=lambda: taken_back.append(True))
    assert notes(ledger) == [1, 2]
    assert taken_back == [True]


def test_a_full_disk_within_a_piece(ledger: Ledger) -> None:
    def full(conn: Connection) -> None:
        note(5)(conn)
        raise sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    first, second, third = run(ledger, lambda writer: all_of(writer, note(1), full, note(2)))
    assert (first, third) == (1, 2)
    assert isinstance(second, Unavailable)
    assert notes(ledger) == [1, 2]


def test_a_transaction_that_the_database_ended_by_itself(ledger: Ledger) -> None:
    def ended(conn: Connection) -> None:
        conn.exec_driver_sql("ROLLBACK")
        raise sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("disk I/O error"))

    async def test(writer: GroupWriter) -> None:
        answers = await all_of(writer, note(1), ended, note(2))
        assert all(isinstance(answer, Unavailable) for answer in answers[:2])
        assert 1 not in notes(ledger)
        assert await writer.run(note(3)) == 3

    run(ledger, test)


def test_the_loop_goes_on_while_somebody_else_writes(ledger: Ledger) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with ledger.write() as conn:
            note(1)(conn)
            entered.set()
            leave.wait(10)

    async def test(writer: GroupWriter) -> None:
        thread = threading.Thread(target=hold)
        thread.start()
        await asyncio.to_thread(entered.wait)
        answer = asyncio.ensure_future(writer.run(lambda conn: notes_in(conn)))
        for _ in range(20):  # the loop is free
            await asyncio.sleep(0.005)
        assert not answer.done()
        leave.set()
        assert await answer == [1]  # and what the other wrote is seen
        thread.join()

    run(ledger, test)


def notes_in(conn: Connection) -> list[int]:
    return [row[0] for row in conn.exec_driver_sql("SELECT n FROM notes ORDER BY n")]


def test_who_gives_up_before_the_turn_changes_nothing(ledger: Ledger) -> None:
    async def test(writer: GroupWriter) -> None:
        first = asyncio.ensure_future(writer.run(note(1)))
        second = asyncio.ensure_future(writer.run(note(2)))
        await asyncio.sleep(0)
        second.cancel()
        assert await first == 1
        with pytest.raises(asyncio.CancelledError):
            await second

    run(ledger, test)
    assert notes(ledger) == [1]


def test_stopping_finishes_what_is_waiting(ledger: Ledger) -> None:
    async def main() -> list[Any]:
        writer = GroupWriter(ledger)
        writer.start()
        answers = [asyncio.ensure_future(writer.run(note(n))) for n in range(200)]
        await asyncio.sleep(0)
        await writer.stop()
        return await asyncio.gather(*answers)

    assert asyncio.run(main()) == notes(ledger) == list(range(200))


def test_what_comes_before_runs_beside_the_loop(ledger: Ledger) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(conn: Connection) -> None:
        entered.set()
        assert leave.wait(10)

    async def test(writer: GroupWriter) -> None:
        answer = asyncio.ensure_future(writer.run(note(1), before=Before(not_yet, slow)))
        while not entered.is_set():
            await asyncio.sleep(0.001)
        leave.set()  # the loop was free to do so
        assert await answer == 1

    run(ledger, test)


def test_what_is_done_already_is_not_done_again(ledger: Ledger) -> None:
    def never(_conn: Connection) -> None:
        raise AssertionError("it was done")

    async def test(writer: GroupWriter) -> None:
        answers = [writer.run(note(n), before=Before(lambda _conn: True, never)) for n in range(3)]
        assert await asyncio.gather(*answers) == [0, 1, 2]

    run(ledger, test)


def test_the_loop_is_free_while_another_process_writes(ledger: Ledger) -> None:
    async def test(writer: GroupWriter) -> None:
        assert await writer.run(note(1)) == 1
        with ledger.write() as other:
            note(2)(other)
            answer = asyncio.ensure_future(writer.run(note(3)))
            for _ in range(20):
                await asyncio.sleep(0.001)  # comes back each time
            assert not answer.done()
        assert await answer == 3

    run(ledger, test)
    assert notes(ledger) == [1, 2, 3]


def test_slow_commits_are_waited_for_beside_the_loop(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    commit = sa.engine.base.RootTransaction.commit

    def watched(self: Any) -> None:
        threads.append(threading.current_thread().name)
        commit(self)

    monkeypatch.setattr(sa.engine.base.RootTransaction, "commit", watched)

    async def test(writer: GroupWriter) -> None:
        await writer.run(note(1))
        writer._commit_s = 0.0001
        await writer.run(note(2))

    run(ledger, test)
    assert threads[0].startswith("commit")
    assert threads[1] == threading.main_thread().name


def test_what_comes_before_fails(ledger: Ledger) -> None:
    def broken(conn: Connection) -> None:
        note(7)(conn)
        raise ZeroDivisionError

    async def test(writer: GroupWriter) -> None:
        with pytest.raises(Unavailable):
            await writer.run(note(1), before=Before(not_yet, broken))
        assert await writer.run(note(2)) == 2

    run(ledger, test)
    assert notes(ledger) == [2]


def test_goes_on_if_what_remembers_cannot_forget(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    async def test(writer: GroupWriter) -> None:
        fail_commit(monkeypatch, 1)
        with pytest.raises(Unavailable):
            await writer.run(note(1))
        assert await writer.run(note(2)) == 2

    run(ledger, test, taken_back=broken)

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.ledger import store
from features.ledger.errors import LedgerError
from features.ledger.identity import KeyHasher
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.settings import Settings

INSERT = "INSERT INTO ledger_meta (name, value) VALUES (?, ?)"
COUNT = "SELECT count(*) FROM ledger_meta WHERE name LIKE 'test%'"


def count(ledger: Ledger) -> int:
    with ledger.read() as conn:
        return int(conn.exec_driver_sql(COUNT).scalar_one())


def write_and_fail(ledger: Ledger, statement: str, *parameters: Any) -> None:
    with ledger.write() as conn:
        conn.exec_driver_sql(statement, parameters)
        raise RuntimeError("in the middle")


class TestOpen:
    def test_sets_what_makes_sqlite_durable_and_strict(self, ledger: Ledger) -> None:
        for transaction in (ledger.read, ledger.write):
            with transaction() as conn:
                pragmas = {
                    name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
                }
            assert pragmas == {
                "journal_mode": "wal",
                "synchronous": 2,  # FULL: a commit is on the disk when it returns
                "foreign_keys": 1,
                "busy_timeout": store.BUSY_TIMEOUT_MS,
            }

    def test_errors_do_not_repeat_what_was_to_be_written(self, ledger: Ledger) -> None:
        with ledger.write() as conn:
            conn.exec_driver_sql(INSERT, ("test", "words of somebody"))
            with pytest.raises(sa.exc.IntegrityError) as told:
                conn.exec_driver_sql(INSERT, ("test", "words of somebody"))
        assert "words of somebody" not in str(told.value)

    def test_makes_the_home_and_finds_it_again(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "a" / "b", database_url="")
        first = Ledger.open(settings)
        with first.write() as conn:
            conn.exec_driver_sql(INSERT, ("test", 7))
        first.close()
        again = Ledger.open(settings)
        assert count(again) == 1
        assert again.url == f"sqlite:///{tmp_path / 'a' / 'b' / 'ledger.db'}"
        again.close()

    def test_leaves_logging_as_it_is(self, tmp_path: Path) -> None:
        mine = logging.getLogger("a.logger.that.was.there.before")
        before = (list(logging.root.handlers), logging.root.level, logging.getLogger("alembic").level)
        Ledger.open(Settings(home=tmp_path, database_url="")).close()
        assert not mine.disabled
        assert before == (list(logging.root.handlers), logging.root.level, logging.getLogger("alembic").level)

    def test_says_nothing(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        Ledger.open(Settings(home=tmp_path, database_url="")).close()
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_refuses_a_ledger_in_memory(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(LedgerError, match="needs a file"):
            Ledger.open(Settings(home=tmp_path, database_url=url))

    def test_refuses_other_databases(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="not mysql"):
            Ledger.open(Settings(home=tmp_path, database_url="mysql://host/ledger"))

    def test_refuses_what_is_no_url(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="RETURNWISE_DATABASE_URL"):
            Ledger.open(Settings(home=tmp_path, database_url="no url"))

    def test_refuses_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").write_text("not a database " * 100)
        with pytest.raises(LedgerError, match="cannot be opened: file is not a database"):
            Ledger.open(Settings(home=tmp_path, database_url=""))

    def test_says_if_the_home_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(LedgerError, match=r"cannot be opened: .*Not a directory"):
            Ledger.open(Settings(home=tmp_path / "file" / "home", database_url=""))

    def test_hides_a_password(self, tmp_path: Path) -> None:
        url = "postgresql+psycopg://user:secret@127.0.0.1:1/none"
        with pytest.raises(LedgerError) as caught:
            Ledger.open(Settings(home=tmp_path, database_url=url))
        assert "secret" not in str(caught.value)


class TestHasher:
    def test_is_that_of_the_settings(self, ledger: Ledger, settings: Settings) -> None:
        assert ledger.hasher.email("x") == KeyHasher.open(settings).email("x")
        assert ledger.hasher is ledger.hasher

    def test_another_key_is_refused(self, settings: Settings) -> None:
        ledger = Ledger.open(settings.model_copy(update={"hash_key": "another"}))
        with pytest.raises(LedgerError, match="hash key is not the one"):
            _ = ledger.hasher
        ledger.close()

    def test_a_key_file_in_place_of_the_lost_one_is_refused(self, settings: Settings) -> None:
        (settings.home / "hash.key").write_text("00" * 32)
        ledger = Ledger.open(settings)
        with pytest.raises(LedgerError, match="hash key is not the one"):
            _ = ledger.hasher
        ledger.close()

    def test_a_lost_key_is_not_made_anew(self, settings: Settings) -> None:
        (settings.home / "hash.key").unlink()
        ledger = Ledger.open(settings)
        with pytest.raises(LedgerError, match=r"hash\.key is missing: put the file back"):
            _ = ledger.hasher
        assert not (settings.home / "hash.key").exists()
        ledger.close()

    def test_who_only_reads_needs_no_key(self, settings: Settings) -> None:
        (settings.home / "hash.key").unlink()
        ledger = Ledger.open(settings)
        assert count(ledger) == 0
        ledger.close()

    def test_can_be_asked_for_in_the_middle_of_writing(self, settings: Settings) -> None:
        ledger = Ledger.open(settings)
        with ledger.write():
            assert ledger.hasher.email("x")
        ledger.close()


class TestWrite:
    def test_commits(self, ledger: Ledger) -> None:
        with ledger.write() as conn:
            conn.exec_driver_sql(INSERT, ("test", 1))
        assert count(ledger) == 1

    def test_takes_everything_back_on_an_error(self, ledger: Ledger) -> None:
        with pytest.raises(RuntimeError, match="in the middle"):
            write_and_fail(ledger, INSERT, "test", 1)
        assert count(ledger) == 0

    def test_schema_changes_are_taken_back_too(self, ledger: Ledger) -> None:
        with pytest.raises(RuntimeError, match="in the middle"):
            write_and_fail(ledger, "CREATE TABLE half_done (a int)")
        with ledger.read() as conn:
            assert not sa.inspect(conn).has_table("half_done")

    def test_holds_the_lock_from_its_beginning(self, ledger: Ledger, settings: Settings) -> None:
        other = sqlite3.connect(settings.home / "ledger.db", timeout=0, isolation_level=None)
        with ledger.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.close()

    def test_writers_that_read_first_lose_no_update(self, ledger: Ledger) -> None:
        """With deferred transactions some of these would fail, or overwrite what another has just written."""
        with ledger.write() as conn:
            conn.exec_driver_sql(INSERT, ("test", 0))

        def add() -> None:
            for _ in range(20):
                with ledger.write() as conn:
                    value = conn.exec_driver_sql("SELECT value FROM ledger_meta WHERE name = 'test'").scalar_one()
                    time.sleep(0.0002)
                    conn.exec_driver_sql("UPDATE ledger_meta SET value = ? WHERE name = 'test'", (value + 1,))

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with ledger.read() as conn:
            assert conn.exec_driver_sql("SELECT value FROM ledger_meta WHERE name = 'test'").scalar() == 80

    def test_refuses_a_child_without_its_parent(self, ledger: Ledger) -> None:
        with pytest.raises(sa.exc.IntegrityError), ledger.write() as conn:
            conn.exec_driver_sql(
                "INSERT INTO deliveries (order_no, delivered_at, proof, recorded_at, pooled_at, digest) "
                "VALUES (99, 1, 'scan', 1, 1, x'00')"
            )


class TestRead:
    def test_sees_one_state_and_does_not_block_writers(self, ledger: Ledger) -> None:
        with ledger.read() as reader:
            before = reader.exec_driver_sql(COUNT).scalar()
            with ledger.write() as conn:
                conn.exec_driver_sql(INSERT, ("test", 1))
            assert reader.exec_driver_sql(COUNT).scalar() == before == 0
        assert count(ledger) == 1

    def test_keeps_nothing_that_was_written_by_mistake(self, ledger: Ledger) -> None:
        with ledger.read() as conn:
            conn.exec_driver_sql(INSERT, ("test", 1))
        assert count(ledger) == 0


def _open(home: Path, start: multiprocessing.synchronize.Event, answers: multiprocessing.Queue[str | int]) -> None:
    start.wait()
    try:
        ledger = Ledger.open(Settings(home=home, database_url="", hash_key=""))
        answers.put(ledger.hasher.fingerprint)
        ledger.close()
    except LedgerError as error:
        answers.put(repr(error))


def _write_and_vanish(home: Path, *, commit: bool) -> None:
    ledger = Ledger.open(Settings(home=home, database_url="", hash_key=""))
    with ledger.write() as conn:
        conn.exec_driver_sql(INSERT, ("test", 1))
        if not commit:
            os._exit(0)
    os._exit(0)


class TestProcesses:
    def test_several_may_open_a_new_ledger_at_once(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        start, answers = context.Event(), context.Queue()
        processes = [context.Process(target=_open, args=(tmp_path, start, answers)) for _ in range(4)]
        for process in processes:
            process.start()
        start.set()
        found = [answers.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
        key = KeyHasher.open(Settings(home=tmp_path, hash_key="")).fingerprint
        assert found == [key] * 4

    @pytest.mark.parametrize("commit", [True, False])
    def test_what_was_committed_stays_and_nothing_else(self, settings: Settings, *, commit: bool) -> None:
        process = multiprocessing.get_context("spawn").Process(
            target=_write_and_vanish, args=(settings.home,), kwargs={"commit": commit}
        )
        process.start()
        process.join()
        ledger = Ledger.open(settings)
        assert count(ledger) == int(commit)
        ledger.close()


class TestWriter:
    def test_does_not_wait_where_it_need_not(self, ledger: Ledger) -> None:
        writer = ledger.writer()
        with ledger.write():
            began = time.monotonic()
            assert writer.begin_at_once() is None
            assert time.monotonic() - began < 5
        transaction = writer.begin_at_once()
        assert transaction is not None
        writer.connection.exec_driver_sql(INSERT, ("test", 1))
        transaction.commit()
        writer.close()
        assert count(ledger) == 1

    def test_waits_where_it_must(self, ledger: Ledger) -> None:
        writer = ledger.writer()
        assert writer.begin_at_once() is not None  # from now on it does not wait by itself
        writer.connection.rollback()
        other = ledger.writer()
        held = other.begin()
        began = time.monotonic()
        threading.Timer(0.3, held.rollback).start()
        writer.begin().rollback()
        assert 0.2 < time.monotonic() - began < 20
        other.close()
        writer.close()

    def test_need_not_wait_for_the_disk_and_is_seen_by_others_all_the_same(self, ledger: Ledger) -> None:
        writers = [ledger.writer(), ledger.writer(durable=False)]
        levels = [rows(writer.connection, "PRAGMA synchronous")[0][0] for writer in writers]
        assert levels == [2, 1]  # FULL, NORMAL
        with writers[1].begin():
            writers[1].connection.exec_driver_sql(INSERT, ("test", 1))
        assert count(ledger) == 1
        for writer in writers:
            writer.close()

    def test_is_not_lent_to_anybody_else(self, ledger: Ledger) -> None:
        writer = ledger.writer()
        driver = writer.connection.connection.driver_connection
        writer.close()
        with ledger.write() as conn:
            assert conn.connection.driver_connection is not driver
            assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == store.BUSY_TIMEOUT_MS


def test_checkpoint_moves_the_log_while_somebody_writes(ledger: Ledger, tmp_path: Path) -> None:
    writer = ledger.writer()
    transaction = writer.begin()
    writer.connection.exec_driver_sql(INSERT, ("test", 1))
    transaction.commit()
    open_again = writer.begin()
    writer.connection.exec_driver_sql(INSERT, ("test2", 1))
    ledger.checkpoint()
    open_again.rollback()
    writer.close()
    copy = tmp_path / "without its log.db"
    shutil.copy(str(ledger.engine.url.database), copy)
    alone = sqlite3.connect(copy)
    assert alone.execute(COUNT).fetchone() == (1,)
    alone.close()

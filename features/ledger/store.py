"""The ledger's database: opening it, reading from it and writing to it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.engine.base import RootTransaction
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from features.ledger import schema
from features.ledger.errors import LedgerError
from features.ledger.identity import KeyHasher
from features.ledger.sql import execute, rows
from features.ledger.tables import ledger_meta
from features.settings import Settings

#: How long a writer waits for another one before it gives up, in milliseconds.
BUSY_TIMEOUT_MS = 30_000
#: From so many pages of write-ahead log on (64 MiB) a commit moves them itself, whoever else should have done so.
_MOST_LOG_PAGES = 16_384

_WRITES = "returnwise_writes"  # execution option of connections that write
_WRITER_LOCK = 7_265_747_542  # PostgreSQL advisory lock: one writer at a time, as in SQLite
_FINGERPRINT = sa.select(ledger_meta.c.value).where(ledger_meta.c.name == "hash_key")


class Ledger:
    """One database with the ledger's tables. Threads may share it; `close` when done.

    Writers take turns, from the first statement of a transaction to its last: what `features.ledger.append` checks
    still holds when it writes. Readers see the ledger as it was at their first statement and never wait.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self._settings = settings
        self._hasher: KeyHasher | None = None
        self._writer = engine.execution_options(**{_WRITES: True})
        on_postgresql = engine.dialect.name == "postgresql"
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ") if on_postgresql else engine

    @classmethod
    def open(cls, settings: Settings) -> Ledger:
        """Opens the ledger of `settings`, made or migrated as needed.

        Raises:
            LedgerError: it cannot be opened, or was made by a newer version.
        """
        try:
            url = make_url(settings.ledger_url)
        except SQLAlchemyError as error:
            raise LedgerError("RETURNWISE_DATABASE_URL is not the URL of a database") from error
        try:
            ledger = cls(_engine(url), settings)
            try:
                ledger._prepare()
            except BaseException:
                ledger.close()
                raise
        except (SQLAlchemyError, ImportError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise LedgerError(f"the ledger {url.render_as_string()} cannot be opened: {cause}") from error
        return ledger

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database, without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @property
    def hasher(self) -> KeyHasher:
        """Makes the keyed hashes of this ledger. Only who appends needs it, and the key.

        Raises:
            LedgerError: the key is gone, or is not the one that the ledger was filled with. With another key, every
                known address would look new.
        """
        if self._hasher is None:
            hasher = KeyHasher.open(self._settings, make=False)
            if hasher.fingerprint != self._fingerprint():
                raise LedgerError(
                    "the hash key is not the one this ledger was filled with: put back the file hash.key, "
                    "or set RETURNWISE_HASH_KEY to the former key"
                )
            self._hasher = hasher
        return self._hasher

    def close(self) -> None:
        """Closes the connections that are not in use."""
        self.engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; commits at the end, or takes everything back if an exception passes through."""
        with self._writer.connect() as conn, conn.begin():
            yield conn

    def writer(self, *, durable: bool = True) -> Writer:
        """A connection whose transactions write, for one who keeps it.

        If not `durable`, a commit does not wait for the disk: a power cut may take back the latest of them, each as a
        whole. For what can be computed again.
        """
        return Writer(self._writer.connect(), durable=durable)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one unchanging state of the ledger."""
        with self._reader.connect() as conn:
            yield conn

    def checkpoint(self) -> None:
        """Moves what was committed from SQLite's write-ahead log into the database file, beside whoever writes. Another
        database has no such log, or sees to it by itself."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as conn:
                rows(conn, "PRAGMA wal_checkpoint(PASSIVE)")

    def _prepare(self) -> None:
        with self.read() as conn:
            ready = schema.current_revision(conn) == schema.HEAD
        if not ready:
            with self.write() as conn:  # somebody else may be doing the same: look again once it is our turn
                if schema.current_revision(conn) != schema.HEAD:
                    schema.upgrade(conn)
        if self._fingerprint() is None:
            hasher = KeyHasher.open(self._settings)
            with self.write() as conn:
                if conn.execute(_FINGERPRINT).scalar() is None:
                    conn.execute(sa.insert(ledger_meta).values(name="hash_key", value=hasher.fingerprint))

    def _fingerprint(self) -> int | None:
        """What the ledger remembers of the key it was filled with."""
        with self.read() as conn:
            return conn.execute(_FINGERPRINT).scalar()


class Writer:
    """A connection that writes one transaction after the other, for one who also calls `Ledger.checkpoint` now and
    then. Not in the pool: closing it really does."""

    def __init__(self, connection: Connection, *, durable: bool = True) -> None:
        connection.detach()
        if connection.dialect.name == "sqlite":
            execute(connection, f"PRAGMA wal_autocheckpoint = {_MOST_LOG_PAGES}")
            if not durable:
                execute(connection, "PRAGMA synchronous = NORMAL")
        self.connection = connection
        self._durable = durable
        self._waits = True  # for another process that writes

    def begin_at_once(self) -> RootTransaction | None:
        """Begins a transaction if no other writer holds it up; otherwise, or if that cannot be told, `None`."""
        if self.connection.dialect.name != "sqlite":
            return None
        self._wait(False)
        try:
            return self.connection.begin()
        except OperationalError:
            return None

    def begin(self) -> RootTransaction:
        """Begins a transaction; may wait for another writer."""
        self._wait(True)
        transaction = self.connection.begin()
        if not self._durable and self.connection.dialect.name == "postgresql":
            execute(self.connection, "SET LOCAL synchronous_commit = off")
        return transaction

    def close(self) -> None:
        """Closes the connection; what was not committed is taken back."""
        self.connection.close()

    def _wait(self, wanted: bool) -> None:
        if self.connection.dialect.name == "sqlite" and self._waits != wanted:
            execute(self.connection, f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS if wanted else 0}")
            self._waits = wanted


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    if url.get_backend_name() == "postgresql":
        return _postgresql_engine(url)
    raise LedgerError(f"the ledger needs SQLite or PostgreSQL, not {url.get_backend_name()}")


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise LedgerError("the ledger needs a file: what is kept in memory would be lost")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=8, max_overflow=32, query_cache_size=1_000, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # Python's sqlite3 would begin transactions by itself, always deferred and only before the first change
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        _use_wal(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("PRAGMA cache_size = -65536")  # KiB
        cursor.execute("PRAGMA mmap_size = 1073741824")  # scattered pages are read without a system call each
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        # a deferred transaction that reads first and writes later fails at once if somebody else wrote in between
        execute(conn, "BEGIN IMMEDIATE" if _writes(conn) else "BEGIN")

    return engine


def _use_wal(cursor: sqlite3.Cursor) -> None:
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:  # of several processes that open a new file at once, SQLite turns some away without waiting
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _postgresql_engine(url: URL) -> Engine:
    engine = sa.create_engine(url, isolation_level="READ COMMITTED", pool_pre_ping=True, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        if _writes(conn):  # each later statement sees what the writer before has committed: not so if repeatable
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")

    return engine


def _writes(conn: Connection) -> bool:
    return bool(conn.get_execution_options().get(_WRITES))

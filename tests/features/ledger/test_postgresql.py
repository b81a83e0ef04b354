"""The ledger on PostgreSQL holds the same as on SQLite, and keeps the same promises.

Runs where `RETURNWISE_TEST_POSTGRESQL` is the URL of an empty database that may be filled, such as
`postgresql+psycopg://user@127.0.0.1/test`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from features.busy import BusyKeys
from features.clock import DAY, day_of
from features.history import PARTIES, of_keys
from features.kernel import one
from features.ledger import schema, tables
from features.ledger.append import TABLES
from features.ledger.append.lookups import watermarks_of
from features.ledger.errors import LedgerError
from features.ledger.events import remember_events
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.ledger.watermarks import raise_watermarks
from features.offline import Frames
from features.population import close_days
from features.request import assessed_returns
from features.settings import Settings
from serving import tables as service_tables
from tests.support.histories import make_history

URL = os.environ.get("RETURNWISE_TEST_POSTGRESQL", "")
KEYS = ", ".join(f"{party}_id" for party in PARTIES)
pytestmark = pytest.mark.skipif(not URL, reason="RETURNWISE_TEST_POSTGRESQL is not set: no PostgreSQL to test on")


@pytest.fixture
def server(tmp_path: Path) -> Settings:
    engine = sa.create_engine(URL)
    with engine.begin() as conn:
        found = sa.MetaData()
        found.reflect(conn)
        found.drop_all(conn)
    engine.dispose()
    return Settings(home=tmp_path / "home", database_url=URL, hash_key="")  # the home, and so the key, of `settings`


@pytest.fixture
def remote(server: Settings, book: Any) -> Iterator[Any]:
    """A book on PostgreSQL."""
    ledger = Ledger.open(server)
    yield type(book)(ledger)
    ledger.close()


@pytest.mark.parametrize("live", [False, True])
def test_holds_the_same_as_on_sqlite(book: Any, remote: Any, *, live: bool) -> None:
    rows = book.rows
    raw = {"email_id": "ann@example.com", "address_id": "a", "payment_id": "p", "device_id": "d"}
    batches = {
        "orders": [rows.order(f"O{n}", customer_id=f"C{n % 5}", **raw) for n in range(20)],
        "order_lines": [rows.line(f"O{n}", line) for n in range(-1, 20) for line in "12"],
        "deliveries": [rows.delivery(f"O{n}") for n in range(20)],
        "returns": [rows.returned(f"R{n}", f"O{n // 3}", quantity=2, customer_id=f"C{n % 2}") for n in range(12)],
        "inspections": [rows.inspection(f"R{n}", trigger="random", propensity=0.1) for n in range(12)],
        "verdicts": [rows.verdict(f"R{n}") for n in range(12)],
    }
    for each in (book, remote):
        with each.ledger.write() as conn:
            raise_watermarks(conn, [("customer", "C1"), ("address", "other")], rows.now - 20 * DAY)
            conn.execute(sa.insert(tables.ledger_meta).values(name="open_day", value=19_985))
    for table in TABLES:
        for _ in range(2):
            outcome = book.append(table, *batches[table], live=live)
            assert remote.append(table, *batches[table], live=live) == outcome
    assert remote.content() == book.content()


def test_gives_the_values_that_sqlite_gives(server: Settings, tmp_path: Path) -> None:
    """Days closed, histories read for one request and for many, busy keys brought forward."""
    found = []
    for url in ("", server.database_url):
        made = make_history(tmp_path / ("there" if url else "here"), 4, orders=40, database_url=url)
        moment = max(made.moments)
        with made.ledger.write() as conn:
            for day in range(day_of(min(made.moments)), day_of(moment) + 1, 7):
                close_days(conn, day)
            close_days(conn, day_of(moment))
            expected = rows(conn, "SELECT order_no, line_id, expected_ppm FROM order_lines ORDER BY 1, 2")
            busy = BusyKeys(busy_from=3)
            values = []
            for _ in range(2):
                for order_id, *ids in rows(conn, f"SELECT order_id, {KEYS} FROM orders ORDER BY order_no"):
                    keys = dict(zip(PARTIES, ids, strict=True))
                    taken = busy.take(conn, keys)
                    history = of_keys(conn, keys, order_id, without=taken)
                    busy.note(conn, keys, history)
                    values.append(one.values(history, keys, history.order_no(order_id), moment, taken))
            frame = assessed_returns(conn)
            chunks = sorted(
                (number, row.tobytes())
                for numbers, table in Frames(conn).vectors(frame)
                for number, row in zip(numbers.tolist(), table, strict=True)
            )
        made.ledger.close()
        found.append((expected, np.array(values).tobytes(), frame.to_csv(), chunks))
    assert found[0] == found[1]


def test_watermarks_and_events(remote: Any) -> None:
    keys = [("customer", "a"), ("email", "b")]
    with remote.ledger.write() as conn:
        raise_watermarks(conn, keys, 10)
        raise_watermarks(conn, keys[:1], 20)
        raise_watermarks(conn, keys, 15)
        assert watermarks_of(conn, keys) == {keys[0]: 20, keys[1]: 15}
        event = ("e", "order", b"1" * 16, 5)
        assert remember_events(conn, [event, event, ("e", "order", b"2" * 16, 5)]) == ["new", "duplicate", "conflict"]
        assert remember_events(conn, [event]) == ["duplicate"]


def test_the_schema_is_that_of_the_tables(remote: Any) -> None:
    both: Any = [tables.metadata, service_tables.metadata]  # a list will do, whatever the signature says
    with remote.ledger.read() as conn:
        opts = {"compare_type": True, "version_table": schema.VERSION_TABLE, "target_metadata": both}
        assert compare_metadata(MigrationContext.configure(conn, opts=opts), both) == []


def test_writers_take_turns_and_see_what_the_one_before_wrote(remote: Any) -> None:
    book = remote
    book.ok("orders", book.rows.order())
    book.ok("order_lines", book.rows.line(quantity=1))
    outcomes = []

    def give_back(return_id: str) -> None:
        outcomes.append(book.append("returns", book.rows.returned(return_id)))

    threads = [threading.Thread(target=give_back, args=(f"R{n}",)) for n in range(8)]
    with book.ledger.write():
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        assert outcomes == []
    for thread in threads:
        thread.join()
    assert sum(outcome.accepted for outcome in outcomes) == 1


def test_readers_see_one_state(remote: Any) -> None:
    with remote.ledger.read() as conn:
        query = sa.select(sa.func.count()).select_from(tables.orders)
        assert conn.execute(query).scalar() == 0
        remote.ok("orders", remote.rows.order())
        assert conn.execute(query).scalar() == 0


def test_opening_again_and_with_another_key(remote: Any, server: Settings) -> None:
    Ledger.open(server).close()
    ledger = Ledger.open(server.model_copy(update={"hash_key": "another"}))
    with pytest.raises(LedgerError, match="hash key"), ledger.write():
        _ = ledger.hasher
    ledger.close()

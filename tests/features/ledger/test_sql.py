from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from features.ledger.sql import batches, execute, execute_many, marks, rows
from features.ledger.store import Ledger

INSERT = "INSERT INTO ledger_meta (name, value) VALUES (?, ?)"


def test_rows_and_batches_give_what_was_written(ledger: Ledger) -> None:
    with ledger.write() as conn:
        execute(conn, INSERT, ("test", 1))
        execute_many(conn, INSERT, ([f"test{n}", n] for n in range(2, 6)))
        found = rows(conn, f"SELECT value FROM ledger_meta WHERE name IN {marks(2)} ORDER BY 1", ["test", "test3"])
        assert found == [(1,), (3,)]
        parts = list(batches(conn, "SELECT value FROM ledger_meta WHERE name LIKE 'test%' ORDER BY 1", 2))
        assert parts == [[(1,), (2,)], [(3,), (4,)], [(5,)]]


@pytest.mark.parametrize(
    "statement",
    [
        lambda conn: rows(conn, "SELECT 1 FROM nowhere"),
        lambda conn: list(batches(conn, "SELECT 1 FROM nowhere")),
        lambda conn: execute(conn, "DELETE FROM nowhere"),
        lambda conn: execute_many(conn, "INSERT INTO nowhere VALUES (?)", [(1,)]),
    ],
)
def test_errors_are_sqlalchemys(ledger: Ledger, statement: Callable[[Connection], Any]) -> None:
    with ledger.write() as conn, pytest.raises(OperationalError, match="nowhere"):
        statement(conn)


def test_what_was_refused_is_told_from_what_failed(ledger: Ledger) -> None:
    with ledger.write() as conn:
        execute(conn, INSERT, ("test", 1))
        with pytest.raises(IntegrityError):
            execute(conn, INSERT, ("test", 2))

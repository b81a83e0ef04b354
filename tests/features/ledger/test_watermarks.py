from __future__ import annotations

from typing import Any

import pytest

from features.ledger.append.lookups import CHUNK, watermarks_of
from features.ledger.store import Ledger
from features.ledger.watermarks import raise_watermarks

ANN, HOUSE = ("customer", "ann"), ("address", "ann")


def test_rise_and_never_sink(ledger: Ledger) -> None:
    with ledger.write() as conn:
        raise_watermarks(conn, [ANN, HOUSE], 10)
        raise_watermarks(conn, [ANN], 20)
        raise_watermarks(conn, [ANN, HOUSE], 15)
    with ledger.read() as conn:
        assert watermarks_of(conn, [ANN, HOUSE, ("device", "ann")]) == {ANN: 20, HOUSE: 15}


def test_a_key_named_twice_is_raised_once(ledger: Ledger) -> None:
    with ledger.write() as conn:
        raise_watermarks(conn, [ANN, ANN], 10)
    with ledger.read() as conn:
        assert watermarks_of(conn, [ANN]) == {ANN: 10}


def test_no_keys_are_no_trouble(ledger: Ledger) -> None:
    with ledger.write() as conn:
        raise_watermarks(conn, [], 10)
        assert watermarks_of(conn, []) == {}


@pytest.mark.parametrize("count", [CHUNK, 3 * CHUNK + 1])
def test_many_keys_are_found(ledger: Ledger, count: int) -> None:
    keys = [("customer" if number % 2 else "email", str(number)) for number in range(count)]
    with ledger.write() as conn:
        for start in range(0, count, 1000):
            raise_watermarks(conn, keys[start : start + 1000], 7)
        assert watermarks_of(conn, keys) == dict.fromkeys(keys, 7)
        raise_watermarks(conn, keys, 8)
        assert watermarks_of(conn, keys) == dict.fromkeys(keys, 8)


def test_looking_one_up_does_not_read_them_all(ledger: Ledger) -> None:
    statements: list[str] = []
    with ledger.write() as conn:
        driver: Any = conn.connection.driver_connection
        driver.set_trace_callback(statements.append)
        watermarks_of(conn, [ANN, HOUSE])
        driver.set_trace_callback(None)
        (statement,) = [text for text in statements if "watermarks" in text]
        plan = " ".join(row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}"))
    assert "SEARCH watermarks USING PRIMARY KEY (entity=? AND key=?)" in plan
    assert "SCAN" not in plan

"""What is kept of busy keys must give the values of a fresh read, whatever happened in between and whoever did it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from features.busy import BusyKeys
from features.clock import DAY
from features.declarations import LINKS
from features.history import PARTIES, of_keys
from features.kernel import one
from features.ledger import changes
from features.ledger import vocabulary as words
from features.ledger.append import append_rows
from features.ledger.sql import rows
from features.ledger.watermarks import raise_watermarks
from features.population import close_days
from tests.support.histories import NOW, Made, make_history

MOMENT = NOW - 30 * DAY


class Refused(Exception):
    """A piece of work that is taken back."""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    made = make_history(tmp_path, 21, orders=60)
    yield made
    made.ledger.close()


def of_order(conn: Connection, order_no: int) -> dict[str, str | None]:
    (found,) = rows(
        conn,
        "SELECT customer_id, email_id, address_id, payment_id, device_id FROM orders WHERE order_no = ?",
        (order_no,),
    )
    return dict(zip(PARTIES, found, strict=True))  # PARTIES: customer, email, address, payment, device


def with_memory(conn: Connection, busy: BusyKeys, keys: dict[str, str | None], moment: int) -> tuple[np.ndarray, int]:
    taken = busy.take(conn, keys)
    history = of_keys(conn, keys, None, without=taken)
    busy.note(conn, keys, history)
    return one.values(history, keys, None, moment, taken), len(taken)


def afresh(conn: Connection, keys: dict[str, str | None], moment: int) -> np.ndarray:
    return one.values(of_keys(conn, keys, None), keys, None, moment)


def something_happens(conn: Connection, made: Made, rng: random.Random, number: int) -> None:
    """One live event of a random kind, about an order old or new."""

    def append(table: str, row: dict[str, Any]) -> int:
        outcome = append_rows(conn, table, [row], live=True, now_us=NOW, hasher=made.ledger.hasher)
        return outcome.accepted

    orders = rows(conn, "SELECT order_id, ordered_at FROM orders ORDER BY order_no")
    order_id, ordered = rng.choice(orders)
    at = rng.randrange(ordered, MOMENT + 10 * DAY)
    kind = rng.choice(("order", "return", "inspection", "verdict", "assessment"))
    if kind == "order":
        order_id = f"live{number}"
        row = {key: rng.choice((f"{key}{rng.randrange(3)}", None)) for key in ("email_id", "address_id", "device_id")}
        append("orders", {"order_id": order_id, "customer_id": f"c{rng.randrange(6)}", "ordered_at": at, **row})
        line = {"line_id": "l0", "sku": "s1", "quantity": 3, "unit_price_e4": 10_000, "discount_e4": 0}
        append("order_lines", {"order_id": order_id, **line})
    elif kind == "return":
        lines = rows(
            conn, "SELECT line_id FROM order_lines JOIN orders USING (order_no) WHERE order_id = ?", (order_id,)
        )
        row = {"reason": rng.choice(words.REASONS), "kind": rng.choice(words.KINDS), "customer_id": None}
        row["customer_id"] = rng.choice((None, "c9"))
        for line, *_ in lines[:1]:
            append(
                "returns",
                {
                    "return_id": f"live{number}",
                    "order_id": order_id,
                    "line_id": line,
                    "requested_at": at,
                    "quantity": 1,
                    **row,
                },
            )
    elif kind in ("inspection", "verdict"):
        returns = rows(conn, "SELECT return_id, requested_at FROM returns ORDER BY return_no")
        return_id, requested = rng.choice(returns)
        at = requested + rng.randrange(0, 20) * DAY + number
        if kind == "inspection":
            append(
                "inspections",
                {
                    "return_id": return_id,
                    "inspected_at": at,
                    "finding": rng.choice(words.FINDINGS),
                    "trigger": "random",
                },
            )
        else:
            append(
                "verdicts",
                {"return_id": return_id, "decided_at": at, "verdict": "abuse_confirmed", "basis": "inspection"},
            )
    else:
        keys = of_order(conn, rng.choice(rows(conn, "SELECT order_no FROM orders"))[0])
        raise_watermarks(conn, [(party, key) for party, key in keys.items() if key], MOMENT + number)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_remembered_values_are_those_of_a_fresh_read(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Through live events, refusals that are taken back, days that are closed and bulk ingest by another connection."""
    made = make_history(tmp_path_factory.mktemp("busy"), seed % 50, orders=40)
    rng = random.Random(seed)
    busy = BusyKeys(busy_from=3, most_orders=60)
    day = MOMENT // DAY
    used = 0
    for number in range(60):
        what = rng.random()
        with made.ledger.write() as conn:
            if what < 0.6:
                something_happens(conn, made, rng, number)
            elif what < 0.65:
                day += 1
                close_days(conn, day)
            elif what < 0.7:
                order = {"order_id": f"bulk{number}", "customer_id": "c1", "ordered_at": MOMENT - 5 * DAY}
                order |= {"address_id": "address_id1"}
                append_rows(conn, "orders", [order], live=False, now_us=NOW, hasher=made.ledger.hasher)
            elif what < 0.8:
                conn.exec_driver_sql("SAVEPOINT piece")
                with suppress(Refused), busy.tentative():
                    something_happens(conn, made, rng, number)
                    keys = of_order(conn, rng.choice(rows(conn, "SELECT order_no FROM orders"))[0])
                    with_memory(conn, busy, keys, MOMENT)
                    raise Refused
                conn.exec_driver_sql("ROLLBACK TO SAVEPOINT piece")
            keys = of_order(conn, rng.choice(rows(conn, "SELECT order_no FROM orders"))[0])
            moment = MOMENT + rng.randrange(-60, 20) * DAY
            with busy.tentative():
                values, taken = with_memory(conn, busy, keys, moment)
            used += taken
            np.testing.assert_array_equal(values, afresh(conn, keys, moment))
    made.ledger.close()
    assert used > 15, "the memory must have been used"


def test_only_what_has_changed_is_read_again(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[set[int]] = []

    def watching(conn: Connection, order_nos: Any, names: Any) -> Any:
        read.append(set(order_nos))
        return of_orders(conn, order_nos, names)

    from features import busy as module
    from features.history import of_orders

    monkeypatch.setattr(module, "of_orders", watching)
    busy = BusyKeys(busy_from=3)
    with made.ledger.write() as conn:
        keys = {"address": rows(conn, "SELECT address_id FROM orders WHERE address_id IS NOT NULL")[0][0]}
        with_memory(conn, busy, keys, MOMENT)
        with_memory(conn, busy, keys, MOMENT)
        assert read == []
        (order_no, order_id) = rows(
            conn, "SELECT order_no, order_id FROM orders WHERE address_id = ?", (keys["address"],)
        )[0]
        delivery = {"order_id": order_id, "delivered_at": NOW - DAY, "proof": "photo"}
        append_rows(conn, "deliveries", [delivery], live=True, now_us=NOW, hasher=made.ledger.hasher)
        with_memory(conn, busy, keys, MOMENT)
        with_memory(conn, busy, keys, MOMENT)
        assert read == [{order_no}]


def test_warm_keys_are_there_before_they_are_asked_for(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.busy._WARM_FROM", 5)
    busy = BusyKeys(busy_from=5)
    with made.ledger.read() as conn:
        busy.warm(conn)
        for party in LINKS:
            for (key,) in rows(
                conn, f"SELECT {party}_id FROM orders WHERE {party}_id IS NOT NULL GROUP BY 1 HAVING COUNT(*) > 5"
            ):
                assert set(busy.take(conn, {party: key})) == {party}


def test_keys_not_used_for_longest_go_first(made: Made) -> None:
    busy = BusyKeys(busy_from=1, most_orders=20)
    with made.ledger.read() as conn:
        addresses = [
            row[0] for row in rows(conn, "SELECT DISTINCT address_id FROM orders WHERE address_id IS NOT NULL")
        ]
        assert len(addresses) == 3
        for address in addresses:
            with_memory(conn, busy, {"address": address}, MOMENT)
        kept = [bool(busy.take(conn, {"address": address})) for address in addresses]
        assert kept[-1]
        assert not kept[0]


def test_a_new_order_of_a_kept_key_counts(made: Made) -> None:
    busy = BusyKeys(busy_from=3)
    with made.ledger.write() as conn:
        keys: dict[str, str | None] = {
            "address": rows(conn, "SELECT address_id FROM orders WHERE address_id IS NOT NULL")[0][0]
        }
        before = with_memory(conn, busy, keys, MOMENT)[0][one.NAMES.index("address_orders_lifetime")]
        order = {"order_id": "new", "customer_id": "c1", "ordered_at": MOMENT - DAY, "address_id": "address_id0"}
        for address in ("address_id0", "address_id1", "address_id2"):
            append_rows(
                conn,
                "orders",
                [{**order, "order_id": address, "address_id": address}],
                live=True,
                now_us=NOW,
                hasher=made.ledger.hasher,
            )
        after, taken = with_memory(conn, busy, keys, MOMENT)
        assert taken == 1
        assert after[one.NAMES.index("address_orders_lifetime")] == before + 1


def test_changes_are_told_until_there_are_too_many(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    with made.ledger.write() as conn:
        start = changes.latest(conn)
        assert changes.since(conn, start) == []
        changes.note_orders(conn, [3, 5])
        changes.note_orders(conn, [3])
        assert [order_no for _, order_no in changes.since(conn, start) or []] == [3, 5, 3]
        assert [order_no for _, order_no in changes.since(conn, changes.latest(conn) - 1) or []] == [3]
        monkeypatch.setattr(changes, "MOST", 2)
        assert changes.since(conn, start) is None
        changes.note_orders(conn, [1, 2, 3])
        monkeypatch.undo()
        assert changes.since(conn, changes.latest(conn) - 1) is None, "so many are noted as a change of everything"
        assert rows(conn, "SELECT COUNT(*) FROM order_changes") == [(1,)]
        assert changes.since(conn, start) is None, "the note that was seen last is gone"
        assert changes.since(conn, changes.latest(conn)) == []


def test_old_notes_go(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_KEPT", 4)
    with made.ledger.write() as conn:
        changes.note_orders(conn, range(1, 11))
        last = changes.latest(conn)
        changes.prune(conn)
        assert rows(conn, "SELECT COUNT(*) FROM order_changes") == [(5,)]
        assert changes.since(conn, last - 5) is None
        assert [order_no for _, order_no in changes.since(conn, last - 4) or []] == [7, 8, 9, 10]


def test_a_day_that_is_closed_changes_its_orders_only(made: Made) -> None:
    with made.ledger.write() as conn:
        (latest,) = rows(conn, "SELECT MAX(pooled_at) FROM order_lines")[0]
        close_days(conn, latest // DAY)
        seen = changes.latest(conn)
        close_days(conn, latest // DAY + 1)
        touched = {order_no for _, order_no in changes.since(conn, seen) or []}
        of_day = rows(conn, "SELECT DISTINCT order_no FROM order_lines WHERE pooled_at / ? = ?", (DAY, latest // DAY))
        assert touched == {order_no for (order_no,) in of_day}
        assert touched

"""Erasing a person: nothing leads to them, and everything about everybody else keeps its last bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection

from features.build import TABLE, build
from features.clock import DAY, day_of
from features.history import everything
from features.ledger import erasure
from features.ledger.append import append_rows
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.ledger.tables import metadata
from features.offline import Frames
from features.online import fetch
from features.population import close_days
from features.repo import feature_store
from features.request import Stated, assessed_returns, build_request_row
from features.service import SERVICE, VECTOR
from features.settings import Settings
from tests.support.history import FIRST_DAY, Rows, fill, made_up_history

HASH_KEY = "a key for tests"
NOW = (FIRST_DAY + 400) * DAY
#: c8 shares e-mail, address and card with c4; c3 shares with nobody.
SHARING, ALONE = "c8", "c3"


@pytest.fixture
def history() -> Rows:
    """The made-up shop; c2 also brings back something that c3 bought, and c3 something of c2."""
    history = made_up_history(12, 8)
    for returner, owner, number in (("c2", "c3", "1"), ("c3", "c2", "2")):
        order = next(row for row in history["orders"] if row["customer_id"] == owner)
        history["order_lines"].append(
            {"order_id": order["order_id"], "line_id": "2", "sku": "s1", "quantity": 2, "unit_price_e4": 500_000}
        )
        history["returns"].append(
            {
                "return_id": f"other-{number}",
                "order_id": order["order_id"],
                "line_id": "2",
                "customer_id": returner,
                "requested_at": order["ordered_at"] + 9 * DAY,
                "quantity": 1,
                "reason": "gift",
                "kind": "return",
            }
        )
    return history


@pytest.fixture
def settings(tmp_path: Path, history: Rows) -> Settings:
    settings = Settings(home=tmp_path, database_url="", mlflow_tracking_uri="", hash_key=HASH_KEY)
    fill(settings, history)
    return settings


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    ledger = Ledger.open(settings)
    yield ledger
    ledger.close()


def vectors(ledger: Ledger) -> tuple[pd.DataFrame, np.ndarray]:
    """Every return as a request, with its vector, in the order of the returns' numbers."""
    with ledger.write() as conn:
        (latest,) = rows(conn, "SELECT MAX(requested_at) FROM returns")[0]
        close_days(conn, day_of(latest) + 1)
    with ledger.read() as conn:
        frame = assessed_returns(conn)
        number = dict(rows(conn, "SELECT return_id, return_no FROM returns WHERE leads = 1"))
        values = np.empty((len(frame), len(VECTOR)))
        for numbers, part in Frames(conn).vectors(frame):
            values[numbers] = part
    order = np.argsort([number[each] for each in frame["return_id"]], kind="stable")
    return frame.iloc[order].reset_index(drop=True), values[order]


def erase(ledger: Ledger, customer_id: str) -> erasure.Erased:
    with ledger.write() as conn, erasure.overwriting(conn):
        return erasure.erase(conn, customer_id, subject=ledger.hasher.customer(customer_id) or "", at=NOW)


def population(ledger: Ledger) -> list[tuple[object, ...]]:
    with ledger.read() as conn:
        return rows(conn, "SELECT * FROM population_days ORDER BY entity, key, pooled_day, occurred_day")


@pytest.mark.parametrize("customer_id", [SHARING, ALONE])
def test_values_of_all_others_and_rates_keep_their_last_bit(ledger: Ledger, customer_id: str) -> None:
    frame, before = vectors(ledger)
    rates = population(ledger)
    erased = erase(ledger, customer_id)
    after_frame, after = vectors(ledger)
    assert before.tobytes() == after.tobytes()  # of the erased person, too: only the names are gone
    assert population(ledger) == rates
    others = frame["customer_id"] != customer_id
    assert others.sum() > 10
    assert (~others).any()
    names = ["return_id", "customer_id"]
    assert frame.loc[others, names].equals(after_frame.loc[others, names])
    assert set(after_frame.loc[~others, "customer_id"]) == {erased.customer[1]}


def test_a_rebuild_gives_the_same_table(ledger: Ledger, settings: Settings) -> None:
    build(settings)
    before = pd.read_parquet(settings.home / "features" / TABLE)
    erase(ledger, ALONE)
    build(settings)
    after = pd.read_parquet(settings.home / "features" / TABLE)
    ids = ["customer_id", "return_id", "order_id", "email_id", "address_id", "payment_id"]
    key = ["event_timestamp", "sku", "request_value"]
    sort = [frame.sort_values(key).drop(columns=ids).reset_index(drop=True) for frame in (before, after)]
    pd.testing.assert_frame_equal(*sort, check_exact=True)
    assert not (after[ids] == ALONE).any().any()


def test_nothing_in_the_ledger_names_the_person(ledger: Ledger) -> None:
    with ledger.read() as conn:
        known = erasure.traces(conn, ALONE)
    assert len(known.own) == 3
    assert not known.shared
    assert "other-2" in known.returns
    assert "other-1" not in known.returns  # what somebody else returned is theirs
    former = {ALONE, *known.orders, *known.returns, *(key for _, key in known.own)}
    with ledger.read() as conn:
        digests = _digests(conn, known.orders.values())
    erase(ledger, ALONE)
    with ledger.read() as conn:
        for table in metadata.tables:
            for row in rows(conn, f"SELECT * FROM {table}"):
                assert not former & {value for value in row if isinstance(value, str)}, table
        assert not digests & _digests(conn, known.orders.values())
        assert not erasure.traces(conn, ALONE).found


def _digests(conn: Connection, order_nos: Iterable[int]) -> set[bytes]:
    found: set[bytes] = set()
    for table in ("orders", "order_lines", "deliveries", "returns", "inspections", "verdicts"):
        for order_no in order_nos:
            found.update(
                bytes(row[0]) for row in rows(conn, f"SELECT digest FROM {table} WHERE order_no = ?", (order_no,))
            )
    return found


def test_what_others_use_too_goes_with_the_last_of_them(ledger: Ledger) -> None:
    with ledger.read() as conn:
        shared = erasure.traces(conn, SHARING).shared
    assert {link for link, _ in shared} == {"email", "address", "payment"}
    assert erase(ledger, SHARING).keys_shared == 3
    with ledger.read() as conn:
        assert rows(conn, "SELECT 1 FROM orders WHERE email_id = ?", (shared[0][1],))
        assert not erasure.traces(conn, "c4").shared  # nobody else who is known by name
    erase(ledger, "c4")
    with ledger.read() as conn:
        for link, key in shared:
            assert not rows(conn, f"SELECT 1 FROM orders WHERE {link}_id = ?", (key,))


def test_a_later_order_begins_a_new_history(ledger: Ledger, settings: Settings) -> None:
    erase(ledger, ALONE)
    new = {"order_id": "new", "customer_id": ALONE, "ordered_at": NOW + DAY, "email_id": "email3", "country": "DE"}
    line = {"order_id": "new", "line_id": "1", "sku": "s1", "quantity": 1, "unit_price_e4": 10_000}
    with ledger.write() as conn:
        for table, row in (("orders", new), ("order_lines", line)):
            done = append_rows(conn, table, [row], live=True, now_us=NOW + 2 * DAY, hasher=ledger.hasher)
            assert done.accepted == 1
        row = build_request_row(conn, "new", {"1": 1}, Stated(NOW + 2 * DAY, "gift", "return"))
        store = feature_store(settings)
        values = fetch(store, store.get_feature_service(SERVICE), conn, row)
    assert values["customer_orders_lifetime"] == 1
    assert values["email_orders_lifetime"] == 1
    assert values["customer_returns_lifetime"] == 0


def test_old_files_do_not_bring_the_person_back(ledger: Ledger, history: Rows) -> None:
    with ledger.read() as conn:
        before = len(everything(conn).order_nos)
    erase(ledger, ALONE)
    with ledger.write() as conn:
        for table in ("orders", "order_lines", "deliveries", "returns"):
            done = append_rows(conn, table, history[table], live=False, now_us=NOW, hasher=ledger.hasher)
            assert done.accepted == 0
            assert done.rejects
        assert (
            "erased"
            in append_rows(
                conn,
                "orders",
                [row for row in history["orders"] if row["customer_id"] == ALONE],
                live=False,
                now_us=NOW,
                hasher=ledger.hasher,
            )
            .rejects[0]
            .reason
        )
    with ledger.read() as conn:
        assert len(everything(conn).order_nos) == before

"""The two kernels, and both against a definition written down once more in the plainest way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from features.clock import DAY, SECOND, day_of
from features.declarations import POOLED
from features.history import PARTIES, of_keys
from features.kernel import one
from features.ledger.sql import rows
from features.offline import Frames
from features.population import Population, close_days
from features.service import RAW_NAMES
from tests.support.histories import Made, make_history

_KEYS = ("customer_id", "email_id", "address_id", "payment_id", "device_id")


def _asks(conn: Connection, made: Made) -> pd.DataFrame:
    """Every order's keys at every moment, with strangers and missing keys among them."""
    orders = rows(
        conn,
        "SELECT order_id, customer_id, email_id, address_id, payment_id, device_id, courier, country FROM orders",
    )
    skus = [row[0] for row in rows(conn, "SELECT DISTINCT sku FROM order_lines")]
    records = []
    for number, moment in enumerate(made.moments):
        for order in orders[number % 3 :: 3]:
            records.append((*order, skus[number % len(skus)], "shoes", moment))
        records.append(("unknown", "stranger", None, None, None, None, None, None, "s0", None, moment))
    return pd.DataFrame.from_records(
        records, columns=["order_id", *_KEYS, "courier", "country", "sku", "category", "moment"]
    )


def _online(conn: Connection, row: dict[str, Any], population: Population) -> np.ndarray:
    keys = {party: row[f"{party}_id"] for party in PARTIES}
    history = of_keys(conn, keys, row["order_id"])
    exact = one.values(history, keys, history.order_no(row["order_id"]), row["moment"])
    pooled = [population.values(conn, e, row[e.keys[0]], day_of(row["moment"])) for e in POOLED]
    return np.concatenate([exact, *pooled])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_one_moment_and_many_moments_agree_on_every_value(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = make_history(tmp_path_factory.mktemp("history"), seed)
    with made.ledger.write() as conn:
        close_days(conn, day_of(max(made.moments)))
        frame = _asks(conn, made)
        population = Population()
        moments = frame["moment"].to_numpy(dtype=np.int64)
        offline = np.full((len(frame), len(RAW_NAMES)), -1.0)
        for chunk, values in Frames(conn).raw(frame, moments):
            offline[chunk] = values
        records = frame.astype(object).where(frame.notna(), None).to_dict("records")
        online = np.stack([_online(conn, row, population) for row in records])
    made.ledger.close()
    different = ~((offline == online) | (np.isnan(offline) & np.isnan(online)))
    assert not different.any(), [
        (RAW_NAMES[c], records[r], offline[r, c], online[r, c]) for r, c in np.argwhere(different)[:5]
    ]
    assert (online > 0).any(axis=0).mean() > 0.6, "the histories must move most values"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_history(tmp_path_factory.mktemp("plain"), 5, orders=60)


def _plain(conn: Connection, name: str, key: Any, moment: int, days: float) -> float:
    """The definition, word for word: recorded before the moment, occurred within the window before it."""
    start = moment - days * DAY
    queries = {
        "customer_orders": ("SELECT ordered_at, recorded_at, 1 FROM orders WHERE customer_id = ?"),
        "address_items_bought": (
            "SELECT o.ordered_at, l.recorded_at, l.quantity FROM order_lines l JOIN orders o USING (order_no)"
            " WHERE o.address_id = ?"
        ),
        "device_claims": (
            "SELECT r.requested_at, r.recorded_at, r.leads FROM returns r JOIN orders o USING (order_no)"
            " WHERE o.device_id = ? AND r.kind = 'claim'"
        ),
        "customer_items_returned": (
            "SELECT r.requested_at, r.recorded_at, r.quantity FROM returns r JOIN orders o USING (order_no)"
            " WHERE o.customer_id = ? AND r.kind = 'return'"
        ),
        "customer_concerns": (
            "SELECT i.inspected_at, i.recorded_at, 1 FROM inspections i JOIN orders o USING (order_no)"
            " WHERE o.customer_id = ? AND finding IN"
            " ('worn', 'wrong_item', 'counterfeit', 'missing_item', 'empty_package', 'delivery_shown')"
        ),
    }
    return sum(
        n for occurred, recorded, n in rows(conn, queries[name], (key,)) if recorded < moment and occurred >= start
    )


@pytest.mark.parametrize(
    ("name", "party"),
    [
        ("customer_orders", "customer"),
        ("address_items_bought", "address"),
        ("device_claims", "device"),
        ("customer_items_returned", "customer"),
        ("customer_concerns", "customer"),
    ],
)
@pytest.mark.parametrize(("window", "days"), [("7d", 7), ("90d", 90), ("365d", 365), ("lifetime", 10_000)])
def test_a_value_is_what_its_definition_says(made: Made, name: str, party: str, window: str, days: float) -> None:
    seen = set()
    with made.ledger.read() as conn:
        for key in {row[0] for row in rows(conn, f"SELECT DISTINCT {party}_id FROM orders")} - {None}:
            for moment in made.moments[::2]:
                history = of_keys(conn, {party: key}, None)
                values = one.values(history, {party: key}, None, moment)
                value = values[one.NAMES.index(f"{name}_{window}")]
                assert value == _plain(conn, name, key, moment, days)
                seen.add(value)
    assert len(seen) > 1


_EVIDENCE = ("inspection", "carrier_trace", "admission")


@pytest.mark.parametrize(("window", "days"), [("30d", 30), ("90d", 90), ("365d", 365), ("lifetime", 10_000)])
@pytest.mark.parametrize("name", ["confirmed", "cleared"])
def test_only_the_verdict_that_stands_is_counted(tmp_path: Path, name: str, window: str, days: float) -> None:
    """Of several verdicts on a return, the one decided last of those known at the moment; the others are as if never
    given, whatever the window and in whatever order they were recorded."""
    made = make_history(tmp_path, 17, orders=60)
    seen, overturned = set(), 0
    with made.ledger.read() as conn:
        verdicts = rows(
            conn,
            "SELECT o.customer_id, v.return_id, v.decided_at, v.recorded_at, v.verdict, v.basis FROM verdicts v"
            " JOIN orders o USING (order_no) ORDER BY v.decided_at",
        )
        for customer in {row[0] for row in verdicts}:
            for moment in made.moments:
                standing = {row[1]: row for row in verdicts if row[0] == customer and row[3] < moment}
                overturned += sum(row[0] == customer and row[3] < moment for row in verdicts) - len(standing)
                expected = sum(
                    decided >= moment - days * DAY
                    and (
                        verdict == "cleared"
                        if name == "cleared"
                        else verdict == "abuse_confirmed" and basis in _EVIDENCE
                    )
                    for _, _, decided, _, verdict, basis in standing.values()
                )
                values = one.values(of_keys(conn, {"customer": customer}, None), {"customer": customer}, None, moment)
                assert values[one.NAMES.index(f"customer_{name}_{window}")] == expected
                seen.add(expected)
    made.ledger.close()
    assert {0, 1} <= seen
    assert overturned > 20


def test_distinct_customers_of_an_address_are_counted_once_each(made: Made) -> None:
    with made.ledger.read() as conn:
        orders = rows(conn, "SELECT address_id, customer_id, ordered_at, recorded_at FROM orders")
        seen = set()
        for address in {row[0] for row in orders} - {None}:
            for moment in made.moments:
                values = one.values(of_keys(conn, {"address": address}, None), {"address": address}, None, moment)
                value = values[one.NAMES.index("address_customers_90d")]
                expected = {
                    c for a, c, t, known in orders if a == address and known < moment and t >= moment - 90 * DAY
                }
                assert value == len(expected)
                seen.add(value)
    assert len(seen) > 2


def test_ages_are_whole_seconds_since_first_and_last(made: Made) -> None:
    with made.ledger.read() as conn:
        orders = rows(conn, "SELECT customer_id, ordered_at, recorded_at FROM orders")
        for moment in made.moments:
            values = one.values(of_keys(conn, {"customer": "c1"}, None), {"customer": "c1"}, None, moment)
            known = [t for c, t, recorded in orders if c == "c1" and recorded < moment]
            first = values[one.NAMES.index("customer_seconds_since_first_order")]
            last = values[one.NAMES.index("customer_seconds_since_last_order")]
            if known:
                assert (first, last) == ((moment - min(known)) // SECOND, (moment - max(known)) // SECOND)
            else:
                assert np.isnan(first)
                assert np.isnan(last)


def test_pooled_values_count_what_was_pooled_before_midnight(tmp_path: Path) -> None:
    made = make_history(tmp_path, 11, orders=60)
    product = POOLED[0]
    with made.ledger.write() as conn:
        last = day_of(max(made.moments))
        close_days(conn, last)
        lines = rows(
            conn,
            "SELECT l.sku, o.ordered_at, l.pooled_at, l.quantity FROM order_lines l JOIN orders o USING (order_no)",
        )
        population = Population()
        seen = set()
        for sku in {line[0] for line in lines}:
            for day in range(day_of(min(made.moments)), last, 9):
                values = dict(zip(product.feature_names(), population.values(conn, product, sku, day), strict=True))
                expected = sum(n for s, t, known, n in lines if s == sku and known < day * DAY and t // DAY >= day - 90)
                assert values["sku_items_bought_90d"] == expected
                seen.add(expected)
    assert len(seen) > 3


def test_closing_day_by_day_gives_what_closing_at_once_gives(tmp_path: Path) -> None:
    results = []
    for step in (1, 7, 10_000):
        made = make_history(tmp_path / str(step), 3, orders=40)
        with made.ledger.write() as conn:
            last = day_of(max(made.moments)) + 1
            for day in [day_of(min(made.moments)) - 3, *range(last - 60, last, step), last]:
                close_days(conn, day)
            results.append(
                (
                    rows(conn, "SELECT * FROM population_days ORDER BY 1, 2, 3, 4"),
                    rows(conn, "SELECT order_no, line_id, expected_ppm FROM order_lines ORDER BY 1, 2"),
                )
            )
    assert results[0] == results[1] == results[2]
    assert any(line[2] for line in results[0][1]), "some lines must have returns to expect"

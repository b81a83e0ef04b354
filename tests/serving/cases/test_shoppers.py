"""A customer beside similar shoppers: honest ranges, and nothing said where little is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.clock import DAY
from features.ledger.append import append_rows
from features.ledger.store import Ledger
from features.service import SERVICE, VECTOR
from features.settings import Settings
from serving.cases import shoppers
from serving.cases.shoppers import DailyLikeness, beside, likeness, usual_range
from tests.support.assessed import ENDED


def vector(**values: float) -> bytes:
    made = np.zeros(len(VECTOR))
    for name, value in values.items():
        made[VECTOR.index(name)] = value
    return made.astype("<f8").tobytes()


class TestRange:
    @given(st.integers(0, 900), st.floats(0, 1), st.floats(0.02, 0.5))
    def test_it_is_within_what_was_bought(self, items: int, rate: float, alike: float) -> None:
        low, high = usual_range(items, rate, alike)
        assert 0 <= low <= high <= items

    @pytest.mark.parametrize(("items", "rate", "alike"), [(6, 0.3, 0.15), (40, 0.25, 0.1), (200, 0.5, 0.3)])
    def test_nine_in_ten_shoppers_are_within(self, items: int, rate: float, alike: float) -> None:
        rng = np.random.default_rng(4)
        weight = 1 / alike - 1
        returned = rng.binomial(items, rng.beta(rate * weight, (1 - rate) * weight, 40_000))
        low, high = usual_range(items, rate, alike)
        assert 0.9 <= np.mean((returned >= low) & (returned <= high)) < 0.99
        assert np.mean(returned < low) <= 0.055
        assert np.mean(returned > high) <= 0.055

    def test_a_short_history_has_a_wide_range(self) -> None:
        widths = [np.subtract(*usual_range(n, 0.3, 0.1)[::-1]) / n for n in (5, 20, 100, 400)]
        assert widths == sorted(widths, reverse=True)
        assert widths[0] > 0.7

    def test_shoppers_who_differ_more_have_a_wider_range(self) -> None:
        assert usual_range(50, 0.3, 0.3)[1] > usual_range(50, 0.3, 0.05)[1]


class TestBeside:
    def test_numbers_of_the_vector(self) -> None:
        known = vector(
            customer_items_bought_90d=9,
            customer_items_returned_90d=8,
            customer_expected_returns_ppm_90d=2_700_000,
            customer_items_bought_365d=20,
            customer_items_returned_365d=5,
            customer_expected_returns_ppm_365d=6_000_000,
            customer_orders_365d=12,
            customer_claims_365d=2,
            customer_not_received_365d=1,
            courier_loss_rate_365d=0.02,
            customer_value_bought_365d=90_000,
            customer_value_returned_365d=20_000,
            customer_value_claimed_365d=1_000,
        )
        found = beside(known, SERVICE, likeness=0.1)
        assert found is not None
        quarter, year, ever = found.shares
        assert (quarter.bought, quarter.returned, quarter.expected, quarter.place) == (9, 8, 2.7, "above")
        assert (year.place, ever.place) == ("within", "little_known")
        assert (found.claims.claims, found.claims.expected_not_received) == (2, pytest.approx(0.24))
        assert (found.value_bought_minor, found.value_back_minor) == (90_000, 21_000)
        assert not found.little_known

    @pytest.mark.parametrize("bought", range(5))
    def test_of_few_items_nothing_is_said(self, bought: int) -> None:
        found = beside(vector(customer_items_bought_90d=bought, customer_items_returned_90d=bought), SERVICE)
        assert found is not None
        assert found.little_known

    def test_more_back_than_bought_in_a_window(self) -> None:
        found = beside(vector(customer_items_bought_90d=5, customer_items_returned_90d=9), SERVICE)
        assert found is not None
        assert found.shares[0].part(9) == 1.0

    def test_what_is_not_known_is_not_made_up(self) -> None:
        found = beside(vector(courier_loss_rate_365d=float("nan")), SERVICE)
        assert found is not None
        assert found.claims.expected_not_received is None
        assert beside(vector(), "returnwise_v0") is None
        assert beside(b"", SERVICE) is None


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(Settings(home=tmp_path, database_url="", hash_key="a key for tests"))
    yield ledger
    ledger.close()


def fill(ledger: Ledger, alike: float, customers: int) -> None:
    rng = np.random.default_rng(8)
    orders, lines, returns = [], [], []
    for c in range(customers):
        rate = rng.beta(0.3 * (1 / alike - 1), 0.7 * (1 / alike - 1))
        for i in range(4):
            order = {"order_id": f"o{c}-{i}", "customer_id": f"c{c}", "ordered_at": ENDED + i}
            line = {"order_id": order["order_id"], "line_id": "1", "sku": "s", "quantity": 5, "unit_price_e4": 10_000}
            back = int(rng.binomial(5, rate))
            orders.append(order)
            lines.append(line)
            if back:
                asked = {"return_id": f"r{c}-{i}", "requested_at": ENDED + DAY, "quantity": back, "reason": "other"}
                returns.append({"order_id": order["order_id"], "line_id": "1", **asked})
    with ledger.write() as conn:
        for table, made in (("orders", orders), ("order_lines", lines), ("returns", returns)):
            outcome = append_rows(conn, table, made, live=False, now_us=ENDED + 9 * DAY, hasher=ledger.hasher)
            assert not outcome.rejects
        conn.exec_driver_sql("UPDATE order_lines SET expected_ppm = 300000")


class TestLikeness:
    @pytest.mark.parametrize("alike", [0.08, 0.3])
    def test_it_is_measured(self, ledger: Ledger, alike: float) -> None:
        fill(ledger, alike, 400)
        with ledger.read() as conn:
            assert likeness(conn) == pytest.approx(alike, rel=0.25)

    def test_a_small_shop_gets_the_usual_one(self, ledger: Ledger) -> None:
        with ledger.read() as conn:
            assert likeness(conn) == shoppers.USUAL_LIKENESS
        fill(ledger, 0.3, 60)
        with ledger.read() as conn:
            assert likeness(conn) == shoppers.USUAL_LIKENESS

    def test_once_a_day(self, ledger: Ledger) -> None:
        daily = DailyLikeness()
        with ledger.read() as conn:
            assert daily.get(conn, 5 * DAY) == shoppers.USUAL_LIKENESS
        fill(ledger, 0.3, 200)
        with ledger.read() as conn:
            assert daily.get(conn, 5 * DAY + 7) == shoppers.USUAL_LIKENESS
            assert daily.get(conn, 6 * DAY) > shoppers.USUAL_LIKENESS

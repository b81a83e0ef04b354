from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.overview.intervals import quantile, share, weighted_share


@given(whole=st.integers(1, 10_000), data=st.data())
def test_an_interval_holds_its_share_and_narrows_with_more(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    found = share(part, whole)
    more = share(4 * part, 4 * whole)
    assert found is not None
    assert more is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert more.high - more.low <= found.high - found.low + 1e-12


def test_the_interval_is_that_of_wilson() -> None:
    found = share(8, 10)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.4902, 0.9433)


def test_of_nothing_there_is_no_share() -> None:
    assert share(0, 0) is None
    assert weighted_share([]) is None
    assert quantile([], 0.5) is None


def test_alike_odds_weigh_alike() -> None:
    found, plain = weighted_share([(True, 0.05, 3), (False, 0.05, 97)]), share(3, 100)
    assert found is not None
    assert plain is not None
    assert found.value == pytest.approx(0.03)
    assert found.low == pytest.approx(plain.low)


def test_who_was_drawn_seldom_stands_for_many() -> None:
    found = weighted_share([(True, 0.5, 10), (False, 0.01, 10)])
    assert found is not None
    assert found.value == pytest.approx(20 / 1020)
    assert found.whole < 20  # the effective number


@given(values=st.lists(st.integers(0, 500), min_size=1, max_size=60), at=st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_a_quantile_is_one_of_the_values_and_not_below_its_part(values: list[int], at: float) -> None:
    found = quantile([(value, values.count(value)) for value in set(values)], at)
    assert found in values
    assert sum(value <= found for value in values) >= at * len(values)
    assert sum(value < found for value in values) < at * len(values)

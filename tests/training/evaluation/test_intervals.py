"""Ranges: as wide as theory says, wider where customers repeat themselves, and narrow for differences."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.intervals import (
    Interval,
    band,
    calibration_by_chance,
    codes,
    difference,
    percentiles,
    resample,
    resampled_share,
    resamples,
)
from training.evaluation.metrics import Ranked


def made_up(n: int = 3000, seed: int = 2) -> tuple[np.ndarray, ...]:
    """Labels, their true risks, and customers with about four returns each."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 12, n)
    return (rng.random(n) < risk).astype(float), risk, rng.integers(0, n // 4, n)


def test_unknown_customers_are_each_their_own() -> None:
    assert codes(np.array(["b", None, "a", "b", None], dtype=object)).tolist() == [0, 2, 1, 0, 3]


def test_all_returns_of_a_customer_count_alike() -> None:
    customer = np.array([0, 0, 1, 1, 2])
    drawn = np.array(list(resamples(customer, 500)))
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, [0, 2, 4]].sum(axis=1) == 3).all()
    assert drawn.mean() == pytest.approx(1, abs=0.1)


def test_the_same_seed_gives_the_same_range() -> None:
    y, risk, customer = made_up(500)
    one, again = (resample({"m": Ranked(y, risk, np.ones(500))}, customer)["m"].interval("auc") for _ in range(2))
    assert one == again


def test_the_range_of_a_share_is_as_wide_as_theory_says() -> None:
    y = np.zeros(2000)
    y[:200] = 1
    alone = resampled_share(y, np.ones(2000), np.arange(2000))
    width = 2 * 1.96 * np.sqrt(0.1 * 0.9 / 2000)
    assert alone.estimate == 0.1
    assert alone.high - alone.low == pytest.approx(width, rel=0.25)
    assert alone.low < 0.1 < alone.high
    in_tens = resampled_share(y, np.ones(2000), np.arange(2000) // 10)
    assert in_tens.high - in_tens.low == pytest.approx(width * np.sqrt(10), rel=0.25)


def test_ranges_hold_the_truth_about_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(40):
        y, _, _ = made_up(400, seed)
        got = resampled_share(y, np.ones(400), np.arange(400))
        inside += got.low <= 1 / 13 <= got.high
    assert inside >= 34


def test_a_model_does_not_differ_from_itself() -> None:
    y, risk, customer = made_up()
    assert difference(y, risk, risk, np.ones(len(y)), customer, "average_precision") == Interval(0.0, 0.0, 0.0)


def test_a_difference_is_clear_where_it_is_real() -> None:
    y, risk, customer = made_up()
    blurred = risk * np.random.default_rng(0).lognormal(0, 1.5, len(y))
    better = difference(y, risk, blurred, np.ones(len(y)), customer, "auc")
    worse = difference(y, blurred, risk, np.ones(len(y)), customer, "auc")
    assert 0 < better.low < better.estimate < better.high
    assert [worse.estimate, worse.low, worse.high] == pytest.approx([-better.estimate, -better.high, -better.low])


def test_a_difference_is_narrower_than_the_figures() -> None:
    y, risk, customer = made_up()
    near = risk * np.random.default_rng(0).lognormal(0, 0.1, len(y))
    both = resample({"a": Ranked(y, risk, np.ones(len(y))), "b": Ranked(y, near, np.ones(len(y)))}, customer)
    whole, less = both["a"].interval("auc"), both["a"].minus(both["b"], "auc")
    assert less.low <= 0 <= less.high
    assert less.high - less.low < 0.5 * (whole.high - whole.low)


def test_differences_in_value_need_values() -> None:
    y, risk, customer = made_up(500)
    with pytest.raises(KeyError):
        difference(y, risk, risk, np.ones(500), customer, "value_at_2")
    got = difference(y, risk, risk[::-1], np.ones(500), customer, "value_at_5", np.ones(500))
    assert got.known


def test_too_few_resamples_give_no_range() -> None:
    assert not percentiles(0.5, np.array([0.4, np.nan, np.nan, 0.6])).known
    assert not percentiles(float("nan"), np.linspace(0, 1, 10)).known
    single = resample({"m": Ranked(np.array([1.0, 0, 0]), np.array([0.3, 0.2, 0.1]), np.ones(3))}, np.arange(3))["m"]
    assert single.interval("auc").estimate == 1
    assert not single.interval("auc").known  # a third of the resamples lose the only positive


def test_the_calibration_error_is_judged_against_chance() -> None:
    y, risk, _ = made_up(4000)
    weight = np.ones(len(y))
    ranked = Ranked(y, risk, weight)
    chance = calibration_by_chance(ranked)
    assert ranked.calibration_error() < chance
    assert Ranked(y, risk * 1.5, weight).calibration_error() > calibration_by_chance(Ranked(y, risk * 1.5, weight))
    assert calibration_by_chance(Ranked(y[:400], risk[:400], weight[:400])) > 2 * chance


def test_the_range_of_the_calibration_error_lies_around_it() -> None:
    y, risk, customer = made_up()
    got = resample({"m": Ranked(y, risk, np.ones(len(y)))}, customer)["m"].interval("calibration_error")
    assert 0 <= got.low <= got.estimate <= got.high


def test_bands_of_curves_hold_the_curves() -> None:
    y, risk, customer = made_up()
    ranked = Ranked(y, risk, np.ones(len(y)), np.ones(len(y)))
    shares = np.array([0.02, 0.1, 0.5])
    spread = band(ranked, codes(customer), shares)
    for low, curve, high in zip(spread.low, ranked.at(shares), spread.high, strict=True):
        assert (low <= curve).all()
        assert (curve <= high).all()
    assert len(spread.groups) == 10
    assert all(group.known for group in spread.groups)

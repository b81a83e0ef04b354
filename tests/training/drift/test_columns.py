"""Bins of a column, and the index between two columns: known values, edges, and the noise that chance makes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from features.reference import Distribution
from training.drift.columns import counts, describe, distance, expected_counts, labels_of, move, psi, psi_noise


def test_a_column_of_numbers() -> None:
    usual = describe(np.arange(1.0, 101.0))
    assert usual.edges == (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99)
    assert (usual.low, usual.high) == (1.0, 100.0)
    assert usual.shares == (0.0, *[0.1] * 9, 0.05, 0.04, 0.01, 0.0)
    assert usual.missing == 0
    assert expected_counts(usual, 100).tolist() == counts(np.arange(1.0, 101.0), usual).tolist()


def test_an_edge_belongs_to_the_bin_below_it() -> None:
    usual = describe(np.arange(1.0, 101.0))
    found = counts(np.array([10.0, np.nextafter(10.0, 11.0), 0.5, 1.0, 100.0, 100.5, np.nan, np.inf]), usual)
    assert found.tolist() == [1, 2, 1, *[0] * 9, 1, 1, 2]


def test_counts_that_are_mostly_zero_have_few_bins() -> None:
    usual = describe(np.repeat([0.0, 1.0, 4.0], [960, 30, 10]))
    assert usual.edges == (0.0, 1.0)
    assert usual.shares == (0.0, 0.96, 0.03, 0.01, 0.0)
    assert labels_of(usual, None) == ("below 0", "0", "over 0 to 1", "over 1 to 4", "above 4", "missing")


def test_a_constant_column_notices_any_other_value() -> None:
    usual = describe(np.full(500, 7.0))
    assert usual.shares == (0.0, 1.0, 0.0)
    assert labels_of(usual, None) == ("below 7", "7", "above 7", "missing")
    same, other = counts(np.full(300, 7.0), usual), counts(np.zeros(300), usual)
    assert psi(expected_counts(usual, 500), same) < 0.01
    assert psi(expected_counts(usual, 500), other) > 5


def test_a_column_of_codes() -> None:
    usual = describe(np.array([0.0, 0, 1, -1, np.nan, 2, 2, 2]), 4)
    assert usual.kind == "code"
    assert usual.shares == pytest.approx((2 / 6, 1 / 6, 3 / 6, 0, 0), abs=1e-6)
    assert usual.missing == 0.25
    found = counts(np.array([3.0, 4, 99, -1, np.nan, 0]), usual)
    assert found.tolist() == [1, 0, 0, 1, 2, 2]
    assert labels_of(usual, ("a", "b", "c", "d")) == ("a", "b", "c", "d", "other", "missing")
    assert move(usual, np.zeros(3)) is None


def test_a_column_of_which_nothing_is_known() -> None:
    usual = describe(np.full(10, np.nan))
    assert usual.missing == 1
    assert counts(np.array([np.nan, 3.0]), usual).tolist() == [0, 0, 1, 1]
    assert move(usual, np.array([3.0])) is None
    assert np.isfinite(psi(expected_counts(usual, 10), counts(np.array([3.0]), usual)))


def test_missing_values_are_a_bin() -> None:
    rng = np.random.default_rng(1)
    usual, now = describe(rng.normal(size=5000)), rng.normal(size=5000)
    calm = psi(expected_counts(usual, 5000), counts(now, usual))
    now[:1000] = np.nan
    assert calm < 0.02
    assert psi(expected_counts(usual, 5000), counts(now, usual)) > 1


def test_the_index_by_hand() -> None:
    before, now = np.array([600.0, 300, 100]), np.array([500.0, 300, 200])
    q, p = (before + 0.5) / 1001.5, (now + 0.5) / 1001.5
    assert psi(before, now) == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-12)
    assert psi(before, now) == pytest.approx(psi(now, before), rel=1e-12)


def test_chance_exceeds_the_noise_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    over = 0
    for _ in range(300):
        usual = describe(rng.gamma(2.0, size=3_000))
        before, now = expected_counts(usual, 3_000), counts(rng.gamma(2.0, size=400), usual)
        over += psi(before, now) > psi_noise(before, now, 0.05, ends=True)
    assert 0.02 < over / 300 < 0.09


def test_with_full_bins_the_noise_is_that_of_the_textbook() -> None:
    before, now = np.full(10, 5_000.0), np.full(10, 800.0)
    textbook = chi2.isf(0.01, 9) * (1 / 50_000 + 1 / 8_000)
    assert psi_noise(before, now, 0.01) == pytest.approx(textbook, rel=0.1)


def test_noise_falls_with_the_number_of_returns() -> None:
    before = np.full(10, 100.0)
    assert psi_noise(before, np.full(10, 20.0), 0.01) > 3 * psi_noise(before * 10, np.full(10, 200.0), 0.01)
    assert psi_noise(np.array([5.0, 0.0]), np.array([5.0, 0.0]), 0.01) == 0


def test_distance_and_move() -> None:
    assert distance(np.array([3.0, 1.0]), np.array([30.0, 10.0])) == 0
    rng = np.random.default_rng(3)
    column = rng.normal(50, 10, 20_000)
    assert move(describe(column), column + 5) == pytest.approx(0.5, rel=0.01)
    assert move(describe(column), column) == 0
    assert move(describe(np.full(9, 7.0)), np.full(9, 8.0)) is None


def test_a_reference_that_does_not_fit_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="three bins more than edges"):
        Distribution(kind="number", shares=(0.5, 0.5), missing=0, edges=(1.0,))
    with pytest.raises(ValueError, match="quantiles"):
        Distribution(kind="number", shares=(0.5, 0.5, 0), missing=0, quantiles=(1.0,))

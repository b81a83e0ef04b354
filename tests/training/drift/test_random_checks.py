"""The chart of random checks: false alarms as rare as stated, rises found, odds respected."""

from __future__ import annotations

import numpy as np
import pytest

from features.clock import DAY
from training.drift.random_checks import (
    MIN_RUN,
    Checks,
    chart,
    cusum,
    gains,
    relative_weights,
    run_length,
    threshold_for,
)

TRAINED = 20_300 * DAY


def shop(seed: int, before: float, since: float, *, old: int = 1_000, new: int = 800, odds: float = 0.02) -> Checks:
    """Random checks with findings at one rate before `TRAINED` and at another one since, five a day."""
    rng = np.random.default_rng(seed)
    at = TRAINED + np.arange(-old + 1, new + 1) * DAY // 5
    found = rng.random(old + new) < np.where(at <= TRAINED, before, since)
    return Checks.of(at, found, np.full(old + new, odds))


def simulated_run(steps: np.ndarray, odds: np.ndarray, threshold: float, paths: int, seed: int) -> float:
    """Mean number of checks to an alarm, by playing it out."""
    rng = np.random.default_rng(seed)
    total, first = np.zeros(paths), np.zeros(paths)
    for check in range(1, 60_000):
        total = np.maximum(0.0, total + rng.choice(steps, paths, p=odds))
        first[(first == 0) & (total >= threshold)] = check
        if (first > 0).all():
            break
    return float(first.mean())


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_false_alarms_are_as_rare_as_stated(share: float) -> None:
    up, down = gains(np.ones(1), share)
    steps, odds = np.concatenate([up, down]), np.array([share, 1 - share])
    threshold = threshold_for((up, down), share, 1_000)
    assert run_length(steps, odds, threshold) == pytest.approx(1_000, rel=0.25)  # findings are lumps: so is the run
    assert simulated_run(steps, odds, threshold, 600, 1) == pytest.approx(run_length(steps, odds, threshold), rel=0.15)


def test_false_alarms_with_odds_that_differ() -> None:
    rng = np.random.default_rng(2)
    weight = relative_weights(rng.choice([0.01, 0.02, 0.05], 2_000))
    up, down = gains(weight, 0.03)
    threshold = threshold_for((up, down), 0.03, 1_500)
    ends = []
    for _ in range(150):
        i = rng.integers(0, 2_000, 12_000)
        found = rng.random(12_000) < 0.03
        _, alarms = cusum(np.where(found, up[i], down[i]), threshold)
        ends.append(alarms[0] if alarms else 12_000)
    assert np.mean(ends) == pytest.approx(1_500, rel=0.25)


def test_a_check_of_usual_odds_adds_its_likelihood_ratio() -> None:
    up, down = gains(np.ones(1), 0.03)
    assert up[0] == pytest.approx(np.log(0.06 / 0.03))
    assert down[0] == pytest.approx(np.log(0.94 / 0.97))


def test_without_a_rise_the_bet_gains_nothing_whatever_decides_the_odds() -> None:
    """Odds that follow the finding itself: the weighted share is still the share of all returns."""
    weight_found, weight_none = 0.5, 1.3
    share = 0.04  # of all returns; among those checked it is another one
    checked_found, checked_none = share / weight_found, (1 - share) / weight_none
    up, _ = gains(np.array([weight_found]), share)
    _, down = gains(np.array([weight_none]), share)
    mean = (checked_found * np.exp(up[0]) + checked_none * np.exp(down[0])) / (checked_found + checked_none)
    assert mean == pytest.approx(1.0, abs=1e-12)


def test_a_rise_is_found_and_its_absence_is_not() -> None:
    calm = [chart(shop(seed, 0.03, 0.03), TRAINED, 0.03) for seed in range(20)]
    risen = [chart(shop(seed, 0.03, 0.09), TRAINED, 0.03) for seed in range(20)]
    assert all(each is not None for each in (*calm, *risen))
    assert sum(bool(each and each.alarms) for each in calm) <= 6  # 800 checks, where a false alarm comes once in 5,475
    assert sum(bool(each and each.alarms) for each in risen) >= 19


def test_larger_rises_are_found_sooner() -> None:
    def delay(rate: float) -> float:
        first = []
        for seed in range(9):
            each = chart(shop(seed, 0.02, rate), TRAINED, None)
            assert each is not None
            first.append((each.alarms[0] - TRAINED) / (DAY / 5) if each.alarms else 800)
        return float(np.median(first))

    assert delay(0.10) < 0.5 * delay(0.05)


def test_after_an_alarm_it_starts_anew() -> None:
    path, alarms = cusum(np.array([1.0, 1.0, 1.0, -5.0, 1.0, 1.0]), 2.0)
    assert path.tolist() == [1, 2, 1, 0, 1, 2]
    assert alarms == [1, 5]


def test_what_is_reported() -> None:
    each = chart(shop(1, 0.03, 0.08), TRAINED, 0.01)
    assert each is not None
    assert each.before is not None
    assert each.since is not None
    assert (each.before.checks, each.since.checks) == (1_000, 800)
    assert each.before.share < each.tested < 0.05
    assert each.since.low < 0.08 < each.since.high
    assert each.run == pytest.approx(5 * 365 * 3, rel=0.01)
    assert len(each.path) == len(each.moments) == 800
    assert sum(share.checks for _, share in each.months) == 1_800
    assert each.enough


def test_a_share_before_that_few_checks_give_is_taken_with_caution() -> None:
    many, few = (chart(shop(4, 0.03, 0.03, old=n), TRAINED, None) for n in (4_000, 150))
    assert many is not None
    assert few is not None
    assert few.before is not None
    assert many.before is not None
    assert few.tested / few.before.share > many.tested / many.before.share


def test_too_few_checks() -> None:
    none = Checks.of([], [], [])
    assert chart(none, TRAINED, 0.02) is None
    few = chart(shop(1, 0.03, 0.03, old=20, new=10), TRAINED, 0.05)
    assert few is not None
    assert few.before is None
    assert few.tested == 0.05
    assert few.run == MIN_RUN or few.run > MIN_RUN
    assert not few.enough
    assert chart(shop(1, 0.03, 0.03, old=20, new=10), TRAINED, None) is None
    nothing_since = chart(shop(1, 0.03, 0.03, new=0), TRAINED, None)
    assert nothing_since is not None
    assert nothing_since.since is None
    assert not nothing_since.enough


def test_weights() -> None:
    assert relative_weights(np.array([0.1, 0.1])).tolist() == [1, 1]
    assert relative_weights(np.array([np.nan, 0.0, 2.0])).tolist() == [1, 1, 1]
    assert relative_weights(np.array([0.1, 0.1, np.nan])).tolist() == [1, 1, 1]
    assert relative_weights(np.array([0.5] * 99 + [1e-6])).max() == 10
    assert relative_weights(np.array([])).tolist() == []


@pytest.mark.parametrize("share", [0.001, 0.05, 0.4])
def test_no_weight_makes_a_step_infinite(share: float) -> None:
    assert np.isfinite(gains(np.array([0.0, 1.0, 10.0]), share)).all()


def test_order_of_the_rows_does_not_matter() -> None:
    made = shop(3, 0.03, 0.06)
    mixed = np.random.default_rng(0).permutation(len(made))
    again = Checks.of(made.known_at[mixed], made.found[mixed], made.odds[mixed])
    one, other = chart(made, TRAINED, None), chart(again, TRAINED, None)
    assert one is not None
    assert other is not None
    assert one.alarms == other.alarms
    assert np.array_equal(one.path, other.path)

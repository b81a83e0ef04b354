"""Figures of merit against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from training.evaluation.costs import Costs
from training.evaluation.metrics import (
    Ranked,
    at_capacity,
    calibration_curve,
    calibration_error,
    calibration_groups,
    evaluate,
    looked_at,
)


def some_returns(n: int = 800, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Labels, risks with many ties, weights and values."""
    rng = np.random.default_rng(seed)
    risk = np.round(rng.beta(1, 8, n), 2)
    y = (rng.random(n) < risk).astype(float)
    return y, risk, rng.uniform(0.5, 20, n), rng.lognormal(4, 1, n)


def test_capacity_counts_weight_and_shares_ties() -> None:
    y = np.array([1.0, 0.0, 1.0, 0.0])
    assert at_capacity(y, np.array([0.9, 0.5, 0.5, 0.1]), np.ones(4), 0.5) == (0.75, 0.75)
    weight = np.array([1.0, 1.0, 6.0, 2.0])
    precision, recall = at_capacity(y, np.array([0.9, 0.8, 0.7, 0.1]), weight, 0.5)
    assert precision == pytest.approx((1 + 3) / 5)
    assert recall == pytest.approx(4 / 7)


def test_capacity_does_not_depend_on_the_order_of_equal_risks() -> None:
    rng = np.random.default_rng(0)
    y, risk = (rng.random(500) < 0.1).astype(float), rng.integers(0, 6, 500) / 10
    shuffled = rng.permutation(500)
    assert at_capacity(y, risk, np.ones(500), 0.05) == pytest.approx(
        at_capacity(y[shuffled], risk[shuffled], np.ones(500), 0.05)
    )


def test_calibration_error_of_a_constant_risk() -> None:
    y = np.array([1.0, 0.0, 0.0, 0.0])
    assert calibration_error(y, np.full(4, 0.25), np.ones(4)) == 0
    assert calibration_error(y, np.full(4, 0.5), np.ones(4)) == pytest.approx(0.25)
    assert calibration_error(y, np.full(4, 0.25), np.array([3.0, 1, 1, 1])) == pytest.approx(0.25)


def test_the_curve_keeps_all_the_weight() -> None:
    rng = np.random.default_rng(4)
    y, risk, weight = (rng.random(999) < 0.3).astype(float), rng.random(999), rng.random(999)
    mean_risk, found, total = calibration_curve(y, risk, weight)
    assert len(total) == 10
    assert total.sum() == pytest.approx(weight.sum())
    assert (found * total).sum() == pytest.approx((y * weight).sum())
    assert (np.diff(mean_risk) > 0).all()


def test_evaluate_gives_raw_and_weighted_figures() -> None:
    y = np.array([1.0, 0, 1, 0, 0, 0])
    risk = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1])
    got = evaluate(y, risk, np.array([1.0, 3, 1, 1, 1, 1]))
    assert got["auc"] == pytest.approx(7 / 8)
    assert got["auc_weighted"] == pytest.approx((6 + 3) / 12)
    assert got["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert got["average_precision_weighted"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 5)
    assert got["base_rate"] == pytest.approx(1 / 3)
    assert got["base_rate_weighted"] == pytest.approx(1 / 4)
    assert {f"{m}_at_{k}{w}" for m in ("precision", "recall") for k in (1, 2, 5) for w in ("", "_weighted")} <= set(got)


def test_order_and_loss_agree_with_scikit_learn() -> None:
    y, risk, weight, _ = some_returns()
    got = evaluate(y, risk, weight)
    for suffix, w in (("", np.ones(len(y))), ("_weighted", weight)):
        assert got[f"auc{suffix}"] == pytest.approx(sk.roc_auc_score(y, risk, sample_weight=w))
        assert got[f"average_precision{suffix}"] == pytest.approx(sk.average_precision_score(y, risk, sample_weight=w))
        assert got[f"log_loss{suffix}"] == pytest.approx(sk.log_loss(y, risk, sample_weight=w, labels=[0, 1]))
        assert got[f"brier{suffix}"] == pytest.approx(sk.brier_score_loss(y, risk, sample_weight=w))


def test_a_return_counted_twice_is_two_returns() -> None:
    y, risk, weight, value = some_returns(300)
    times = np.random.default_rng(1).integers(0, 4, 300).astype(float)
    again = np.repeat(np.arange(300), times.astype(int))
    ranked = Ranked(y, risk, weight, value)
    counted, repeated = ranked.figures(times), Ranked(y[again], risk[again], weight[again], value[again]).figures()
    assert counted.keys() == repeated.keys()
    for name in counted.keys() - {"calibration_error"}:  # whose groups stay as they were
        assert counted[name] == pytest.approx(repeated[name]), name


def test_value_found_is_the_share_of_the_value_of_abusive_returns() -> None:
    y, risk = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.9, 0.8, 0.3, 0.1])
    value = np.array([10.0, 500.0, 60.0, 30.0])
    ranked = Ranked(y, risk, np.ones(4), value)
    _, recall, found = ranked.at(np.array([0.25, 0.5, 0.75]))
    assert recall == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert found == pytest.approx([0.1, 0.1, 0.7])
    weighted = Ranked(y, risk, np.array([3.0, 1.0, 1.0, 1.0]), value)
    assert weighted.at(np.array([0.5]))[2] == pytest.approx([30 / 120])


def test_cost_saved_against_nothing_and_against_chance() -> None:
    y, risk = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.8, 0.05, 0.05])
    value = np.full(4, 100.0)
    got = evaluate(y, risk, np.ones(4), value, Costs(check=5, loss=0.5, friction=3))
    # The first two are checked: 50 - 5 and -5 - 3. At random: half of (45 - 8 + 45 - 8).
    assert got["share_checked"] == 0.5
    assert got["cost_saved"] == pytest.approx(1000 * 37 / 4)
    assert got["cost_saved_over_random"] == pytest.approx(1000 * (37 - 37) / 4)
    free = evaluate(y, risk, np.ones(4), value, Costs(check=100, loss=0.5, friction=3))
    assert free["share_checked"] == free["cost_saved"] == 0


def test_what_is_not_defined_is_nan_and_not_an_error() -> None:
    nothing = evaluate(np.zeros(5), np.linspace(0.1, 0.5, 5), np.ones(5), np.ones(5))
    assert np.isnan([nothing[name] for name in ("average_precision", "auc", "recall_at_2", "value_at_2")]).all()
    assert nothing["precision_at_2"] == nothing["base_rate"] == 0
    ranked = Ranked(np.array([1.0, 0.0]), np.array([0.5, 0.1]), np.ones(2), np.ones(2))
    none_left = ranked.figures(np.zeros(2))
    assert none_left.keys() == ranked.figures().keys()
    assert np.isnan(list(none_left.values())).all()


def test_looked_at_fills_the_capacity_and_no_more() -> None:
    _, risk, weight, _ = some_returns()
    part = looked_at(risk, weight, 0.05)
    assert (part * weight).sum() == pytest.approx(0.05 * weight.sum())
    assert part[risk == risk.max()].min() > part[risk == risk.min()].max()
    assert len(np.unique(part)) <= 3


def test_groups_of_equal_weight_keep_equal_risks_together() -> None:
    risk = np.array([0.1] * 6 + [0.2, 0.3, 0.4, 0.5])
    groups = calibration_groups(risk, np.ones(10), bins=5)
    assert len(set(groups[:6].tolist())) == 1
    assert (np.diff(groups) >= 0).all()

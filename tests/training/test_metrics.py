"""Figures of merit against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.metrics import at_capacity, calibration_curve, calibration_error, evaluate


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

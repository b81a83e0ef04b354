"""Near-same returns."""

from __future__ import annotations

import numpy as np

from features.service import MODEL_FEATURES
from training.explanation.stability import RELATIVE_STEPS, STEPS, near_same, overlap, same_first


def test_each_value_moves_by_at_most_its_step() -> None:
    rng = np.random.default_rng(0)
    X = np.round(rng.gamma(1.0, 20.0, (300, len(MODEL_FEATURES))), 3)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, ::3] *= -1
    moved = near_same(X, MODEL_FEATURES, rng)
    for column, feature in enumerate(MODEL_FEATURES):
        step = STEPS.get(feature.unit, 0.0) + RELATIVE_STEPS.get(feature.unit, 0.0) * np.abs(X[:, column])
        change = np.abs(moved[:, column] - X[:, column])
        known = ~np.isnan(X[:, column])
        assert (change[known] <= step[known] + 1e-12).all()
        assert np.isnan(moved[~known, column]).all()
        assert step[known].any() == change[known].any()


def test_what_is_counted_or_stated_stays() -> None:
    units = {feature.unit for feature in MODEL_FEATURES}
    assert set(STEPS) | set(RELATIVE_STEPS) <= units
    assert not {"returns", "claims", "orders", "findings", "yes or no", "code", "customers"} & (
        set(STEPS) | set(RELATIVE_STEPS)
    )


def test_nothing_falls_below_zero() -> None:
    X = np.zeros((50, len(MODEL_FEATURES)))
    assert (near_same(X, MODEL_FEATURES, np.random.default_rng(1)) >= 0).all()


def test_the_first_and_the_first_three() -> None:
    reasons = np.array([[0, 1, 2, 3], [0, 1, -1, -1], [-1, -1, -1, -1]])
    others = np.array([[0, 2, 1, 9], [1, 0, 5, -1], [-1, -1, -1, -1]])
    assert same_first(reasons, others).tolist() == [True, False, True]
    assert overlap(reasons, others).tolist() == [1.0, 2 / 3, 1.0]

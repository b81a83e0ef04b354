"""The removal test, on a model whose risk is known by heart."""

from __future__ import annotations

import numpy as np
import pytest

from features.reasons import CODES, group_of
from tests.support.models import model_on
from tests.support.returns import feature
from training.explanation.removal import fall, typical_values

FEATURES = (feature("claims", family="claims"), feature("rate", family="rate"), feature("also_claims", family="claims"))
GROUPS = group_of([f.family for f in FEATURES])
CLAIMS, RATE = CODES.index("R03"), CODES.index("R02")


def rows(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Claims raise the risk, the rate lowers it; the third feature does nothing."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.poisson(0.4, n), rng.random(n), rng.random(n)]).astype(float)
    return X, 1 / (1 + np.exp(3 - 1.5 * X[:, 0] + 2 * X[:, 1]))


def test_typical_values_are_the_medians() -> None:
    X, target = rows()
    assert typical_values(model_on(FEATURES, X, target)) == pytest.approx(np.median(X, axis=0))


def test_what_most_returns_lack_is_typically_unknown() -> None:
    X, target = rows()
    X[100:, 2] = np.nan
    X[:100, 1] = np.nan
    assert np.isnan(typical_values(model_on(FEATURES, X, target))).tolist() == [False, False, True]


def test_the_risk_falls_without_what_raises_it_and_rises_without_what_lowers_it() -> None:
    X, target = rows()
    model = model_on(FEATURES, X, target)
    some = X[(X[:, 0] >= 2) & (X[:, 1] > 0.7)][:20]
    falls = fall(model, some, GROUPS, np.tile([CLAIMS, RATE, -1], (len(some), 1)))
    assert (falls[:, 0] > 0.05).all()
    assert (falls[:, 1] < 0).all()
    assert np.isnan(falls[:, 2]).all()
    typical = some.copy()
    typical[:, [0, 2]] = np.median(X, axis=0)[[0, 2]]
    assert falls[:, 0] == pytest.approx(model.risk(some) - model.risk(typical))


def test_no_rows() -> None:
    X, target = rows()
    assert fall(model_on(FEATURES, X, target), X[:0], GROUPS, np.empty((0, 4), dtype=np.intp)).shape == (0, 4)

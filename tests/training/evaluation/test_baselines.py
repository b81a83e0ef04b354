"""What the model has to beat: fitted on the same stretch, calibrated alike, judged on the same returns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.support.returns import FEATURES, feature, made_up_returns, until_of
from training.dataset import Split, split
from training.evaluation.baselines import Rival, baselines
from training.evaluation.metrics import evaluate


@pytest.fixture(scope="module")
def parts() -> Split:
    rows = made_up_returns(n=8000, shift=-3.5)
    return split(rows, until_of(rows))


@pytest.fixture(scope="module")
def rivals(parts: Split) -> dict[str, Rival]:
    return {rival.name: rival for rival in baselines(parts, FEATURES)}


def test_the_rule_orders_by_its_feature(parts: Split, rivals: dict[str, Rival]) -> None:
    rule = rivals["return_rate_rule"]
    assert rule.note == "by `customer_return_rate_90d`"
    assert rule.risk is not None
    order = np.argsort(parts.test.X[:, 1])
    assert (np.diff(rule.risk[order]) >= 0).all()


def test_a_rule_without_its_feature_says_so(rivals: dict[str, Rival]) -> None:
    assert rivals["count_rule"].risk is None
    assert "customer_returns_90d" in rivals["count_rule"].note


def test_all_give_probabilities_at_the_level_of_what_is_found(parts: Split, rivals: dict[str, Rival]) -> None:
    weight = parts.test.weights(100)
    for name in ("return_rate_rule", "logistic_regression"):
        risk = rivals[name].risk
        assert risk is not None
        assert ((risk > 0) & (risk < 1)).all()
        assert np.average(risk, weights=weight) == pytest.approx(np.average(parts.test.y, weights=weight), rel=0.4)


def test_logistic_regression_learns_more_than_the_rule(parts: Split, rivals: dict[str, Rival]) -> None:
    auc = {
        name: evaluate(parts.test.y, rivals[name].risk, np.ones(len(parts.test)))["auc"]
        for name in ("return_rate_rule", "logistic_regression")
    }
    assert auc["logistic_regression"] > auc["return_rate_rule"] + 0.05
    assert auc["logistic_regression"] > 0.7


def test_columns_that_say_nothing_do_no_harm(parts: Split) -> None:
    """Never known, always the same, endlessly large, a word never seen in training: no warning, no unknown risk."""

    def with_columns(rows):
        n = len(rows)
        extra = np.column_stack([np.full(n, np.nan), np.full(n, 3.0), np.linspace(0, 1e12, n)])
        X = np.column_stack([rows.X, extra])
        return dataclasses.replace(rows, X=X)

    train, calibration, test = (with_columns(part) for part in (parts.train, parts.calibration, parts.test))
    for part in (train, calibration):
        part.X[part.X[:, 4] == 2, 4] = -1.0
    more = (*FEATURES, *(feature(name) for name in ("unknown", "same", "large")))
    wide = dataclasses.replace(parts, train=train, calibration=calibration, test=test, labelled=None)
    risk = baselines(wide, more)[2].risk
    assert risk is not None
    assert np.isfinite(risk).all()


def test_the_same_rows_give_the_same_bits(parts: Split, rivals: dict[str, Rival]) -> None:
    again = baselines(parts, FEATURES)[2].risk
    assert again is not None
    assert again.tobytes() == rivals["logistic_regression"].risk.tobytes()

"""The prior model: written weights, an assumed base rate, nothing learned."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.clock import DAY
from features.service import MODEL_FEATURES
from tests.support.returns import FEATURES, START, made_up_context
from training.dataset import Rows
from training.errors import TrainingError
from training.model import Recipe
from training.prior import PriorWeights, excess, fit_prior, read_weights, soft_target

NAMES = [f.name for f in MODEL_FEATURES]


def made_up(n: int = 3000) -> Rows:
    rng = np.random.default_rng(1)
    return Rows(
        return_id=np.array([f"r{i}" for i in range(n)], dtype=object),
        requested_at=START + np.arange(n) * DAY // 10,
        X=rng.gamma(1.0, 2.0, (n, len(NAMES))).round(1),
        y=np.full(n, np.nan),
        known_at=np.zeros(n, dtype=np.int64),
        odds=np.full(n, np.nan),
        context=made_up_context(n),
    )


def test_the_weights_fit_the_features_and_their_signs() -> None:
    prior = read_weights()
    signs = {f.name: f.sign for f in MODEL_FEATURES}
    assert set(prior.weights) <= set(signs)
    assert all(signs[name] * weight >= 0 for name, weight in prior.weights.items())
    assert 0 < prior.base_rate < 0.1


def test_a_weight_on_nothing_is_refused() -> None:
    with pytest.raises(TrainingError, match="nobody_knows"):
        soft_target(np.zeros((5, 1)), ["x"], PriorWeights("1", 0.02, 1.0, {"nobody_knows": 1.0}, {}))


def test_only_the_upper_half_counts() -> None:
    assert excess(np.arange(5.0)).tolist() == pytest.approx([0.0, 0.0, 0.0, 0.4, 0.8])
    assert excess(np.arange(5.0), above=3.0).tolist() == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.8])
    assert excess(np.full(5, 3.0)).tolist() == [0.0] * 5
    assert excess(np.full(5, np.nan)).tolist() == [0.0] * 5


def test_the_target_has_the_assumed_mean_and_the_written_order() -> None:
    rows = made_up()
    prior = read_weights()
    target = soft_target(rows.X, NAMES, prior)
    assert target.mean() == pytest.approx(prior.base_rate, rel=1e-6)
    floors = {n: prior.above.get(n, -np.inf) for n in prior.weights}
    score = sum(w * excess(rows.X[:, NAMES.index(n)], floors[n]) for n, w in prior.weights.items())
    assert (np.diff(target[np.argsort(score, kind="stable")]) >= -1e-12).all()
    assert np.ptp(target) > 0.05


def test_the_prior_follows_the_weights() -> None:
    rows = made_up()
    fitted = fit_prior(rows, MODEL_FEATURES, Recipe(), {"feature_service": "x"})
    model = fitted.load()
    assert fitted.card.prior
    assert fitted == fit_prior(rows, MODEL_FEATURES, Recipe(), {"feature_service": "x"})
    used = {f.name for f, part in zip(MODEL_FEATURES, model.contributions(rows.X).T, strict=True) if part.any()}
    assert used <= set(read_weights().weights)
    assert len(used) > 10
    later = rows.X[2400:]
    target = soft_target(rows.X, NAMES, read_weights())[2400:]
    enough = ~model.thin(later)
    assert np.corrcoef(model.raw(later[enough]), np.log(target[enough]))[0, 1] > 0.8
    assert model.risk(later[enough]).mean() == pytest.approx(target[enough].mean(), rel=0.15)


def test_labels_are_not_looked_at() -> None:
    rows = made_up()
    labelled = dataclasses.replace(rows, y=np.ones(len(rows)))
    facts = {"feature_service": "x"}
    assert fit_prior(rows, MODEL_FEATURES, Recipe(), facts) == fit_prior(labelled, MODEL_FEATURES, Recipe(), facts)


def test_too_few_returns() -> None:
    with pytest.raises(TrainingError, match="knows 150 returns"):
        fit_prior(made_up(150), FEATURES, Recipe(), {})

"""A small model folder from made-up rows, for tests that need a model and not a training run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np

from features.risk_model import (
    THIN_FEATURE,
    Bands,
    Calibration,
    FeatureSpec,
    ModelCard,
    Reference,
    RiskModel,
    ThinHistory,
    write_model,
)
from features.signals import ModelFeature

NAMES = (THIN_FEATURE, "customer_return_rate_90d", "customer_claims_365d", "request_value", "request_reason")


def made_up_rows(names: Sequence[str], rows: int = 2000, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """(rows, k) values between 0 and 10, some unknown (NaN), and (rows,) targets that follow the first few columns."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.gamma(2.0, 1.5, size=(rows, len(names))), 2)
    score = X[:, 1 : min(6, len(names))].sum(axis=1) * 0.4 - 4.0
    y = (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(float)
    X[rng.random(X.shape) < 0.03] = np.nan
    return X, y


def make_model_folder(
    folder: Path,
    names: Sequence[str] = NAMES,
    *,
    feature_service: str = "returns_v1",
    families: dict[str, str] | None = None,
    categories: dict[str, tuple[str, ...]] | None = None,
    prior: bool = False,
    trees: int = 25,
    seed: int = 7,
    trained_until: str = "2026-01-01T00:00:00+00:00",
) -> Path:
    """Write a working model folder over the features `names` (the real ones or made-up ones) and return it."""
    X, y = made_up_rows(names, seed=seed)
    booster = lightgbm.train(
        {"objective": "binary", "num_leaves": 8, "max_depth": 4, "verbosity": -1, "num_threads": 1, "seed": seed},
        lightgbm.Dataset(X, y, feature_name=list(names)),
        num_boost_round=trees,
    )
    families, categories = families or {}, categories or {}
    card = ModelCard(
        feature_service=feature_service,
        features=tuple(FeatureSpec(name=n, categories=categories.get(n), family=families.get(n, "")) for n in names),
        calibration=Calibration(method="sigmoid", raw=(-4.0, 4.0), log_odds=(-6.0, 1.0)),
        base_rate=0.04,
        thin_history=ThinHistory(orders=3) if THIN_FEATURE in names else None,
        bands=Bands(elevated=0.06, high=0.12),
        reference={
            n: Reference(median=float(m), p05=float(a), p95=float(b))
            for n, (a, m, b) in zip(names, np.nanpercentile(X, (5, 50, 95), axis=0).T, strict=True)
        },
        reasons_version="test",
        trained_until=trained_until,
        prior=prior,
    )
    write_model(folder, booster.model_to_string(), card)
    return folder


def model_on(
    features: Sequence[ModelFeature], X: np.ndarray, target: np.ndarray, *, trees: int = 60, elevated: float = 0.1
) -> RiskModel:
    """A model (n, k) -> risk that learned `target` (n,), 0 to 1, as it is: no calibration, no thin history."""
    names = [feature.name for feature in features]
    booster = lightgbm.train(
        {
            "objective": "cross_entropy",
            "num_leaves": 15,
            "min_data_in_leaf": 20,
            "learning_rate": 0.15,
            "verbosity": -1,
            "num_threads": 1,
            "seed": 7,
        },
        lightgbm.Dataset(X, target, feature_name=names),
        num_boost_round=trees,
    )
    card = ModelCard(
        feature_service="made_up",
        features=tuple(FeatureSpec(name=feature.name, family=feature.family) for feature in features),
        calibration=Calibration(method="sigmoid", raw=(-30.0, 30.0), log_odds=(-30.0, 30.0)),
        base_rate=float(np.clip(target.mean(), 0.001, 0.999)),
        bands=Bands(elevated=elevated, high=max(elevated, 0.2)),
        reference={
            name: Reference(median=float(m), p05=float(a), p95=float(b), known=float(k))
            for name, (a, m, b), k in zip(
                names, np.nanpercentile(X, (5, 50, 95), axis=0).T, 1 - np.isnan(X).mean(axis=0), strict=True
            )
        },
    )
    return RiskModel(lightgbm.Booster(model_str=booster.model_to_string()), card)

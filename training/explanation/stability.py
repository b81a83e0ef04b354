"""Stability: near-same returns should be told near-same reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from features.reasons import Places
from features.signals import ModelFeature

Floats = npt.NDArray[np.float64]

#: What makes two returns near-same, by the unit of a feature: up to one day more or less, up to one point of a share,
#: up to 2% of money and ratios. Whatever is counted or stated stays: one return more is another history.
STEPS: Final = {"days": 1.0, "share": 0.01}
RELATIVE_STEPS: Final = {"1/100 currency": 0.02, "ratio": 0.02}


def near_same(X: Floats, features: Sequence[ModelFeature], rng: np.random.Generator) -> Floats:
    """Rows (n, k) moved by at most a small step in each feature; what was not below 0 stays so."""
    absolute = np.array([STEPS.get(feature.unit, 0.0) for feature in features])
    relative = np.array([RELATIVE_STEPS.get(feature.unit, 0.0) for feature in features])
    steps = rng.uniform(-1.0, 1.0, X.shape) * (absolute + relative * np.abs(X))
    return np.asarray(np.where(X >= 0, np.maximum(X + steps, 0.0), X + steps), dtype=np.float64)


def same_first(reasons: Places, others: Places) -> npt.NDArray[np.bool_]:
    """Whether the first reason is the same. (n, m), (n, m) -> (n,)."""
    return np.asarray(reasons[:, 0] == others[:, 0])


def overlap(reasons: Places, others: Places, first: int = 3) -> Floats:
    """How much of the first few reasons is common: those in both of those in either (Jaccard); 1 for none and none.

    (n, m), (n, m) with -1 for no reason -> (n,).

    >>> overlap(np.array([[0, 1, 2], [4, -1, -1]]), np.array([[1, 0, 3], [-1, -1, -1]])).tolist()
    [0.5, 0.0]
    """
    a, b = reasons[:, :first], others[:, :first]
    common = ((a[:, :, None] == b[:, None, :]) & (a[:, :, None] >= 0)).any(axis=2).sum(axis=1)
    either = (a >= 0).sum(axis=1) + (b >= 0).sum(axis=1) - common
    return np.asarray(np.where(either > 0, common / np.maximum(either, 1), 1.0), dtype=np.float64)

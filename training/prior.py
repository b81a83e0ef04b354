"""The prior model: written weights instead of learned ones, until enough returns have been inspected.

`prior.toml` gives each of a few features a weight. They become a soft target for every return of the ledger, and the
same kind of trees under the same monotone constraints is fitted to it, so that everything after training
(contributions, reasons, bands, the API) works as it will later. The target is a stand-in: it orders returns by how
unusual their history is, at an assumed base rate. It is no evidence of abuse, and the model card says `"prior": true`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.risk_model import log_odds, probabilities
from features.signals import ModelFeature
from training.calibration import sigmoid
from training.dataset import Rows
from training.errors import TrainingError
from training.model import Fitted, Recipe, finish, fit_trees, raw_scores

Floats = npt.NDArray[np.float64]

#: Fewer returns than this have no ranks worth the name.
MIN_RETURNS: Final = 200
#: More than this adds nothing to a sum of two dozen ranks.
MAX_RETURNS: Final = 50_000
_TRAIN_SHARE: Final = 0.8


@dataclass(frozen=True)
class PriorWeights:
    """The content of `prior.toml`."""

    version: str
    base_rate: float
    steepness: float
    weights: Mapping[str, float]
    above: Mapping[str, float]


def read_weights() -> PriorWeights:
    """The written weights that come with the package."""
    content = tomllib.loads(resources.files("training").joinpath("prior.toml").read_text(encoding="utf-8"))
    return PriorWeights(**content)


def excess(column: Floats, above: float = -np.inf) -> Floats:
    """How far above the middle of its column each value ranks: 0 for the lower half, 1 for the highest. (n,) -> (n,).

    Unknown values (NaN) count as the middle, and so do values up to `above`; equal values share their middle rank, so a
    constant column gives zeros.

    >>> excess(np.array([1.0, 2.0, 3.0, 4.0, float("nan")])).tolist()
    [0.0, 0.0, 0.25, 0.75, 0.0]
    """
    known = ~np.isnan(column)
    values = column[known]
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    out = np.zeros(len(column))
    out[known] = np.where(values > above, np.maximum(0.0, (below + up_to) / max(len(values), 1) - 1.0), 0.0)
    return out


def soft_target(X: Floats, names: Sequence[str], prior: PriorWeights) -> Floats:
    """Stand-in probabilities of rows (n, k), whose mean is the assumed base rate. (n,)."""
    missing = sorted((set(prior.weights) | set(prior.above)) - set(names))
    if missing:
        raise TrainingError(f"training/prior.toml weighs features that do not exist: {', '.join(missing)}")
    score = np.zeros(len(X))
    for name, weight in prior.weights.items():
        score += weight * excess(X[:, list(names).index(name)], prior.above.get(name, -np.inf))
    score *= prior.steepness
    low, high = log_odds(prior.base_rate) - score.max(), log_odds(prior.base_rate) - score.min()
    for _ in range(100):  # bisection: the mean rises with the shift
        middle = (low + high) / 2
        if float(probabilities(score + middle).mean()) < prior.base_rate:
            low = middle
        else:
            high = middle
    return probabilities(score + (low + high) / 2)


def fit_prior(rows: Rows, features: Sequence[ModelFeature], recipe: Recipe, facts: dict[str, Any]) -> Fitted:
    """A prior model of returns in order of time (their labels are not looked at)."""
    if len(rows) < MIN_RETURNS:
        raise TrainingError(
            f"the ledger knows {len(rows)} returns; even a prior model needs {MIN_RETURNS} to tell what is usual"
        )
    prior = read_weights()
    target = soft_target(rows.X, [f.name for f in features], prior)
    cut = int(len(rows) * _TRAIN_SHARE)
    soft = Recipe("cross_entropy", recipe.max_trees, recipe.trees, recipe.thin_orders)
    # A constant column is never split on: the trees see what has a written weight and nothing that goes along with it.
    weighed = np.where([f.name in prior.weights for f in features], rows.X, 0.0)
    text, trees = fit_trees(weighed[:cut], target[:cut], np.ones(cut), features, soft)
    later = rows.take(slice(cut, None))
    weight = np.ones(len(later))
    calibration = sigmoid(raw_scores(text, later.X), target[cut:], weight)
    return finish(
        text,
        trees,
        calibration,
        prior.base_rate,
        later.X,
        weight,
        features,
        soft,
        {**facts, "prior": True, "prior_version": prior.version},
    )

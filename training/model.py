"""Fit the trees, calibrate them, and write down everything that serving needs to know about the result.

The same rows give the same model, bit by bit: one seed for everything, LightGBM in its deterministic mode, and no
moment of the clock in what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt

from features.clock import DAY
from features.risk_model import (
    THIN_FEATURE,
    Bands,
    Calibration,
    FeatureSpec,
    ModelCard,
    Reference,
    RiskModel,
    ThinHistory,
)
from features.signals import ModelFeature
from training.calibration import LEVEL_FROM, at_level, calibrate
from training.dataset import ESTIMATE_CLIP, SLOPE_CLIP, TREE_CLIP, UNCHECKED_WEIGHT, Rows, Split
from training.labels import base_rate as base_rate_of
from training.labels import effective_size

Floats = npt.NDArray[np.float64]

SEED: Final = 20261

#: Small on purpose: SHAP contributions of one row must stay well under half a millisecond (time grows with
#: trees x leaves x depth squared), and a few hundred positives do not fill more leaves than this.
MAX_TREES: Final = 150
TREE_PARAMETERS: Final[dict[str, Any]] = {
    "learning_rate": 0.03,
    "num_leaves": 15,
    "max_depth": 6,
    "min_data_in_leaf": 20,
    "min_sum_hessian_in_leaf": 1.0,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "extra_trees": True,  # thresholds drawn, not searched: with few positives the best threshold is mostly chance
    "max_bin": 127,
    "cat_smooth": 20.0,
    "min_data_per_group": 20,
    "monotone_constraints_method": "intermediate",
}
#: What makes LightGBM give the same trees for the same rows, on any number of threads. A histogram built by rows, or of
#: a sparse group of features, is added up from one part per thread, and its last bits follow their number; one built by
#: columns is added up by one thread in the order of the rows.
FIXED: Final[dict[str, Any]] = {
    "verbosity": -1,
    "seed": SEED,
    "deterministic": True,
    "force_col_wise": True,
    "is_enable_sparse": False,
}
_STOPPING_SHARE: Final = 0.2
_STOPPING_ROUNDS: Final = 60
#: Where so few findings lie in the latest fifth, chance may stop too early; more trees of such a rate do little harm.
_MIN_TREES: Final = 100
#: Below this many rows one thread is quick enough, and ten times quicker than several on a machine with other work.
_THREADS_FROM: Final = 100_000


@dataclass(frozen=True)
class Recipe:
    """Everything that was chosen rather than learned."""

    objective: str = "binary"
    max_trees: int = MAX_TREES
    trees: dict[str, Any] = field(default_factory=lambda: dict(TREE_PARAMETERS))
    thin_orders: int = 3
    tree_weight_clip: float = TREE_CLIP
    unchecked_weight: float = UNCHECKED_WEIGHT

    def parameters(self) -> dict[str, Any]:
        """Flat, for the run."""
        return {
            **self.trees,
            "objective": self.objective,
            "max_trees": self.max_trees,
            "thin_orders": self.thin_orders,
            "tree_weight_clip": self.tree_weight_clip,
            "unchecked_weight": self.unchecked_weight,
            "estimate_weight_clip": ESTIMATE_CLIP,
            "seed": SEED,
        }


@dataclass(frozen=True)
class Fitted:
    """A booster as text, the number of its trees, and the card that goes with it."""

    booster_text: str
    trees: int
    card: ModelCard

    def load(self) -> RiskModel:
        """As serving will load it."""
        return RiskModel(lightgbm.Booster(model_str=self.booster_text), self.card)

    def with_metrics(self, metrics: dict[str, float]) -> Fitted:
        """The same model with these figures on its card."""
        return replace(self, card=self.card.model_copy(update={"metrics": metrics}))


def fit(split: Split, features: Sequence[ModelFeature], recipe: Recipe, facts: dict[str, Any]) -> Fitted:
    """Fit and calibrate on everything before the test stretch. `facts` goes into the card as it is.

    Trees of the train stretch are asked about the calibration stretch, which they have not seen: that gives the
    calibration and the bands. Then the same number of trees is fitted to both stretches, so that few findings are not
    spent on calibrating alone. (As scikit-learn's `CalibratedClassifierCV` does with `ensemble=False`, here in order of
    time.)
    """
    rehearsal, trees = fit_trees(*tree_rows(split, recipe, split.calibration_from), features, recipe)
    part = split.calibration
    weight = part.weights(ESTIMATE_CLIP)
    raw = raw_scores(rehearsal, part.X)
    calibration = calibrate(raw, part.y, weight, part.weights(SLOPE_CLIP))
    few = effective_size(weight[part.y == 1]) < LEVEL_FROM
    base_rate = earlier_base_rate(split) if few else _base_rate(split, [part])
    everyone = _all_returns(split)
    text, _ = fit_trees(*tree_rows(split, recipe, split.test_from), features, recipe, trees=trees)
    fitted = finish(
        rehearsal,
        trees,
        at_level(calibration, raw_scores(rehearsal, everyone.X), everyone.weight, base_rate),
        base_rate,
        everyone.X,
        everyone.weight,
        features,
        recipe,
        facts,
    )
    calibration = at_level(calibration, raw_scores(text, everyone.X), everyone.weight, base_rate)
    card = fitted.card.model_copy(update={"calibration": calibration})
    return replace(fitted, booster_text=text, card=card)


def tree_rows(split: Split, recipe: Recipe, end: int) -> tuple[Floats, Floats, Floats]:
    """What trees are fitted to that know nothing from the moment `end` on, in order of time: X (n, k), y (n,), weight
    (n,).

    Labelled returns of the stretches before `end`, and those that nobody looked at as weak negatives: nearly all of
    them are negative (learning from positive and unlabelled cases; Elkan and Noto, 2008, here with a small fixed
    weight). They tell the trees what is usual among returns that nobody would pick.
    """
    known = split.labelled_before(end)
    weight = known.weights(recipe.tree_weight_clip)
    begin = int(known.requested_at[0]) if len(known) else 0
    others = split.unchecked_between(begin, end - split.gap)
    if others is None or not recipe.unchecked_weight:
        return known.X, known.y, weight
    order = np.argsort(np.concatenate([known.requested_at, others.rows.requested_at]), kind="stable")
    return (
        np.concatenate([known.X, others.rows.X])[order],
        np.concatenate([known.y, np.zeros(len(others.rows))])[order],
        np.concatenate([weight, np.full(len(others.rows), recipe.unchecked_weight)])[order],
    )


def earlier_base_rate(split: Split) -> float:
    """Share of positives among all returns as the test stretch begins, from those that were checked before."""
    return _base_rate(split, [split.train, split.calibration])


def _base_rate(split: Split, parts: Sequence[Rows]) -> float:
    """Share of positives among all returns of some stretches before the test stretch, in order of time."""
    age = (split.test_from - np.concatenate([p.requested_at for p in parts])) / DAY
    y, odds = np.concatenate([p.y for p in parts]), np.concatenate([p.odds for p in parts])
    trigger = np.concatenate([p.context["trigger"].to_numpy(dtype=object) for p in parts])
    others = split.unchecked_between(int(parts[0].requested_at[0]), split.test_from - split.gap)
    returns = len(y) + (len(others.rows) / others.share if others is not None else 0)
    return base_rate_of(y, odds, trigger, returns, clip=ESTIMATE_CLIP, age=age)


class _Weighted(NamedTuple):
    X: Floats
    weight: Floats


def _all_returns(split: Split) -> _Weighted:
    """Inputs and weights that stand for all returns of the calibration stretch: every one of them where those that
    nobody looked at are there, else the labelled ones weighted."""
    part = split.calibration
    others = split.unchecked_between(split.calibration_from, split.test_from - split.gap)
    if others is None:
        return _Weighted(part.X, part.weights(ESTIMATE_CLIP))
    return _Weighted(
        np.concatenate([part.X, others.rows.X]),
        np.concatenate([np.ones(len(part)), np.full(len(others.rows), 1 / others.share)]),
    )


def fit_trees(
    X: Floats,
    y: Floats,
    weight: Floats,
    features: Sequence[ModelFeature],
    recipe: Recipe,
    *,
    seed: int = SEED,
    trees: int | None = None,
) -> tuple[str, int]:
    """Trees on rows in order of time: unless `trees` says how many, their number is found on the latest fifth, then all
    rows are used.

    X (n, k), y (n,) 0 to 1, weight (n,). Gives the booster as text and its number of trees.
    """
    parameters = {**_parameters(len(y), features, recipe), "seed": seed}
    data = lightgbm.Dataset(
        _codes_or_unknown(X, features),
        y,
        weight=weight / weight.mean(),
        feature_name=[f.name for f in features],
        categorical_feature=[i for i, f in enumerate(features) if f.categories],
        params=parameters,
    ).construct()  # binned once, for both fits
    rounds = _rounds(data, y, weight, parameters, recipe.max_trees) if trees is None else trees
    booster = lightgbm.train(parameters, data, num_boost_round=rounds)
    return _text(booster), booster.num_trees()


def _rounds(data: lightgbm.Dataset, y: Floats, weight: Floats, parameters: dict[str, Any], at_most: int) -> int:
    """How many trees do best on the latest fifth, when they are fitted to what is before."""
    cut = int(len(y) * (1 - _STOPPING_SHARE))
    if not (0 < y[:cut].sum() < cut and 0 < y[cut:].sum() < len(y) - cut):
        return at_most
    early = lightgbm.train(
        parameters,
        data.subset([*range(cut)]),
        num_boost_round=at_most,
        valid_sets=[data.subset([*range(cut, len(y))])],
        feval=_loss_of(y[cut:], weight[cut:]),
        callbacks=[lightgbm.early_stopping(_STOPPING_ROUNDS, verbose=False)],
    )
    return min(at_most, max(_MIN_TREES, early.best_iteration))


def _parameters(rows: int, features: Sequence[ModelFeature], recipe: Recipe) -> dict[str, Any]:
    return {
        "num_threads": 1 if rows < _THREADS_FROM else 0,
        **recipe.trees,
        **FIXED,
        "objective": recipe.objective,
        "metric": "None",  # `_loss_of`
        "monotone_constraints": [0 if f.categories else f.sign for f in features],
    }


def _loss_of(y: Floats, weight: Floats) -> Callable[[Floats, lightgbm.Dataset], tuple[str, float, bool]]:
    """Weighted cross-entropy, of soft targets too, for early stopping. LightGBM's own is added up in as many parts as
    there are threads."""

    def loss(p: Floats, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return "loss", -float(np.average(y * np.log(p) + (1 - y) * np.log1p(-p), weights=weight)), False

    return loss


def _codes_or_unknown(X: Floats, features: Sequence[ModelFeature]) -> Floats:
    """Code -1 as NaN, which LightGBM treats alike but does not accept in silence when it is fitted."""
    unknown = [i for i, f in enumerate(features) if f.categories and (X[:, i] < 0).any()]
    if unknown:
        X = X.copy()
        for i in unknown:
            X[X[:, i] < 0, i] = np.nan
    return X


def _text(booster: lightgbm.Booster) -> str:
    """The trees without LightGBM's list of all its parameters, which names threads and files of this machine."""
    text: str = booster.model_to_string(num_iteration=-1)
    head, _, rest = text.partition("\nparameters:\n")
    _, _, tail = rest.partition("end of parameters\n")
    return f"{head}\nparameters:\n\nend of parameters\n{tail}" if tail else text


def raw_scores(booster_text: str, X: Floats) -> Floats:
    """Raw scores of rows (n, k) -> (n,)."""
    booster = lightgbm.Booster(model_str=booster_text)
    threads = 1 if len(X) < _THREADS_FROM else 0
    return np.asarray(booster.predict(X, raw_score=True, num_threads=threads), dtype=np.float64)


def finish(
    booster_text: str,
    trees: int,
    calibration: Calibration,
    base_rate: float,
    X: Floats,
    weight: Floats,
    features: Sequence[ModelFeature],
    recipe: Recipe,
    facts: dict[str, Any],
) -> Fitted:
    """Bands and reference values from returns X (n, k), weighted (n,) to stand for all, and the whole as a card."""
    thin = ThinHistory(orders=recipe.thin_orders) if any(f.name == THIN_FEATURE for f in features) else None
    parts: dict[str, Any] = {
        "features": tuple(FeatureSpec(name=f.name, categories=f.categories, family=f.family) for f in features),
        "calibration": calibration,
        "base_rate": min(max(base_rate, 1e-5), 0.5),
        "thin_history": thin,
        "reference": reference(X, features),
        **facts,
    }
    draft = ModelCard(bands=Bands(elevated=0.5, high=0.5), **parts)
    risk = RiskModel(lightgbm.Booster(model_str=booster_text), draft).risk(X)
    return Fitted(booster_text, trees, ModelCard(bands=bands(risk, weight, draft.base_rate), **parts))


def bands(risk: Floats, weight: Floats, base_rate: float) -> Bands:
    """High: the riskiest 2% of returns, at three times the base rate or more; elevated: 10%, at 1.5 times or more."""
    top = np.argsort(-risk, kind="stable")
    share = np.cumsum(weight[top]) / weight.sum()

    def start(at_most: float, times: float) -> float:
        position = min(int(np.searchsorted(share, at_most)), len(risk) - 1)
        return float(min(max(risk[top][position], times * base_rate), 0.99))

    high = start(0.02, 3.0)
    return Bands(elevated=min(start(0.10, 1.5), high), high=high)


def reference(X: Floats, features: Sequence[ModelFeature]) -> dict[str, Reference]:
    """What is usual for each feature among the known values of `X` (n, k); the commonest code of a categorical one."""
    out: dict[str, Reference] = {}
    for i, f in enumerate(features):
        known = X[~np.isnan(X[:, i]), i]
        share = len(known) / max(len(X), 1)
        if not len(known):
            known = np.zeros(1)
        low, middle, high = np.percentile(known, (5, 50, 95)).tolist()
        if f.categories:
            values, counts = np.unique(known, return_counts=True)
            middle = float(values[np.argmax(counts)])
        out[f.name] = Reference(median=middle, p05=low, p95=high, known=share)
    return out

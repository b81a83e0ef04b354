"""The search itself: trials of recipes over folds, without anything of MLflow.

The same folds, seed and number of trials give the same trials, bit by bit: the study lives in memory, its sampler has
a fixed seed, and no clock decides anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import optuna
from optuna.trial import TrialState

from features.signals import ModelFeature
from training.model import SEED, Recipe, fit_trees, raw_scores
from training.search.folds import Fold
from training.search.space import SPACE, default, recipe_of

Floats = npt.NDArray[np.float64]

#: Limit of the weights that a judged return counts with. With a higher one a few random checks decide, and what is
#: found is chance (docs/training.md has the figures).
OBJECTIVE_CLIP: Final = 2.0
#: Each recipe is fitted with so many seeds: half of what differs between trees of few positives is the draw of rows,
#: columns and thresholds.
SEEDS: Final = (SEED, SEED + 1)
#: A recipe takes the place of the default one if it is better by so many standard errors of the difference. More than
#: for a single comparison: of 20 alike, the luckiest leads by about two.
CLEARLY: Final = 2.5
#: Trials that are never pruned: the first few, before there is a median worth the name.
_STARTUP: Final = 5
_DRAWS: Final = 200


@dataclass(frozen=True)
class Trial:
    """One recipe: its place in the space, its weighted average precision in each fold it came to, and whether it was
    pruned before the last. `raw` are the scores of the judged returns of each fold, (n, seeds) each."""

    number: int
    point: dict[str, Any]
    recipe: Recipe
    precisions: tuple[float, ...]
    pruned: bool
    seconds: float
    raw: tuple[Floats, ...] = field(repr=False, compare=False)

    @property
    def value(self) -> float:
        """Mean over the folds."""
        return float(np.mean(self.precisions))


@dataclass(frozen=True)
class Choice:
    """The trial with the highest mean, how much better than the default recipe it is, the standard error of that, and
    the trial to train with: this one, or the default recipe's."""

    best: Trial
    chosen: Trial
    gain: float
    error: float


def new_study() -> optuna.Study:
    """An empty study in memory whose first trial will be the default recipe."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=SEED),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP),
    )
    study.enqueue_trial(default())
    return study


def run_trials(
    study: optuna.Study, folds: Sequence[Fold], features: Sequence[ModelFeature], count: int
) -> Iterator[Trial]:
    """Runs `count` trials and gives each when it is done. After every fold but the last a trial whose mean so far is
    below the median of the earlier ones is pruned."""
    for _ in range(count):
        began = time.perf_counter()
        asked = study.ask(dict(SPACE))
        recipe = recipe_of(asked.params)
        raw: list[Floats] = []
        values: list[float] = []
        pruned = False
        for step, fold in enumerate(folds):
            raw.append(judge(fold, features, recipe))
            values.append(precision(fold, raw[-1]))
            asked.report(float(np.mean(values)), step)
            pruned = step + 1 < len(folds) and asked.should_prune()
            if pruned:
                break
        if pruned:
            study.tell(asked, state=TrialState.PRUNED)
        else:
            study.tell(asked, float(np.mean(values)))
        seconds = time.perf_counter() - began
        yield Trial(asked.number, dict(asked.params), recipe, tuple(values), pruned, seconds, tuple(raw))


def judge(fold: Fold, features: Sequence[ModelFeature], recipe: Recipe) -> Floats:
    """Raw scores of the judged returns (n, seeds) by trees fitted, with early stopping, to what came before."""
    rows, weight = fold.train, fold.train.weights(recipe.tree_weight_clip)
    scores = []
    for seed in SEEDS:
        text, _ = fit_trees(rows.X, rows.y, weight, features, recipe, seed=seed)
        scores.append(raw_scores(text, fold.judged.X))
    return np.column_stack(scores)


def precision(fold: Fold, raw: Floats) -> float:
    """Weighted average precision of raw scores of the judged returns (n, seeds), mean over the seeds."""
    weight = fold.judged.weights(OBJECTIVE_CLIP)
    return float(np.mean([_Ranked(fold.judged.y, column).precision(weight) for column in raw.T]))


def choose(folds: Sequence[Fold], trials: Sequence[Trial]) -> Choice:
    """What to train with: the completed trial with the highest mean (of equal ones the first), unless its lead over the
    default recipe may well be chance."""
    first, best = trials[0], max((t for t in trials if not t.pruned), key=lambda t: (t.value, -t.number))
    mean, error = gain(folds, best, first)
    return Choice(best=best, chosen=best if mean > CLEARLY * error else first, gain=mean, error=error)


def gain(folds: Sequence[Fold], trial: Trial, other: Trial) -> tuple[float, float]:
    """How much better a completed trial is than another: mean difference over the folds, and its standard error by a
    paired bootstrap of the judged customers (both trials are drawn the same returns)."""
    rng = np.random.default_rng(SEED)
    drawn = np.zeros(_DRAWS)
    for fold, ours, theirs in zip(folds, trial.raw, other.raw, strict=True):
        customers, customer = np.unique(fold.judged.context["customer_id"].astype(str), return_inverse=True)
        weight = fold.judged.weights(OBJECTIVE_CLIP)
        first, second = ([_Ranked(fold.judged.y, column) for column in raw.T] for raw in (ours, theirs))
        for i in range(_DRAWS):
            times = np.bincount(rng.integers(len(customers), size=len(customers)), minlength=len(customers))
            again = weight * times[customer]
            lead = sum(r.precision(again) for r in first) - sum(r.precision(again) for r in second)
            drawn[i] += lead / len(first) / len(folds)
    return trial.value - other.value, float(drawn.std(ddof=1))


class _Ranked:
    """Returns in order of their scores (n,), for average precision under many weights."""

    def __init__(self, y: Floats, raw: Floats) -> None:
        self._order = np.argsort(-raw, kind="stable")
        self._y = y[self._order]
        self._ends = np.flatnonzero(np.append(np.diff(raw[self._order]) != 0, True))  # equal scores share a threshold

    def precision(self, weight: Floats) -> float:
        """Average precision with these weights (n,); 0 if no weight falls on a positive."""
        w = weight[self._order]
        found, seen = np.cumsum(w * self._y)[self._ends], np.cumsum(w)[self._ends]
        steps = np.diff(found, prepend=0.0)
        return float((steps * found / np.maximum(seen, 1e-12)).sum() / max(found[-1], 1e-12))


def importances(study: optuna.Study) -> dict[str, float]:
    """How much each parameter decides about the mean, by Optuna's evaluator; nothing if all trials were alike."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len({t.value for t in done}) < 2:
        return {}
    return optuna.importance.get_param_importances(study)

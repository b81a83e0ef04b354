"""The search itself: trials of recipes over folds, without anything of MLflow.

The same folds, seed and number of trials give the same trials, bit by bit: the study lives in memory, its sampler has
a fixed seed, and no clock decides anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import optuna
from optuna.trial import TrialState
from sklearn.metrics import average_precision_score

from features.signals import ModelFeature
from training.model import SEED, Recipe, fit_trees, raw_scores
from training.search.folds import Fold
from training.search.space import SPACE, default, recipe_of

#: Limit of the weights that a judged return counts with.
OBJECTIVE_CLIP: Final = 10.0
#: Trials that are never pruned: the first few, before there is a median worth the name.
_STARTUP: Final = 5


@dataclass(frozen=True)
class Trial:
    """One recipe: its place in the space, its weighted average precision in each fold it came to, and whether it was
    pruned before the last."""

    number: int
    point: dict[str, Any]
    recipe: Recipe
    precisions: tuple[float, ...]
    pruned: bool
    seconds: float

    @property
    def value(self) -> float:
        """Mean over the folds."""
        return float(np.mean(self.precisions))


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
        values: list[float] = []
        pruned = False
        for step, fold in enumerate(folds):
            values.append(precision_of(fold, features, recipe))
            asked.report(float(np.mean(values)), step)
            pruned = step + 1 < len(folds) and asked.should_prune()
            if pruned:
                break
        if pruned:
            study.tell(asked, state=TrialState.PRUNED)
        else:
            study.tell(asked, float(np.mean(values)))
        seconds = time.perf_counter() - began
        yield Trial(asked.number, dict(asked.params), recipe, tuple(values), pruned, seconds)


def precision_of(fold: Fold, features: Sequence[ModelFeature], recipe: Recipe) -> float:
    """Weighted average precision on the judged block of trees that were fitted, with early stopping, before it."""
    rows = fold.train
    text, _ = fit_trees(rows.X, rows.y, rows.weights(recipe.tree_weight_clip), features, recipe)
    raw = raw_scores(text, fold.judged.X)
    weight = fold.judged.weights(OBJECTIVE_CLIP)
    return float(average_precision_score(fold.judged.y, raw, sample_weight=weight))


def best(trials: Sequence[Trial]) -> Trial:
    """The completed trial with the highest mean; of equal ones the first."""
    return max((t for t in trials if not t.pruned), key=lambda t: (t.value, -t.number))


def gain(trials: Sequence[Trial]) -> tuple[float, float]:
    """How much better the best trial is than the first (the default recipe): mean over the folds and its standard
    error."""
    difference = np.array(best(trials).precisions) - np.array(trials[0].precisions)
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))


def importances(study: optuna.Study) -> dict[str, float]:
    """How much each parameter decides about the mean, by Optuna's evaluator; nothing if all trials were alike."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len({t.value for t in done}) < 2:
        return {}
    return optuna.importance.get_param_importances(study)

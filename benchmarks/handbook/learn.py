"""This project's trainer on one fold: trees on seven days of payments, scores and calibrated risks of the test days.

Every payment has a label, so each counts once (`training.labels.weights` has nothing to undo).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.handbook.payments import Payments
from benchmarks.handbook.protocol import DAYS, Fold, open_cards
from benchmarks.handbook.table import Table
from features.clock import DAY
from features.measures import Ints
from features.risk_model import Calibrator, probabilities
from features.signals import ModelFeature
from training.calibration import calibrate
from training.model import TREE_PARAMETERS, Recipe, fit_trees, raw_scores

Floats = npt.NDArray[np.float64]

#: Of the training days, the last ones calibrate.
_CALIBRATION_DAYS: Final = 2


def recipe(**trees: Any) -> Recipe:
    """The trainer's own recipe but for these parameters of the trees."""
    return Recipe(trees={**TREE_PARAMETERS, **trees})


#: Chosen on the earlier folds (`benchmarks.handbook.choices`): with six hundred frauds and a few features that separate
#: them sharply, thresholds are better searched than drawn, and among more of them.
CHOSEN: Final = recipe(extra_trees=False, max_bin=511)


def scores(
    payments: Payments, table: Table, fold: Fold, features: Sequence[ModelFeature], recipe: Recipe = CHOSEN
) -> Floats:
    """Raw scores of the test payments, by trees fitted on all training payments: (m,) for `fold.test`."""
    return _scores(payments, table, fold.train, fold.test, features, recipe)


def risks(
    payments: Payments,
    table: Table,
    fold: Fold,
    features: Sequence[ModelFeature],
    score: Floats,
    recipe: Recipe = CHOSEN,
) -> Floats:
    """Probabilities for the raw scores (m,) that `scores` gave the test payments.

    The calibration comes from trees of the first five training days, asked about the two that follow: of these the
    cards are taken that would be open by the rule of the test days.
    """
    day = payments.at[fold.train] // DAY
    first = int(day[-1]) - _CALIBRATION_DAYS + 1
    later = np.concatenate([open_cards(payments, d, d - 2 * DAYS) for d in range(first, first + _CALIBRATION_DAYS)])
    raw = _scores(payments, table, fold.train[day < first], later, features, recipe)
    each = np.ones(len(later))
    calibration = calibrate(raw, payments.fraud[later].astype(np.float64), each, each)
    return probabilities(Calibrator(calibration).log_odds(score))


def _scores(
    payments: Payments, table: Table, train: Ints, asked: Ints, features: Sequence[ModelFeature], recipe: Recipe
) -> Floats:
    y = payments.fraud[train].astype(np.float64)
    text, _ = fit_trees(table.X(train, features), y, np.ones(len(train)), features, recipe)
    return raw_scores(text, table.X(asked, features))

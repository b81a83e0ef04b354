"""What the model has to beat: two rules of thumb, a logistic regression, and the model in use now.

All see the same train stretch, have their scores turned into probabilities on the same calibration stretch in the same
way, and are judged on the same later returns.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from features.risk_model import Calibrator, probabilities
from features.signals import ModelFeature
from training.calibration import LEVEL_FROM, SLOPE_SPREAD, at_level, calibrate
from training.dataset import ESTIMATE_CLIP, SLOPE_CLIP, TREE_CLIP, Rows, Split
from training.labels import effective_size
from training.model import earlier_base_rate

Floats = npt.NDArray[np.float64]

#: The features of the rules, the first one that the table has.
RATES: Final = ("customer_return_rate_lifetime", "customer_return_rate_365d", "customer_return_rate_90d")
COUNTS: Final = ("customer_returns_90d", "customer_returns_365d")
#: A logistic regression learns no more from further rows.
_MAX_FITTED: Final = 100_000
#: Inverse strength of its ridge: a hundred columns that say much the same, and a few hundred findings.
_INVERSE_RIDGE: Final = 0.1
#: A rule's score is no log-odds: nothing is known of the slope that turns it into them.
_NO_LOG_ODDS: Final = 100.0


@dataclass(frozen=True)
class Rival:
    """Another way of ordering the test stretch: its risk (n,), or None and a `note` that says why there is none."""

    name: str
    title: str
    risk: Floats | None
    note: str = ""


def baselines(parts: Split, features: Sequence[ModelFeature]) -> list[Rival]:
    """The rules and the logistic regression, fitted on the train and calibration stretch, on the test stretch."""
    return [
        _rule("return_rate_rule", "Return-rate rule", RATES, parts, features),
        _rule("count_rule", "Count rule", COUNTS, parts, features),
        _logistic(parts, features),
    ]


def _rule(name: str, title: str, columns: Sequence[str], parts: Split, features: Sequence[ModelFeature]) -> Rival:
    """Returns in order of one feature: the more the riskier, unknown values last."""
    names = [f.name for f in features]
    column = next((c for c in columns if c in names), None)
    if column is None:
        return Rival(name, title, None, f"none of its features is there ({', '.join(columns)})")
    at = names.index(column)

    def score(rows: Rows) -> Floats:
        return np.nan_to_num(rows.X[:, at], nan=0.0)

    return Rival(
        name, title, _calibrated(parts, score(parts.calibration), score(parts.test), _NO_LOG_ODDS), f"by `{column}`"
    )


def _logistic(parts: Split, features: Sequence[ModelFeature]) -> Rival:
    name, title = "logistic_regression", "Logistic regression"
    # As for the trees: a first fit for the calibration, then one on everything before the test stretch.
    raw = _logistic_scores(parts.train, parts.calibration, features)
    later = _logistic_scores(parts.labelled_before(parts.test_from), parts.test, features)
    return Rival(name, title, _calibrated(parts, raw, later, SLOPE_SPREAD), f"on all {len(features)} features")


def _logistic_scores(rows: Rows, asked: Rows, features: Sequence[ModelFeature]) -> Floats:
    """Log-odds of the returns `asked` about (n,), fitted on at most `_MAX_FITTED` of `rows`."""
    rows = rows.take(slice(None, None, max(1, -(-len(rows) // _MAX_FITTED))))
    pipeline = logistic_pipeline(features)
    weight = rows.weights(TREE_CLIP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is good enough to compare with
        pipeline.fit(_known_codes(rows.X, features), rows.y, logisticregression__sample_weight=weight / weight.mean())
        return np.asarray(pipeline.decision_function(_known_codes(asked.X, features)), dtype=np.float64)


def logistic_pipeline(features: Sequence[ModelFeature]) -> Pipeline:
    """Numbers on a logarithmic scale, unknown ones as the median with a mark, standardised; words one-hot.

    Classes are not balanced: weights that make both kinds equally frequent would not change the order much, and would
    have to be undone by the calibration. The rows weigh what they weigh for the trees.
    """
    words = [i for i, f in enumerate(features) if f.categories]
    numbers = [i for i, f in enumerate(features) if not f.categories]
    scaled = make_pipeline(
        FunctionTransformer(_signed_log),
        SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=True),
        StandardScaler(),
    )
    columns: list[tuple[str, Any, list[int]]] = [
        ("numbers", scaled, numbers),
        ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
    ]
    return make_pipeline(
        ColumnTransformer(columns),
        LogisticRegression(C=_INVERSE_RIDGE, solver="newton-cholesky", max_iter=50),
    )


def _signed_log(X: Floats) -> Floats:
    return np.asarray(np.sign(X) * np.log1p(np.abs(X)), dtype=np.float64)


def _known_codes(X: Floats, features: Sequence[ModelFeature]) -> Floats:
    """Words that are not known as one more word, -1."""
    words = [i for i, f in enumerate(features) if f.categories]
    X = X.copy()
    X[:, words] = np.nan_to_num(X[:, words], nan=-1.0)
    return X


def _calibrated(parts: Split, raw: Floats, later: Floats, slope_spread: float) -> Floats:
    """Probabilities of the test stretch's scores (`later`), calibrated as a model's would be: on the scores `raw` of
    the calibration stretch, and with few positives to the base rate of everything before the test stretch."""
    rows = parts.calibration
    weight = rows.weights(ESTIMATE_CLIP)
    calibration = calibrate(raw, rows.y, weight, rows.weights(SLOPE_CLIP), slope_spread)
    if effective_size(weight[rows.y == 1]) < LEVEL_FROM:
        calibration = at_level(calibration, raw, weight, earlier_base_rate(parts))
    return probabilities(Calibrator(calibration).log_odds(later))

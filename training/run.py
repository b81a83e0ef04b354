"""One training run, from the ledger to a registered version."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from features.risk_model import RiskModel, write_model
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from training import prior
from training.dataset import ESTIMATE_CLIP, TRAIN_SHARE, Rows, Split, check_enough, day, describe, split
from training.drift import REFERENCE_ROWS, with_reference
from training.errors import TooFewLabels
from training.evaluation import plots
from training.evaluation.metrics import evaluate
from training.model import Fitted, Recipe, fit
from training.registry import tracking
from training.registry.log import log_version
from training.table import History, labelled_and_usual, parse_until, read_history, sampled_rows

Prior = Literal["auto", "never"]


@dataclass(frozen=True)
class TrainingReport:
    """What came out of a run. `message` says it to a person, in full sentences."""

    version: str
    run_id: str
    prior: bool
    metrics: dict[str, float]
    message: str


def train(settings: Settings, until: str | None = None, *, prior_model: Prior = "auto") -> TrainingReport:
    """Train on what the ledger knew at `until` (a date or time; `None`: all of it) and register a version.

    With too few labels a prior model is registered instead, marked as such, unless `prior_model` is "never": then
    `TooFewLabels` says how many there are.
    """
    history = read_history(settings, parse_until(until))
    rows, usual = labelled_and_usual(settings, history, REFERENCE_ROWS)
    try:
        check_enough(rows)
        parts = split(rows, history.until)
    except TooFewLabels as few:
        if prior_model == "never":
            raise
        return _register_prior(settings, history, rows, few)
    return _register_learned(settings, history, parts, usual)


def _facts(history: History) -> dict[str, Any]:
    return {
        "feature_service": SERVICE,
        "trained_until": str(np.datetime64(history.until, "us")) + "+00:00",
        "data": history.version.tags(),
    }


def _register_learned(settings: Settings, history: History, parts: Split, usual: Rows) -> TrainingReport:
    recipe = Recipe()
    fitted = fit(parts, MODEL_FEATURES, recipe, _facts(history))
    model = fitted.load()
    metrics: dict[str, float] = {}
    for name, part in parts.parts().items():
        metrics |= {f"{name}_{key}": value for key, value in describe(part).items()}
    weight = parts.test.weights(ESTIMATE_CLIP)
    risk = model.risk(parts.test.X)
    test = evaluate(parts.test.y, risk, weight)
    metrics |= {f"test_{key}": value for key, value in test.items()} | {"trees": float(fitted.trees)}
    fitted = fitted.with_metrics({f"test_{key}": round(value, 6) for key, value in test.items()})
    fitted = with_reference(fitted, usual)
    parameters = {
        **recipe.parameters(),
        "calibration": fitted.card.calibration.method,
        "calibration_from": day(parts.calibration_from),
        "test_from": day(parts.test_from),
        "gap_days": round(parts.gap / 86_400_000_000, 2),
    }
    figures = {
        "precision_recall": plots.precision_recall(parts.test.y, risk, weight),
        "calibration": plots.calibration(parts.test.y, risk, weight),
        "contributions": plots.contributions(model, parts.test.X),
    }
    version, run_id = _log(settings, "train", fitted, model, parts.test, parameters, metrics, figures, history)
    message = (
        f"Version {version} of {tracking.MODEL_NAME} is registered: {fitted.trees} trees learned from "
        f"{len(parts.train)} checked returns, abuse found in {parts.train.positives}. On {len(parts.test)} later ones "
        f"(abuse found in {parts.test.positives}): average precision {test['average_precision']:.3f}, AUC "
        f"{test['auc']:.3f}, calibration error {test['calibration_error_weighted']:.4f} (weighted). "
        f"`returnwise promote {version}` makes it the champion."
    )
    return TrainingReport(version, run_id, False, metrics, message)


def _register_prior(settings: Settings, history: History, labelled: Rows, few: TooFewLabels) -> TrainingReport:
    recipe = Recipe()
    rows = sampled_rows(settings, history, prior.MAX_RETURNS)
    fitted = prior.fit_prior(rows, MODEL_FEATURES, recipe, _facts(history))
    fitted = with_reference(fitted, rows.take(slice(int(len(rows) * TRAIN_SHARE), None)))
    model = fitted.load()
    metrics = {
        "returns": float(len(rows)),
        "labels_positive": float(labelled.positives),
        "labels_negative": float(len(labelled) - labelled.positives),
        "trees": float(fitted.trees),
    }
    figures = {"contributions": plots.contributions(model, rows.X)}
    parameters = {**recipe.parameters(), "objective": "cross_entropy", "prior_version": prior.read_weights().version}
    version, run_id = _log(settings, "prior", fitted, model, rows, parameters, metrics, figures, history)
    message = (
        f"{few}. Version {version} of {tracking.MODEL_NAME} is registered as a prior model: it was not learned from "
        f"findings but follows the written weights of training/prior.toml, at an assumed base rate of "
        f"{fitted.card.base_rate:.1%}. It orders returns by how unusual their history is among {len(rows)} returns of "
        f"this ledger; it is no evidence that anybody abused anything. Every assessment made with it says so. "
        f"`returnwise promote {version}` makes it the champion."
    )
    return TrainingReport(version, run_id, True, metrics, message[0].upper() + message[1:])


def _log(
    settings: Settings,
    name: str,
    fitted: Fitted,
    model: RiskModel,
    example: Rows,
    parameters: dict[str, Any],
    metrics: dict[str, float],
    figures: dict[str, Any],
    history: History,
) -> tuple[str, str]:
    """Everything about a run to MLflow, and the version. Gives the version and the id of the run."""
    with tempfile.TemporaryDirectory(prefix="returnwise-") as made, tracking.run(settings, name) as run:
        folder = Path(made)
        write_model(folder / "model", fitted.booster_text, fitted.card)
        (folder / "plots").mkdir()
        for key, figure in figures.items():
            plots.save(figure, folder / "plots" / f"{key}.png")
        version = log_version(folder, model, example.X[:5], parameters, metrics, history.version, fitted.card)
        return version, str(run.info.run_id)

"""One training run, from the ledger to a registered version."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from features.risk_model import RiskModel, write_model
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from training import prior
from training.dataset import TRAIN_SHARE, Rows, Split, check_enough, day, describe, pick, split, together
from training.drift import REFERENCE_ROWS, with_reference
from training.errors import TooFewLabels
from training.evaluate import rivals
from training.evaluation.report import Judged, judge
from training.evaluation.sections import contributions_plot, model_card
from training.judgement import Judgement, judge_further
from training.model import Fitted, Recipe, fit
from training.registry import tracking
from training.registry.log import log_card, log_version
from training.table import History, parse_until, read_history, sampled_rows, training_rows

Prior = Literal["auto", "never"]


@dataclass(frozen=True)
class TrainingReport:
    """What came out of a run. `message` says it to a person, in full sentences."""

    version: str
    run_id: str
    prior: bool
    metrics: dict[str, float]
    message: str


def train(
    settings: Settings, until: str | None = None, *, prior_model: Prior = "auto", recipe: Recipe | None = None
) -> TrainingReport:
    """Train on what the ledger knew at `until` (a date or time; `None`: all of it) and register a version. `recipe`
    may be one that a search found (`training.recipe_file.read_recipe`).

    With too few labels a prior model is registered instead, marked as such, unless `prior_model` is "never": then
    `TooFewLabels` says how many there are.
    """
    history = read_history(settings, parse_until(until))
    rows, unchecked = training_rows(settings, history)
    try:
        check_enough(rows)
        parts = split(rows, history.until, unchecked)
    except TooFewLabels as few:
        if prior_model == "never":
            raise
        return _register_prior(settings, history, rows, few)
    return _register_learned(settings, history, parts, recipe or Recipe())


def _facts(history: History) -> dict[str, Any]:
    return {
        "feature_service": SERVICE,
        "trained_until": str(np.datetime64(history.until, "us")) + "+00:00",
        "data": history.version.tags(),
    }


def _register_learned(settings: Settings, history: History, parts: Split, recipe: Recipe) -> TrainingReport:
    fitted = fit(parts, MODEL_FEATURES, recipe, _facts(history))
    model = fitted.load()
    metrics: dict[str, float] = {}
    for name, part in parts.parts().items():
        metrics |= {f"{name}_{key}": value for key, value in describe(part).items()}
    others = rivals(settings, parts, MODEL_FEATURES)
    judged = judge(parts.test, model.risk(parts.test.X), MODEL_FEATURES, others)
    test = judged.figures
    metrics |= {f"test_{key}": value for key, value in judged.metrics().items()} | {"trees": float(fitted.trees)}
    fitted = fitted.with_metrics({f"test_{k}": round(v, 6) for k, v in test.items() if math.isfinite(v)})
    further = judge_further(model, parts.test, MODEL_FEATURES, parts.everyone_since(parts.test_from))
    metrics |= {f"test_{key}": value for key, value in further.metrics().items()}
    usual = parts.everyone_since(parts.calibration_from) or together(parts.calibration, parts.test)
    fitted = with_reference(fitted, usual.take(pick(usual.return_id.tolist(), REFERENCE_ROWS)))
    parameters = {
        **recipe.parameters(),
        "calibration": fitted.card.calibration.method,
        "calibration_from": day(parts.calibration_from),
        "test_from": day(parts.test_from),
        "gap_days": round(parts.gap / 86_400_000_000, 2),
    }
    moments = {"calibration_from_us": parts.calibration_from, "test_from_us": parts.test_from, "gap_us": parts.gap}
    run = _Run("train", fitted, parts.test, parameters, metrics, moments, parts.parts(), judged, further)
    version, run_id = _log(settings, run, model, history)
    earlier = parts.labelled_before(parts.test_from)
    message = (
        f"Version {version} of {tracking.MODEL_NAME} is registered: {fitted.trees} trees learned from "
        f"{len(earlier)} checked returns, abuse found in {earlier.positives}. On {len(parts.test)} later ones "
        f"(abuse found in {parts.test.positives}): average precision {test['average_precision']:.3f}, AUC "
        f"{test['auc']:.3f}, calibration error {test['calibration_error_weighted']:.4f} (weighted). "
        f"`returnwise promote {version}` makes it the champion. The model card is in the run {run_id}."
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
    parameters = {**recipe.parameters(), "objective": "cross_entropy", "prior_version": prior.read_weights().version}
    run = _Run("prior", fitted, rows, parameters, metrics, {}, {"labelled": labelled}, None)
    version, run_id = _log(settings, run, model, history)
    message = (
        f"{few}. Version {version} of {tracking.MODEL_NAME} is registered as a prior model: it was not learned from "
        f"findings but follows the written weights of training/prior.toml, at an assumed base rate of "
        f"{fitted.card.base_rate:.1%}. It orders returns by how unusual their history is among {len(rows)} returns of "
        f"this ledger; it is no evidence that anybody abused anything. Every assessment made with it says so. "
        f"`returnwise promote {version}` makes it the champion."
    )
    return TrainingReport(version, run_id, True, metrics, message[0].upper() + message[1:])


@dataclass(frozen=True)
class _Run:
    """What goes to MLflow: `rows` for the example and the plot of contributions, `stretches` and what was `judged` on
    the last of them for the card."""

    name: str
    fitted: Fitted
    rows: Rows
    parameters: dict[str, Any]
    metrics: dict[str, float]
    moments: dict[str, int]
    stretches: dict[str, Rows]
    judged: Judged | None
    further: Judgement | None = None


def _log(settings: Settings, made: _Run, model: RiskModel, history: History) -> tuple[str, str]:
    """Everything about a run to MLflow, and the version. Gives the version and the id of the run."""
    picture = contributions_plot(model, made.rows.X)
    further = made.further.parts() if made.further else {}
    told = ("calibration_from", "test_from", "gap_days", "prior_version")
    with tempfile.TemporaryDirectory(prefix="returnwise-") as folder, tracking.run(settings, made.name) as run:
        card = made.fitted.card
        write_model(Path(folder) / "model", made.fitted.booster_text, card)
        example = made.rows.X[:5]
        version = log_version(
            Path(folder), model, example, made.parameters, made.metrics, history.version, card, made.moments
        )
        log_card(
            model_card(
                tracking.MODEL_NAME,
                version,
                card,
                history.labels,
                made.stretches,
                made.judged,
                parameters={"trees": made.fitted.trees} | {k: made.parameters[k] for k in told if k in made.parameters},
                contributions=picture,
                reasons=further.get("reasons"),
                fairness=further.get("fairness"),
            ),
            version,
        )
        return version, str(run.info.run_id)

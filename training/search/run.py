"""A search from the ledger to a recipe: one parent run in MLflow, a nested run for each trial."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from optuna import Study
from rich.progress import Progress

from features.service import MODEL_FEATURES
from features.settings import Settings
from training.dataset import DataVersion, day, describe, split
from training.evaluation.plots import png
from training.model import Recipe
from training.recipe_file import recipe_text
from training.registry import tracking
from training.registry.tracking import mlflow
from training.run import TrainingReport, train
from training.search import plots
from training.search.folds import Fold, folds
from training.search.study import OBJECTIVE_CLIP, Choice, Trial, choose, importances, new_study, run_trials
from training.table import labelled_rows, parse_until, read_history

DEFAULT_TRIALS: Final = 20
RECIPE_FILE: Final = "recipe.toml"
_METRIC: Final = "average_precision_weighted"
_PARENT: Final = "mlflow.parentRunId"  # what makes a run nested


@dataclass(frozen=True)
class SearchReport:
    """What a search found: the recipe to train with, the same as a file (`path`), every trial, and how the choice was
    made. `training` is the run that registered a version, if it was asked for."""

    run_id: str
    recipe: Recipe
    path: Path
    trials: tuple[Trial, ...]
    choice: Choice
    message: str
    training: TrainingReport | None = None


def search(
    settings: Settings,
    until: str | None = None,
    *,
    trials: int = DEFAULT_TRIALS,
    register: bool = False,
    progress: Progress | None = None,
) -> SearchReport:
    """Compare `trials` recipes (the first is the default one) on what the ledger knew at `until`; with `register`,
    train with the best one and register it.

    Only the train stretch is looked at, so that the model that is trained with the recipe can still be calibrated and
    tested honestly. Raises `TooFewLabels`.
    """
    began = time.perf_counter()
    history = read_history(settings, parse_until(until))
    parts = split(labelled_rows(settings, history), history.until)
    made = folds(parts)
    study = new_study()
    with tracking.run(settings, "search") as run:
        _log_data(history.version, made)
        task = progress.add_task("trials", total=trials) if progress else None
        done: list[Trial] = []
        for trial in run_trials(study, made, MODEL_FEATURES, trials):
            done.append(trial)
            _log_trial(run.info, trial)
            if progress and task is not None:
                progress.advance(task)
        choice = choose(made, done)
        known = f"what was known at {day(history.until)} (data {history.version.digest})"
        text = recipe_text(choice.chosen.recipe, f"Found by returnwise search, on {known}.")
        path = settings.home / RECIPE_FILE
        path.write_text(text, encoding="utf-8")
        _log_result(study, done, choice, text, time.perf_counter() - began)
    message = f"{_message(done, choice, len(made))} `returnwise train --recipe {path}` trains with it."
    training = train(settings, until, recipe=choice.chosen.recipe) if register else None
    return SearchReport(
        run_id=str(run.info.run_id),
        recipe=choice.chosen.recipe,
        path=path,
        trials=tuple(done),
        choice=choice,
        message=message if training is None else f"{message}\n{training.message}",
        training=training,
    )


def _message(done: Sequence[Trial], choice: Choice, count: int) -> str:
    pruned = sum(t.pruned for t in done)
    tried = f"{len(done)} recipes compared over {count} folds, {pruned} of them pruned."
    of_default = f"the default recipe {done[0].value:.3f} (average precision, weighted, mean over the folds)"
    if choice.best is done[0]:
        return f"{tried} None did better than {of_default}: it is kept."
    lead = f"a lead of {choice.gain:.3f} with a standard error of {choice.error:.3f}"
    if choice.chosen is done[0]:
        return f"{tried} The best reached {choice.best.value:.3f}, {of_default}: {lead} may be chance; it is kept."
    return f"{tried} The best reached {choice.best.value:.3f}, {of_default}: {lead}."


def _log_data(version: DataVersion, made: Sequence[Fold]) -> None:
    """Which data was searched on."""
    mlflow.set_tags({f"data_{name}": str(value) for name, value in version.tags().items()})
    counts: dict[str, float] = {}
    for number, fold in enumerate(made, start=1):
        for name, part in (("fitted", fold.train), ("judged", fold.judged)):
            counts |= {f"fold_{number}_{name}_{key}": value for key, value in describe(part).items()}
    mlflow.log_metrics(counts)


def _log_trial(parent: Any, trial: Trial) -> None:
    """A trial as a run of its own that has just ended."""
    client, made = mlflow.MlflowClient(), mlflow.entities
    now = int(time.time() * 1000)
    tags = {_PARENT: parent.run_id, "state": "pruned" if trial.pruned else "complete"}
    run = client.create_run(
        parent.experiment_id,
        start_time=now - int(trial.seconds * 1000),
        tags=tags,
        run_name=f"trial {trial.number}" + (" (default recipe)" if trial.number == 0 else ""),
    )
    metrics = [made.Metric(_METRIC, trial.value, now, 0), made.Metric("seconds", trial.seconds, now, 0)]
    metrics += [made.Metric(f"fold_{k}_{_METRIC}", v, now, 0) for k, v in enumerate(trial.precisions, start=1)]
    parameters = [made.Param(name, str(value)) for name, value in trial.recipe.parameters().items()]
    client.log_batch(run.info.run_id, metrics=metrics, params=parameters, tags=[])
    client.set_terminated(run.info.run_id, end_time=now)


def _log_result(study: Study, done: Sequence[Trial], choice: Choice, text: str, seconds: float) -> None:
    """The recipe to train with, the pictures and how long it took."""
    mlflow.log_params({**choice.chosen.recipe.parameters(), "objective_weight_clip": OBJECTIVE_CLIP})
    mlflow.log_metrics(
        {
            f"best_{_METRIC}": choice.best.value,
            f"default_{_METRIC}": done[0].value,
            "gain": choice.gain,
            "gain_standard_error": choice.error,
            "best_trial": float(choice.best.number),
            "chosen_trial": float(choice.chosen.number),
            "trials": float(len(done)),
            "pruned": float(sum(t.pruned for t in done)),
            "seconds": seconds,
        }
    )
    mlflow.log_text(text, RECIPE_FILE)
    with tempfile.TemporaryDirectory(prefix="returnwise-") as made:
        folder = Path(made)
        (folder / "optimisation_history.png").write_bytes(png(plots.history(done, choice)))
        (folder / "parameter_importance.png").write_bytes(png(plots.importance(importances(study))))
        mlflow.log_artifacts(str(folder), "plots")

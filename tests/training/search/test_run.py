"""A search from a ledger to a recipe that trains, and what it leaves in MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.settings import Settings
from tests.support.history import fill, made_up_history
from tests.support.registry import with_mlflow
from training.errors import TooFewLabels
from training.recipe_file import read_recipe
from training.registry import tracking
from training.registry.tracking import mlflow
from training.search import SearchReport, search

pytestmark = pytest.mark.slow
TRIALS = 7


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    settings = with_mlflow(Settings(home=home))
    fill(settings, made_up_history(customers=200))
    return settings


@pytest.fixture(scope="module")
def report(settings: Settings) -> SearchReport:
    return search(settings, trials=TRIALS, register=True)


def test_the_best_recipe_is_written_and_trained(settings: Settings, report: SearchReport) -> None:
    assert read_recipe(report.path) == report.recipe
    assert report.path.parent == settings.home
    assert report.training is not None
    assert not report.training.prior
    client = tracking.client(settings)
    with tracking.quiet():
        trained = client.get_run(report.training.run_id).data.params
    assert trained["learning_rate"] == str(report.recipe.trees["learning_rate"])
    assert trained["max_trees"] == str(report.recipe.max_trees)
    assert "is registered" in report.message
    assert f"{TRIALS} recipes compared over 4 folds" in report.message


def test_every_trial_is_a_nested_run(settings: Settings, report: SearchReport) -> None:
    client = tracking.client(settings)
    with tracking.quiet():
        parent = client.get_run(report.run_id)
        nested = client.search_runs(
            [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{report.run_id}'", max_results=50
        )
        images = {a.path for a in client.list_artifacts(report.run_id, "plots")}
        written = mlflow.artifacts.load_text(f"runs:/{report.run_id}/recipe.toml")
    assert len(nested) == TRIALS
    assert {r.info.status for r in nested} == {"FINISHED"}
    states = [r.data.tags["state"] for r in nested]
    assert states.count("pruned") == sum(t.pruned for t in report.trials) == parent.data.metrics["pruned"]
    for run in nested:
        folds = [name for name in run.data.metrics if name.startswith("fold_")]
        assert len(folds) == 4 if run.data.tags["state"] == "complete" else 1 <= len(folds) < 4
        assert run.data.metrics["average_precision_weighted"] > 0
        assert "learning_rate" in run.data.params
    assert parent.data.params["num_leaves"] == str(report.recipe.trees["num_leaves"])
    assert parent.data.metrics["trials"] == TRIALS
    assert parent.data.metrics["seconds"] > 0
    assert images == {"plots/optimisation_history.png", "plots/parameter_importance.png"}
    assert written == report.path.read_text()


def test_too_few_labels_are_said(tmp_path: Path) -> None:
    settings = with_mlflow(Settings(home=tmp_path))
    fill(settings, made_up_history(customers=30))
    with pytest.raises(TooFewLabels, match="too few labels"):
        search(settings, trials=2)

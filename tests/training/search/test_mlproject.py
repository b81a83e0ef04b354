"""`mlflow run . -e search --env-manager local`, as a data scientist starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from features.settings import Settings
from tests.support.history import fill, made_up_history
from tests.support.registry import with_mlflow
from tests.support.repository import ROOT
from training.recipe_file import read_recipe
from training.registry import tracking


@pytest.mark.slow
def test_the_search_entry_point_writes_a_recipe(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = with_mlflow(Settings(home=home))
    fill(settings, made_up_history(customers=200))
    environment = os.environ | {
        "RETURNWISE_HOME": str(home),
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", "search", "--env-manager", "local"]
    command += ["--experiment-name", tracking.EXPERIMENT, "-P", "trials=2"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "2 recipes compared over 4 folds" in done.stdout
    assert read_recipe(home / "recipe.toml").max_trees > 0
    client = tracking.client(settings)
    with tracking.quiet():
        experiment = client.get_experiment_by_name(tracking.EXPERIMENT)
        runs = client.search_runs([experiment.experiment_id])
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    assert len(parents) == 1
    assert len(runs) == 3
    assert {r.info.status for r in runs} == {"FINISHED"}

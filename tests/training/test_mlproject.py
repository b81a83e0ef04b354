"""`mlflow run . -e train --env-manager local`, and evaluate, promote and drift, as a data scientist starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from features.settings import Settings
from tests.support.history import fill, made_up_history
from training.registry import tracking

ROOT = Path(__file__).resolve().parents[2]


def start(settings: Settings, folder: Path, entry: str, *parameters: str) -> str:
    """What an entry point prints; it must end well."""
    environment = os.environ | {
        "RETURNWISE_HOME": str(settings.home),
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", entry, "--env-manager", "local"]
    command += ["--experiment-name", tracking.EXPERIMENT]
    command += [part for parameter in parameters for part in ("-P", parameter)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_entry_points_register_a_version_and_judge_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    fill(settings, made_up_history())
    told = start(settings, tmp_path, "train", "until=2025-07-20")
    assert "Version 1 of returnwise-risk is registered" in told
    client = tracking.client(settings)
    with tracking.quiet():
        version = client.get_model_version(tracking.MODEL_NAME, "1")
        run = client.get_run(version.run_id)
    assert run.data.params["until"] == "2025-07-20"
    assert run.data.tags["trained_until"].startswith("2025-07-20T23:59:59")
    assert run.info.status == "FINISHED"
    assert "test_auc" in run.data.metrics

    assert "Version 1 of returnwise-risk." in start(settings, tmp_path, "evaluate")
    with tracking.quiet():
        (judged,) = client.search_runs([run.info.experiment_id], "tags.evaluated_version = '1'")
        card = [a.path for a in client.list_artifacts(judged.info.run_id, "card")]
    assert judged.info.status == "FINISHED"
    assert judged.data.metrics["test_rows"] >= run.data.metrics["test_rows"]
    assert "card/model_card.html" in card

    assert "version 1 is the champion" in start(
        settings, tmp_path, "promote", "version=1", "override=override", "why=it's a test"
    )
    with tracking.quiet():
        tags = client.get_model_version(tracking.MODEL_NAME, "1").tags
        gate = client.get_run(tags["gate_run"])
    assert gate.data.params["override"] == "override"  # the run that `mlflow run` opened
    assert tags["gate"] == "passed" or tags["override_why"] == "it's a test"

    assert "0 assessments in 30 days" in start(settings, tmp_path, "drift", "against=1")
    with tracking.quiet():
        drift = client.search_runs([run.info.experiment_id], "attributes.run_name = 'drift'")
    assert [each.data.params["against"] for each in drift] == ["1"]

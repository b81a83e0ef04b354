"""`mlflow run . -e train --env-manager local` and `-e drift`, as a data scientist starts them."""

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


@pytest.mark.slow
def test_train_registers_a_version_and_drift_judges_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    settings = Settings(home=home)
    fill(settings, made_up_history())
    environment = os.environ | {
        "RETURNWISE_HOME": str(home),
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def run(entry_point: str, parameter: str) -> str:
        command = [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", entry_point, "--env-manager", "local"]
        command += ["--experiment-name", tracking.EXPERIMENT, "-P", parameter]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Version 1 of returnwise-risk is registered" in run("train", "until=2025-07-20")
    client = tracking.client(settings)
    with tracking.quiet():
        version = client.get_model_version(tracking.MODEL_NAME, "1")
        made = client.get_run(version.run_id)
    assert made.data.params["until"] == "2025-07-20"
    assert made.data.tags["trained_until"].startswith("2025-07-20T23:59:59")
    assert made.info.status == "FINISHED"
    assert "test_auc" in made.data.metrics

    assert "0 assessments in 30 days" in run("drift", "against=1")
    with tracking.quiet():
        judged = client.search_runs([made.info.experiment_id], "attributes.run_name = 'drift'")
    assert [each.data.params["against"] for each in judged] == ["1"]

"""`mlflow run . -e train --env-manager local`, as a data scientist starts it."""

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
def test_the_train_entry_point_registers_a_version(tmp_path: Path) -> None:
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
    command = [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", "train", "--env-manager", "local"]
    command += ["--experiment-name", tracking.EXPERIMENT, "-P", "until=2025-07-20"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Version 1 of returnwise-risk is registered" in done.stdout
    client = tracking.client(settings)
    with tracking.quiet():
        version = client.get_model_version(tracking.MODEL_NAME, "1")
        run = client.get_run(version.run_id)
    assert run.data.params["until"] == "2025-07-20"
    assert run.data.tags["trained_until"].startswith("2025-07-20T23:59:59")
    assert run.info.status == "FINISHED"
    assert "test_auc" in run.data.metrics

"""MLflow: one version is one folder of text; pyfunc, the scoring server and `RiskModel` agree to the last bit."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.risk_model import RiskModel, write_model
from features.settings import Settings
from tests.support.registry import with_mlflow
from tests.support.returns import FEATURES, made_up_returns, until_of
from training.dataset import DataVersion, split
from training.errors import RegistryError
from training.model import Recipe, fit
from training.registry import promote, tracking
from training.registry.log import log_version
from training.registry.tracking import mlflow

DATA = DataVersion({"orders": 5, "returns": 2}, 1_700_000_000_000_000, 3)


def register(settings: Settings, folder: Path) -> tuple[str, np.ndarray, RiskModel]:
    """A version made of made-up returns, the rows it can be tried on, and the model itself."""
    rows = made_up_returns(n=3000)
    parts = split(rows, until_of(rows))
    fitted = fit(parts, FEATURES, Recipe(max_trees=20), {"feature_service": "made_up", "data": DATA.tags()})
    write_model(folder / "model", fitted.booster_text, fitted.card)
    with tracking.run(settings, "test"):
        version = log_version(
            folder,
            fitted.load(),
            parts.test.X[:3],
            {"leaves": 15},
            {"test_auc": 0.75, "test_recall": float("nan")},
            DATA,
            fitted.card,
        )
    return version, parts.test.X, fitted.load()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def settings(home: Path) -> Settings:
    return with_mlflow(Settings(home=home))


@pytest.fixture(scope="module")
def registered(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, np.ndarray, RiskModel]:
    return register(settings, tmp_path_factory.mktemp("made"))


def download(settings: Settings, version: str) -> Path:
    tracking.client(settings)
    with tracking.quiet():
        return Path(mlflow.artifacts.download_artifacts(f"models:/returnwise-risk/{version}"))


def test_the_version_is_text_without_pickles(
    settings: Settings, registered: tuple[str, np.ndarray, RiskModel], home: Path
) -> None:
    version, X, model = registered
    folder = download(settings, version)
    assert sorted(p.name for p in (folder / "artifacts" / "model").iterdir()) == ["booster.txt", "model.json"]
    assert not [p for p in folder.rglob("*") if p.suffix in {".pkl", ".pickle", ".joblib"}]
    assert "python_model:" not in (folder / "MLmodel").read_text()  # where MLflow would name a pickled class
    assert folder.is_relative_to(home.resolve() / "mlartifacts")
    again = RiskModel.load(folder / "artifacts" / "model")
    assert again.risk(X).tobytes() == model.risk(X).tobytes()


def test_pyfunc_gives_the_same_bits(settings: Settings, registered: tuple[str, np.ndarray, RiskModel]) -> None:
    version, X, model = registered
    tracking.client(settings)
    with tracking.quiet():
        loaded = mlflow.pyfunc.load_model(f"models:/returnwise-risk/{version}")
        frame = pd.DataFrame(X, columns=list(model.features))
        many = loaded.predict(frame)
        one = loaded.predict(frame.iloc[:1])
    assert np.isnan(X).any()
    assert list(many.columns) == ["risk"]
    assert many["risk"].to_numpy().tobytes() == model.risk(X).tobytes()
    assert one["risk"].to_numpy().tobytes() == model.risk(X[:1]).tobytes()


def test_the_run_holds_what_a_data_scientist_looks_for(
    settings: Settings, registered: tuple[str, np.ndarray, RiskModel]
) -> None:
    version, _, model = registered
    client = tracking.client(settings)
    with tracking.quiet():
        registered_version = client.get_model_version("returnwise-risk", version)
        run = client.get_run(registered_version.run_id)
        info = mlflow.models.get_model_info(f"models:/returnwise-risk/{version}")
    assert run.data.params["leaves"] == "15"
    assert run.data.metrics == {"test_auc": 0.75}
    assert run.data.tags["data_epoch"] == registered_version.tags["data_epoch"] == "3"
    assert registered_version.tags["prior"] == "false"
    assert run.inputs.dataset_inputs[0].dataset.digest == DATA.digest
    assert [c.name for c in info.signature.inputs] == list(model.features)
    example = json.loads((download(settings, version) / "input_example.json").read_text())
    assert len(example["data"]) == 3


def test_promote_takes_the_newest_or_the_one_named(
    settings: Settings, registered: tuple[str, np.ndarray, RiskModel], tmp_path: Path
) -> None:
    first = registered[0]
    second, _, _ = register(settings, tmp_path)
    client = tracking.client(settings)

    def champion() -> str:
        with tracking.quiet():
            return str(client.get_model_version_by_alias("returnwise-risk", "champion").version)

    assert promote(settings) == champion() == second
    assert promote(settings, first) == champion() == first
    with pytest.raises(RegistryError, match="no version 99"):
        promote(settings, 99)
    with pytest.raises(RegistryError, match="whole number"):
        promote(settings, "newest")
    assert champion() == first


def test_promote_without_any_version(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="run `returnwise train` first"):
        promote(Settings(home=tmp_path / "empty"))


def test_a_run_that_mlflow_opened_elsewhere_is_left_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, registered: object
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with tracking.run(settings, "own") as run:
        assert run.info.run_id != "0" * 32
    client = tracking.client(settings)
    with tracking.quiet():
        mine = client.create_run(tracking.experiment_id(settings, client)).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", mine)
    with tracking.run(settings, "joined") as run:
        assert run.info.run_id == mine


@pytest.mark.slow
def test_mlflow_models_serve_gives_the_same_risk(
    settings: Settings, registered: tuple[str, np.ndarray, RiskModel], tmp_path: Path
) -> None:
    version, X, model = registered
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = Path(__file__).resolve().parents[2]
    command = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/returnwise-risk/{version}"),
        *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)),
    ]
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "PYTHONPATH": str(root),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        rows = [[None if np.isnan(v) else v for v in row] for row in X[:50].tolist()]
        body = json.dumps({"dataframe_split": {"columns": list(model.features), "data": rows}}).encode()
        answer = _ask(server, f"http://127.0.0.1:{port}/invocations", body, tmp_path / "log")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    assert np.isnan(X[:50]).any()
    assert [p["risk"] for p in answer["predictions"]] == model.risk(X[:50]).tolist()


def _ask(server: subprocess.Popen[bytes], url: str, body: bytes, log: Path) -> dict[str, list[dict[str, float]]]:
    end = time.monotonic() + 180
    while time.monotonic() < end and server.poll() is None:
        try:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except (ConnectionError, urllib.error.URLError) as error:
            if isinstance(error, urllib.error.HTTPError):
                raise AssertionError(error.read().decode()) from error
            time.sleep(0.3)
    raise AssertionError(log.read_text())

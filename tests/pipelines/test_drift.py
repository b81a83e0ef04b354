"""The job, from assessments that the service made to the page, the figures and the run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from features.clock import DAY
from features.ledger.append import append_rows
from features.ledger.store import Ledger
from features.service import MODEL_FEATURES
from features.settings import Settings, get_settings
from pipelines import drift as job
from pipelines.cli import app
from serving.app import create_app
from serving.clock import iso
from serving.settings import ServingSettings
from tests.support.history import fill, made_up_history
from tests.support.registry import with_mlflow
from tests.support.repository import ROOT
from tests.support.service import Api, make_key, running, settings_of
from training.errors import RegistryError
from training.registry import promote, tracking
from training.run import train

pytestmark = pytest.mark.slow
HISTORY = made_up_history(customers=160)
#: What the model may know; assessed are the returns after it.
UNTIL = "2025-06-10"


def bodies(returns: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {
            "return_id": r["return_id"],
            "customer_id": f"c{str(r['return_id'])[1:].split('-')[0]}",
            "order_id": r["order_id"],
            "lines": [{"line_id": r["line_id"], "quantity": r["quantity"]}],
            "reason": r["reason"],
            "kind": r["kind"],
            "requested_at": iso(int(str(r["requested_at"]))),
        }
        for r in returns
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose model was trained before its last returns came; those were assessed by the service."""
    folder = tmp_path_factory.mktemp("home")
    settings = with_mlflow(settings_of(folder))
    fill(settings, HISTORY)
    train(settings, UNTIL)
    promote(settings)
    last = sorted(HISTORY["returns"], key=lambda r: r["requested_at"])[-220:]
    with running(create_app(settings, ServingSettings(model_poll_seconds=600))) as client:
        api = Api(client, make_key(folder))
        for start in range(0, len(last), 20):
            results = api.batch(*bodies(last[start : start + 20])).json()["results"]
            assert [each["status"] for each in results] == [200] * len(results)
    return folder


@pytest.fixture(scope="module")
def settings(home: Path) -> Settings:
    return settings_of(home)


@pytest.fixture(scope="module")
def done(settings: Settings) -> job.DriftJob:
    return job.drift(settings)


def run(*arguments: str, home: Path, monkeypatch: pytest.MonkeyPatch, registry: Path | None = None) -> Result:
    """The command, on a home and with its own models or those of another one."""
    monkeypatch.setenv("RETURNWISE_HOME", str(home))
    monkeypatch.setenv("RETURNWISE_MLFLOW_TRACKING_URI", settings_of(registry or home).tracking_uri)
    monkeypatch.setenv("RETURNWISE_HASH_KEY", settings_of(home).hash_key)
    get_settings.cache_clear()
    try:
        return CliRunner().invoke(app, ["drift", *arguments])
    finally:
        get_settings.cache_clear()


class TestJob:
    def test_what_the_service_stored_is_judged(self, done: job.DriftJob) -> None:
        report = done.report
        assert report.model_version == "1"
        assert report.window.made == len(report.window) == 220
        assert report.window.left_out == 0
        assert report.enough
        assert len(report.features) == len(MODEL_FEATURES)
        assert len(report.performance) == 9
        assert report.random_checks is not None
        assert report.random_checks.before is not None
        assert report.random_checks.since is not None
        assert report.checked is not None

    def test_stored_vectors_give_the_risks_that_were_answered(self, settings: Settings, done: job.DriftJob) -> None:
        ledger = Ledger.open(settings)
        with ledger.read() as conn:
            stored = conn.exec_driver_sql("SELECT avg(risk) FROM assessments").scalar_one()
        ledger.close()
        assert done.report.mean_risk == pytest.approx(stored, rel=1e-12)

    def test_page_and_figures_are_written(self, home: Path, done: job.DriftJob) -> None:
        figures = json.loads((home / "drift" / "report.json").read_text())
        assert figures["features"] == done.report.to_json()["features"]
        assert "<h1>" in (home / "drift" / "report.html").read_text()
        assert sorted(path.name for path in (home / "drift").iterdir()) == ["report.html", "report.json"]

    def test_the_run_holds_them_too(self, settings: Settings, done: job.DriftJob) -> None:
        client = tracking.client(settings)
        with tracking.quiet():
            found = client.get_run(done.run_id)
            kept = {f.path for folder in ("drift", "plots") for f in client.list_artifacts(done.run_id, folder)}
        assert found.info.run_name == "drift"
        assert found.data.params == {"days": "30", "against": "champion", "model_version": "1"}
        assert found.data.metrics["assessments"] == 220
        assert "estimated_average_precision" in found.data.metrics
        assert found.data.tags["alarm"] in ("true", "false")
        assert {"drift/report.html", "drift/report.json", "plots/features.png", "plots/risks.png"} <= kept

    def test_another_feature_service_is_left_out(self, settings: Settings) -> None:
        ledger = Ledger.open(settings)
        try:
            with ledger.write() as conn:
                conn.exec_driver_sql("UPDATE assessments SET feature_service = 'old' WHERE assessment_no % 2 = 0")
            report = job.drift(settings).report
            assert (len(report.window), report.window.left_out) == (110, 110)
            assert any("another feature service" in sentence for sentence in report.verdict)
        finally:
            with ledger.write() as conn:
                conn.exec_driver_sql("UPDATE assessments SET feature_service = 'returnwise_v1'")
            ledger.close()


class TestCommand:
    def test_it_says_the_verdict_and_does_so_again(
        self, home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        once = job.drift(settings)
        page = once.page.read_bytes()
        result = run("--against", "1", home=home, monkeypatch=monkeypatch)
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == once.lines()
        assert once.page.read_bytes() == page

    def test_an_alarm_is_a_failure_only_where_that_was_asked_for(
        self, home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_findings(settings)
        assert run(home=home, monkeypatch=monkeypatch).exit_code == 0
        result = run("--fail-on-alarm", home=home, monkeypatch=monkeypatch)
        assert result.exit_code == 1
        assert result.stdout.startswith("Alarm. ")
        assert "random checks have risen" in result.stdout
        figures = json.loads((home / "drift" / "report.json").read_text())
        assert figures["alarm"] is True
        assert "random_checks" in [alarm["kind"] for alarm in figures["alarms"]]

    def test_few_assessments_are_no_reason_for_an_opinion(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = run("--fail-on-alarm", home=tmp_path, registry=home, monkeypatch=monkeypatch)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("Too little is known")
        assert "0 assessments in 30 days" in result.stdout
        assert json.loads((tmp_path / "drift" / "report.json").read_text())["state"] == "unknown"

    @pytest.mark.parametrize(
        ("version", "message"),
        [("7", "has no version 7; "), ("challenger", "has no challenger: "), ("a/b", "is a whole number, ")],
    )
    def test_a_version_that_is_not_there_is_one_line(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, message: str
    ) -> None:
        result = run("--against", version, home=tmp_path, registry=home, monkeypatch=monkeypatch)
        assert result.exit_code == 1
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert not (tmp_path / "drift").exists()

    def test_no_days_are_a_usage_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert run("--days", "0", home=tmp_path, monkeypatch=monkeypatch).exit_code == 2


def add_findings(settings: Settings) -> None:
    """Random checks of returns that nobody had looked at find something in each."""
    looked = {i["return_id"] for i in HISTORY["inspections"]}
    latest = max(i["inspected_at"] for i in HISTORY["inspections"])
    rows = [
        {
            "return_id": r["return_id"],
            "inspected_at": latest + (i + 1) * DAY // 50,
            "finding": "wrong_item",
            "trigger": "random",
            "propensity": 0.8,
        }
        for i, r in enumerate(r for r in HISTORY["returns"] if r["return_id"] not in looked)
    ]
    ledger = Ledger.open(settings)
    try:
        with ledger.write() as conn:
            done = append_rows(conn, "inspections", rows, live=False, now_us=latest + 1_000 * DAY, hasher=ledger.hasher)
    finally:
        ledger.close()
    assert not done.rejects
    assert len(rows) > 50


def test_the_example_of_the_page_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(home))
    get_settings.cache_clear()
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "drift.md").read_text("utf-8"), flags=re.DOTALL)
    frame = pd.DataFrame({feature.name: np.arange(300.0) for feature in MODEL_FEATURES})
    names: dict[str, Any] = {"frame": frame.assign(return_id=[f"r{i}" for i in range(300)])}
    exec(example, names)
    get_settings.cache_clear()
    assert len(names["report"].features) == len(MODEL_FEATURES)


def test_a_registry_that_does_not_answer_is_told_from_one_without_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings = Settings(home=tmp_path, mlflow_tracking_uri="http://127.0.0.1:9", hash_key="k")
    with pytest.raises(RegistryError, match="cannot be asked"):
        job.drift(settings)


def test_a_model_of_other_features_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "VECTOR", ("customer_orders_lifetime",))
    with pytest.raises(job.DriftError, match="does not store"):
        job.drift(settings)

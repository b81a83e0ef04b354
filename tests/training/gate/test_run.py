"""`promote` from a ledger to the alias: who becomes the champion, who does not, and what is kept of it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from features.settings import Settings, get_settings
from pipelines.cli import app
from tests.support.registry import TestRegistry
from training.errors import PromotionRefused
from training.gate import promote_judged
from training.gate.bounds import Bounds
from training.registry import tracking
from training.registry.tracking import mlflow
from training.registry.versions import champion, load


@pytest.fixture(autouse=True)
def first_in_use(registry: TestRegistry) -> None:
    registry.champion("1")


def in_use(settings: Settings) -> str | None:
    found = champion(settings)
    return None if found is None else found.number


def gate_runs(settings: Settings) -> list[Any]:
    """Latest first."""
    with tracking.quiet():
        client = tracking.client(settings)
        experiment = tracking.experiment_id(settings, client)
        return list(client.search_runs([experiment], "attributes.run_name = 'gate'"))


def test_a_version_that_passes(settings: Settings, lenient: Bounds) -> None:
    promotion = promote_judged(settings, "1", by="Ada", bounds=lenient)
    assert in_use(settings) == promotion.report.version == "1"
    assert promotion.lines()[0] == "version 1 is the champion"
    assert any(line.startswith("calibration (held): Calibration error ") for line in promotion.lines())
    tags = load(settings, "1").tags
    assert (tags["gate"], tags["gate_against"], tags["gate_run"]) == ("passed", "1", promotion.run_id)
    assert tags["promoted_by"] == "Ada"
    assert not [name for name in tags if name.startswith("override")]
    with tracking.quiet():
        folder = Path(mlflow.artifacts.download_artifacts(run_id=promotion.run_id, artifact_path="gate"))
        run = tracking.client(settings).get_run(promotion.run_id)
    told = json.loads((folder / "gate.json").read_text())
    assert "Gate: returnwise-risk version 1" in (folder / "gate.html").read_text()
    assert "| calibration | held |" in (folder / "gate.md").read_text()
    assert told["checks"]["calibration"]["figures"]["error"] == run.data.metrics["calibration_error"]
    assert run.data.tags["gate_by"] == "Ada"
    assert run.data.tags["data_digest"] == promotion.report.data.digest


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(settings.home))
    get_settings.cache_clear()


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["promote", *arguments])


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_refused_overridden_and_taken_back(settings: Settings, shuffled: str, lenient: Bounds) -> None:
    before, runs = load(settings, shuffled).tags, len(gate_runs(settings))
    refused = command(shuffled)
    assert (refused.exit_code, refused.stdout) == (1, "")
    told = refused.stderr[refused.stderr.index("returnwise: ") :].splitlines()
    assert told[0].startswith(f"returnwise: version {shuffled} is not promoted: it fails ")
    assert told[0].endswith("version 1 stays the champion")
    assert any(line.startswith("order: Worse than the champion (version 1) beyond noise on ") for line in told)
    assert f'returnwise promote {shuffled} --override --why "..."' in told[-1]
    assert in_use(settings) == "1"
    assert load(settings, shuffled).tags == before
    assert len(gate_runs(settings)) == runs + 1
    assert gate_runs(settings)[0].data.tags["gate"] == "refused"

    overridden = command(shuffled, "--override", "--why", " to see it fail ", "--by", "Ada")
    assert overridden.exit_code == 0
    assert in_use(settings) == shuffled
    first, *_ = overridden.stdout.splitlines()
    assert first == f"version {shuffled} is the champion, though the gate refuses it; who and why is recorded"
    kept = load(settings, shuffled).tags
    assert (kept["gate"], kept["override_by"], kept["override_why"]) == ("overridden", "Ada", "to see it fail")
    assert "order" in kept["override_failed"]
    assert datetime.fromisoformat(kept["override_at"]).tzinfo is not None
    assert gate_runs(settings)[0].data.tags["override_why"] == "to see it fail"

    back = promote_judged(settings, "1", override="whatever they say", bounds=lenient)
    assert not back.overridden  # nothing fails: it is better than the one in use on what neither has seen
    assert in_use(settings) == "1"
    assert "override_why" not in load(settings, "1").tags
    assert load(settings, shuffled).tags == kept
    with tracking.quiet():
        described = tracking.client(settings).get_model_version(tracking.MODEL_NAME, shuffled).description
    assert "by Ada although the gate refused it" in described
    assert "to see it fail" in described


@pytest.mark.parametrize("why", ["", "  ", "x" * 2001])
def test_an_override_needs_a_reason(settings: Settings, why: str) -> None:
    with pytest.raises(PromotionRefused, match="needs a reason"):
        promote_judged(settings, "1", override=why)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", [("--override",), ("--why", "so"), ("--override", "--why", " ")])
def test_override_and_why_go_together(arguments: tuple[str, ...]) -> None:
    result = command("1", *arguments)
    assert result.exit_code == 2
    assert "go together" in result.stderr


@pytest.mark.usefixtures("home")
def test_empty_parameters_of_an_mlflow_project_are_none() -> None:
    result = command("99", "--why", "", "--no-override")
    assert result.exit_code == 1
    assert "no version 99" in result.stderr

"""`promote` from a ledger to the alias: who becomes the champion, who does not, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from features.risk_model import RiskModel, write_model
from features.service import MODEL_FEATURES
from features.settings import Settings, get_settings
from pipelines.cli import app
from tests.support.history import FIRST_DAY, fill, made_up_history
from training.dataset import DataVersion, Rows
from training.errors import PromotionRefused, RegistryError
from training.gate import judge_version, promote_judged
from training.gate.bounds import read_bounds
from training.model import Recipe, fit_trees
from training.registry import tracking
from training.registry.log import log_version
from training.registry.tracking import mlflow
from training.registry.versions import champion, load
from training.run import train
from training.table import labelled_rows, read_history

TRAINED_UNTIL = datetime.fromtimestamp((FIRST_DAY + 219) * 86_400, UTC).date().isoformat()
#: The made-up shop is small and follows no kind of abuse: what is tested here is not whether its model is good.
LENIENT = read_bounds().model_copy(update={"one_return_ms": 1_000.0})
NO_HURRY = {"bounds": LENIENT}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger in which everything is checked; version 1 was trained until day 219 of 320. There is no champion."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    fill(settings, made_up_history(inspected=1.0))
    train(settings, TRAINED_UNTIL)
    return settings


@pytest.fixture(scope="module")
def rows(settings: Settings) -> Rows:
    return labelled_rows(settings, read_history(settings, None))


@pytest.fixture(scope="module")
def make(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Registers version 1 with another booster or another card, over the same stretches."""

    def register(booster: str | None = None, moments: dict[str, int] | None = None, **card: Any) -> str:
        first = load(settings, "1")
        folder = tmp_path_factory.mktemp("made")
        text = booster or first.model._booster.model_to_string()
        write_model(folder / "model", text, first.model.card.model_copy(update=card))
        model = RiskModel.load(folder / "model")
        with tracking.run(settings, "other"):
            at = first.stretches if moments is None else moments
            return log_version(folder, model, model._reference_rows(), {}, {}, DataVersion({}, 0, 0), model.card, at)

    return register


@pytest.fixture(scope="module")
def shuffled(rows: Rows, make: Callable[..., str]) -> str:
    """A version whose trees learned from labels in a wrong order."""
    y = np.random.default_rng(1).permutation(rows.y)
    text, _ = fit_trees(rows.X, y, np.ones(len(y)), MODEL_FEATURES, Recipe(max_trees=10))
    return make(text)


@pytest.fixture
def first_in_use(settings: Settings) -> None:
    tracking.client(settings).set_registered_model_alias(tracking.MODEL_NAME, "champion", "1")


def in_use(settings: Settings) -> str | None:
    found = champion(settings)
    return None if found is None else found.number


def states(settings: Settings, version: str) -> dict[str, str]:
    return {check.name: check.state for check in judge_version(settings, version, LENIENT).checks}


def tags_of(settings: Settings, version: str) -> dict[str, str]:
    with tracking.quiet():
        return dict(tracking.client(settings).get_model_version(tracking.MODEL_NAME, version).tags)


def gate_runs(settings: Settings) -> list[Any]:
    with tracking.quiet():
        client = tracking.client(settings)
        experiment = tracking.experiment_id(settings, client)
        return list(client.search_runs([experiment], "attributes.run_name = 'gate'"))


def test_the_first_champion_is_judged_by_itself(settings: Settings) -> None:
    promotion = promote_judged(settings, **NO_HURRY)
    assert in_use(settings) == promotion.report.version == "1"
    assert not promotion.overridden
    assert "order (not judged): There is no champion yet to compare it with." in promotion.lines()
    assert {check.name: check.state for check in promotion.report.checks} == {
        "order": "not judged",
        "calibration": "held",
        "fairness": "held",
        "reasons": "held",
        "speed": "held",
    }
    tags = tags_of(settings, "1")
    assert (tags["gate"], tags["gate_against"], tags["gate_run"]) == ("passed", "", promotion.run_id)
    assert tags["promoted_by"]
    assert not [name for name in tags if name.startswith("override")]


def test_the_run_holds_the_table(settings: Settings, first_in_use: None) -> None:
    promotion = promote_judged(settings, "1", by="Ada", **NO_HURRY)
    with tracking.quiet():
        folder = Path(mlflow.artifacts.download_artifacts(run_id=promotion.run_id, artifact_path="gate"))
        run = tracking.client(settings).get_run(promotion.run_id)
    page, told = (folder / "gate.html").read_text(), json.loads((folder / "gate.json").read_text())
    assert "Gate: returnwise-risk version 1" in page
    assert "| calibration | held |" in (folder / "gate.md").read_text()
    assert told["checks"]["calibration"]["figures"]["error"] == run.data.metrics["calibration_error"]
    assert told["checks"]["order"]["sentences"] == ["It is the champion already; there is nothing to compare it with."]
    assert run.data.tags["gate_by"] == "Ada"
    assert run.data.tags["data_digest"] == read_history(settings, None).version.digest


class TestRefused:
    def test_a_version_that_orders_returns_worse(self, settings: Settings, shuffled: str, first_in_use: None) -> None:
        before, runs = tags_of(settings, shuffled), len(gate_runs(settings))
        with pytest.raises(PromotionRefused) as refusal:
            promote_judged(settings, shuffled, **NO_HURRY)
        told = refusal.value.message.splitlines()
        assert told[0].startswith(f"version {shuffled} is not promoted: it fails ")
        assert told[0].endswith("version 1 stays the champion")
        assert any(line.startswith("order: Worse than the champion (version 1) beyond noise on ") for line in told)
        assert f'returnwise promote {shuffled} --override --why "..."' in told[-1]
        assert in_use(settings) == "1"
        assert tags_of(settings, shuffled) == before
        assert len(gate_runs(settings)) == runs + 1

    def test_badly_calibrated(self, settings: Settings, make: Callable[..., str], first_in_use: None) -> None:
        right = load(settings, "1").model.card.calibration
        wrong = right.model_copy(update={"log_odds": tuple(odds + 1.5 for odds in right.log_odds)})
        found = states(settings, make(calibration=wrong))
        assert found["calibration"] == "failed"
        assert found["order"] == "held"  # it is the same order

    def test_slow(self, settings: Settings, first_in_use: None) -> None:
        with pytest.raises(PromotionRefused, match=r"speed: One return takes .* the budget is 1e-06 ms"):
            promote_judged(settings, "1", bounds=LENIENT.model_copy(update={"one_return_ms": 1e-6}))

    def test_a_prior_model_in_place_of_a_learned_one(
        self, settings: Settings, make: Callable[..., str], first_in_use: None
    ) -> None:
        prior = make(prior=True, moments={})
        assert states(settings, prior) == {
            "order": "failed",
            "calibration": "not judged",
            "fairness": "not judged",
            "reasons": "held",
            "speed": "held",
        }
        with pytest.raises(PromotionRefused, match="order: It is a prior model, which follows written weights; the"):
            promote_judged(settings, prior, **NO_HURRY)

    def test_features_that_the_service_does_not_give_cannot_be_overridden(
        self, settings: Settings, make: Callable[..., str], first_in_use: None
    ) -> None:
        other = make(feature_service="returnwise_v0")
        with pytest.raises(RegistryError, match="trained on the feature service returnwise_v0"):
            promote_judged(settings, other, override="it must be", **NO_HURRY)
        assert in_use(settings) == "1"


class TestCompared:
    def test_a_prior_champion_gives_way(self, settings: Settings, make: Callable[..., str]) -> None:
        prior = make(prior=True, moments={})
        tracking.client(settings).set_registered_model_alias(tracking.MODEL_NAME, "champion", prior)
        assert states(settings, "1")["order"] == "held"  # these are the same trees
        (check, *_) = judge_version(settings, prior, LENIENT).checks
        assert check.text == "It is the champion already; there is nothing to compare it with."
        (check, *_) = judge_version(settings, make(prior=True, moments={}), LENIENT).checks
        assert "both are prior models" in check.text

    def test_only_on_what_neither_has_learned_from(
        self, settings: Settings, make: Callable[..., str], first_in_use: None
    ) -> None:
        """A champion that has seen nearly everything leaves too little."""
        late = make(moments=load(settings, "1").stretches | {"test_from_us": (FIRST_DAY + 310) * 86_400_000_000})
        (check, *_) = judge_version(settings, late, LENIENT).checks
        assert check.state == "not judged"
        assert "nobody knows which of them is better" in check.text

    def test_a_champion_of_other_features_is_not(self, settings: Settings, tmp_path: Path, first_in_use: None) -> None:
        from tests.support.models import make_model_folder

        make_model_folder(tmp_path / "model", names=("customer_orders_lifetime", "shoe_size"))
        model = RiskModel.load(tmp_path / "model")
        with tracking.run(settings, "other"):
            other = log_version(tmp_path, model, model._reference_rows(), {}, {}, DataVersion({}, 0, 0), model.card)
        tracking.client(settings).set_registered_model_alias(tracking.MODEL_NAME, "champion", other)
        (check, *_) = judge_version(settings, "1", LENIENT).checks
        assert check.state == "not judged"
        assert "does not give: shoe_size" in check.text


class TestOverride:
    def test_who_and_why_are_kept(self, settings: Settings, shuffled: str, first_in_use: None) -> None:
        promotion = promote_judged(settings, shuffled, override=" to see it fail ", by="Ada", **NO_HURRY)
        assert in_use(settings) == shuffled
        assert promotion.overridden
        assert promotion.lines()[0].endswith("though the gate refuses it; who and why is recorded")
        kept = tags_of(settings, shuffled)
        assert (kept["gate"], kept["override_by"], kept["override_why"]) == ("overridden", "Ada", "to see it fail")
        assert "order" in kept["override_failed"]
        assert datetime.fromisoformat(kept["override_at"]).tzinfo is not None

        promote_judged(settings, "1", **NO_HURRY)  # back to the one before, judged on what neither has seen
        assert in_use(settings) == "1"
        assert tags_of(settings, shuffled) == kept
        with tracking.quiet():
            described = tracking.client(settings).get_model_version(tracking.MODEL_NAME, shuffled).description
        assert "by Ada although the gate refused it" in described
        assert "to see it fail" in described

    def test_where_nothing_fails_nothing_is_overridden(self, settings: Settings, first_in_use: None) -> None:
        assert not promote_judged(settings, "1", override="to be sure", **NO_HURRY).overridden
        assert "override_why" not in tags_of(settings, "1")

    @pytest.mark.parametrize("why", ["", "  ", "x" * 2001])
    def test_a_reason_is_needed(self, settings: Settings, why: str) -> None:
        with pytest.raises(PromotionRefused, match="needs a reason"):
            promote_judged(settings, "1", override=why)


class TestCommand:
    @pytest.fixture(autouse=True)
    def home(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RETURNWISE_HOME", str(settings.home))
        get_settings.cache_clear()

    def promote(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["promote", *arguments])

    def test_a_refusal_is_told_and_ends_with_1(self, settings: Settings, shuffled: str, first_in_use: None) -> None:
        result = self.promote(shuffled)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"returnwise: version {shuffled} is not promoted" in result.stderr
        assert in_use(settings) == "1"

    def test_an_override_is_on_record(self, settings: Settings, shuffled: str, first_in_use: None) -> None:
        result = self.promote(shuffled, "--override", "--why", "a test", "--by", "Grace")
        assert result.exit_code == 0
        assert result.stdout.startswith(f"version {shuffled} is the champion, though the gate refuses it")
        assert tags_of(settings, shuffled)["override_by"] == "Grace"

    @pytest.mark.parametrize("arguments", [("--override",), ("--why", "so"), ("--override", "--why", " ")])
    def test_override_and_why_go_together(self, settings: Settings, first_in_use: None, arguments: tuple[str]) -> None:
        result = self.promote("1", *arguments)
        assert result.exit_code == 2
        assert "go together" in result.stderr
        assert in_use(settings) == "1"

    def test_what_mlflow_run_gives_for_nothing(self, settings: Settings, first_in_use: None) -> None:
        """Empty parameters, as the entry point passes them."""
        assert self.promote("99", "--why", "", "--no-override").exit_code == 1
        assert "no version 99" in self.promote("99", "--why", "", "--no-override").stderr

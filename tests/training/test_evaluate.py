"""A registered version judged later: which returns count, what it is compared with, and what is said when it cannot."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.risk_model import RiskModel, write_model
from features.service import MODEL_FEATURES
from features.settings import Settings
from tests.support.history import FIRST_DAY, fill, made_up_history
from tests.support.models import make_model_folder
from tests.support.registry import with_mlflow
from training.dataset import DataVersion, day, split
from training.errors import RegistryError, TooFewLabels
from training.evaluate import EvaluationReport, evaluate, rivals
from training.evaluation.intervals import Interval
from training.registry import promote, tracking
from training.registry.log import log_version
from training.registry.tracking import mlflow
from training.registry.versions import load
from training.run import train
from training.table import labelled_rows, read_history

pytestmark = pytest.mark.slow
TRAINED_UNTIL = datetime.fromtimestamp((FIRST_DAY + 219) * 86_400, UTC).date().isoformat()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger in which everything is checked; version 1, the champion, was trained until day 219 of 320."""
    home = tmp_path_factory.mktemp("home")
    settings = with_mlflow(Settings(home=home))
    fill(settings, made_up_history(inspected=1.0))
    train(settings, TRAINED_UNTIL)
    promote(settings)
    return settings


@pytest.fixture(scope="module")
def report(settings: Settings) -> EvaluationReport:
    return evaluate(settings)


def run_of(settings: Settings, run_id: str):
    client = tracking.client(settings)
    with tracking.quiet():
        return client.get_run(run_id)


def test_the_champion_is_judged_on_what_came_after(settings: Settings, report: EvaluationReport) -> None:
    run = run_of(settings, report.run_id)
    test_from = load(settings).stretches["test_from_us"]
    assert report.version == run.data.params["evaluated_version"] == "1"
    assert run.data.params["judged_from"] >= day(test_from)
    assert run.data.params["judged_to"] > TRAINED_UNTIL
    assert run.info.run_name == "evaluate"
    assert run.data.tags["evaluated_version"] == "1"
    assert run.data.metrics["test_auc"] == pytest.approx(report.metrics["test_auc"])
    assert run.data.metrics["test_rows"] > 1.5 * load(settings).model.card.data["rows_inspections"] * 0.2
    assert "Version 1 of returnwise-risk (champion)." in report.message
    assert "The strongest to compare with is" in report.message


def test_the_run_holds_card_plots_and_tables(settings: Settings, report: EvaluationReport) -> None:
    with tracking.quiet():
        folder = Path(mlflow.artifacts.download_artifacts(run_id=report.run_id))
    assert (folder / "card" / "model_card.html").stat().st_size > 100_000
    assert "version 1" in (folder / "card" / "model_card.md").read_text()
    assert (folder / "card" / "tables" / "results_weighted.json").exists()
    assert {p.stem for p in (folder / "plots").iterdir()} >= {"calibration", "capacity", "kinds", "over_time"}


def test_until_the_day_of_training_gives_the_figures_of_training(settings: Settings) -> None:
    again = evaluate(settings, "1", TRAINED_UNTIL)
    trained = load(settings, "1").model.card.metrics
    assert trained["test_auc"] == pytest.approx(again.metrics["test_auc"], abs=1e-6)
    assert {name: again.metrics[name] for name in trained} == pytest.approx(trained, abs=1e-6)


def test_a_challenger_is_compared_with_the_champion_on_the_same_rows(settings: Settings, tmp_path: Path) -> None:
    same = load(settings, "1")
    write_model(tmp_path / "model", same.model._booster.model_to_string(), same.model.card)
    version = register(settings, tmp_path, same.stretches)
    later = evaluate(settings, version)
    assert later.judged.differences["champion"]["average_precision"] == Interval(0.0, 0.0, 0.0)
    assert later.judged.rivals["champion"]["auc"] == later.judged.ranges["auc_weighted"]
    assert "(champion)" not in later.message


def test_a_champion_that_has_seen_the_labels_is_not_compared(settings: Settings) -> None:
    history = read_history(settings, None)
    parts = split(labelled_rows(settings, history), history.until)
    seen = load(settings, "1").stretches["test_from_us"]
    names = [rival.name for rival in rivals(settings, parts, MODEL_FEATURES)]
    assert names == ["return_rate_rule", "count_rule", "logistic_regression", "champion"]
    assert "champion" not in [r.name for r in rivals(settings, parts, MODEL_FEATURES, apart_from="1")]
    early = rivals(settings, dataclasses.replace(parts, test_from=seen - 1), MODEL_FEATURES)[-1]
    assert early.risk is None
    assert f"labels known until {day(seen)}, after these returns began" in early.note
    fewer = rivals(settings, parts, MODEL_FEATURES[:3])[-1]
    assert fewer.risk is None
    assert "does not give" in fewer.note


def test_there_must_be_something_to_measure(settings: Settings) -> None:
    early = datetime.fromtimestamp((FIRST_DAY + 60) * 86_400, UTC).date().isoformat()
    with pytest.raises(TooFewLabels, match="nothing to measure: of the returns requested after what version 1 learned"):
        evaluate(settings, "1", early)


def test_versions_that_are_not_there(settings: Settings) -> None:
    with pytest.raises(RegistryError, match="no version 99"):
        evaluate(settings, "99")
    with pytest.raises(RegistryError, match="whole number"):
        evaluate(settings, "newest")


def register(settings: Settings, folder: Path, moments: dict[str, int] | None = None) -> str:
    """The model in `folder / "model"` as a version."""
    model = RiskModel.load(folder / "model")
    with tracking.run(settings, "other"):
        rows = model._reference_rows()
        return log_version(folder, model, rows, {}, {}, DataVersion({}, 0, 0), model.card, moments)


def registered(settings: Settings, folder: Path, **made) -> str:
    """A version over other features or words, as somebody with other declarations may have registered it."""
    make_model_folder(folder / "model", **made)
    return register(settings, folder)


def test_features_that_the_service_does_not_give_are_named(settings: Settings, tmp_path: Path) -> None:
    version = registered(settings, tmp_path, names=("customer_orders_lifetime", "shoe_size", "moon_phase"))
    with pytest.raises(RegistryError, match=r"does not give: shoe_size, moon_phase; train a new version"):
        evaluate(settings, version)


def test_words_that_have_changed_are_named(settings: Settings, tmp_path: Path) -> None:
    version = registered(
        settings, tmp_path, names=("customer_orders_lifetime", "request_reason"), categories={"request_reason": ("a",)}
    )
    with pytest.raises(RegistryError, match="other words for request_reason"):
        evaluate(settings, version)


def test_a_version_without_its_moments_is_judged_after_its_training(settings: Settings, tmp_path: Path) -> None:
    names = ("customer_orders_lifetime", "customer_return_rate_lifetime")
    version = registered(settings, tmp_path, names=names)
    model = load(settings, version)
    assert model.stretches == {}
    assert model.columns(MODEL_FEATURES) == [[f.name for f in MODEL_FEATURES].index(name) for name in names]
    with pytest.raises(TooFewLabels, match="0 have abuse found and 0 are cleared"):
        evaluate(settings, version)  # it says that it was trained until 2026


def test_a_prior_model_is_judged_by_its_order(settings: Settings, tmp_path: Path) -> None:
    names = ("customer_orders_lifetime", "customer_return_rate_lifetime", "request_value")
    got = evaluate(settings, registered(settings, tmp_path, names=names, prior=True))
    assert "It is a prior model" in got.message
    assert {"return_rate_rule", "count_rule", "logistic_regression"} <= set(got.judged.rivals)
    assert 0 < got.metrics["test_auc"] < 1

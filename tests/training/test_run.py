"""From a ledger to a registered version, and what a run may know."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.clock import DAY
from features.risk_model import RiskModel
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from tests.support.history import FIRST_DAY, Rows, fill, made_up_history
from tests.support.registry import with_mlflow
from training.errors import TooFewLabels, TrainingError
from training.registry import promote, tracking
from training.registry.tracking import mlflow
from training.run import TrainingReport, train
from training.table import labelled_rows, parse_until, read_history

pytestmark = pytest.mark.slow


def settings_with(home: Path, history: Rows) -> Settings:
    settings = with_mlflow(Settings(home=home))
    fill(settings, history)
    return settings


def model_of(settings: Settings, version: str) -> RiskModel:
    tracking.client(settings)
    with tracking.quiet():
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/returnwise-risk/{version}"))
    return RiskModel.load(folder / "artifacts" / "model")


@pytest.fixture(scope="module")
def history() -> Rows:
    return made_up_history()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, history: Rows) -> Settings:
    return settings_with(tmp_path_factory.mktemp("home"), history)


@pytest.fixture(scope="module")
def report(settings: Settings) -> TrainingReport:
    return train(settings)


def test_a_model_is_learned_and_registered(settings: Settings, report: TrainingReport) -> None:
    assert not report.prior
    assert report.metrics["test_auc"] > 0.65
    assert "average precision" in report.message
    model = model_of(settings, report.version)
    assert model.features == tuple(f.name for f in MODEL_FEATURES)
    assert model.card.feature_service == SERVICE
    assert model.card.data["rows_returns"] == read_history(settings, None).version.counts["returns"]
    assert model.card.metrics["test_auc"] == pytest.approx(report.metrics["test_auc"], abs=1e-6)
    assert promote(settings) == report.version


def test_the_run_shows_pictures(settings: Settings, report: TrainingReport) -> None:
    client = tracking.client(settings)
    with tracking.quiet():
        plots = sorted(a.path for a in client.list_artifacts(report.run_id, "plots"))
        folder = Path(mlflow.artifacts.download_artifacts(run_id=report.run_id, artifact_path="plots"))
    names = (
        "calibration",
        "capacity",
        "contributions",
        "fairness",
        "kinds",
        "over_time",
        "precision_recall",
        "reasons",
    )
    assert plots == [f"plots/{name}.png" for name in names]
    for path in folder.iterdir():
        assert path.read_bytes()[:4] == b"\x89PNG"
        assert path.stat().st_size > 10_000


def test_the_run_holds_the_model_card(settings: Settings, report: TrainingReport) -> None:
    with tracking.quiet():
        folder = Path(mlflow.artifacts.download_artifacts(run_id=report.run_id, artifact_path="card"))
        version = tracking.client(settings).get_model_version("returnwise-risk", report.version)
    text = (folder / "model_card.md").read_text()
    assert f"version {report.version}" in text
    assert "Logistic regression" in text
    assert {"results_weighted.json", "stretches.json"} <= {p.name for p in (folder / "tables").iterdir()}
    assert "estimated for all returns" in version.description
    assert int(version.tags["calibration_from_us"]) < int(version.tags["test_from_us"])


def test_nothing_after_until_is_used(settings: Settings, history: Rows, report: TrainingReport, tmp_path: Path) -> None:
    """Training until a day gives the bytes of training on a ledger that ends there."""
    end = (FIRST_DAY + 220) * DAY - 1
    moments = {
        "orders": "ordered_at",
        "deliveries": "delivered_at",
        "returns": "requested_at",
        "inspections": "inspected_at",
        "verdicts": "decided_at",
    }
    cut = {t: [r for r in history[t] if r[m] <= end] for t, m in moments.items()}
    known = {o["order_id"] for o in cut["orders"]}
    cut["order_lines"] = [line for line in history["order_lines"] if line["order_id"] in known]
    short = settings_with(tmp_path / "short", cut)
    until = datetime.fromtimestamp((FIRST_DAY + 219) * 86_400, UTC).date().isoformat()
    full_model = model_of(settings, train(settings, until).version)
    short_model = model_of(short, train(short, until).version)
    assert full_model.card == short_model.card
    assert full_model._booster.model_to_string() == short_model._booster.model_to_string()
    assert full_model.card.trained_until.startswith(until)
    assert full_model.card != model_of(settings, report.version).card


def test_what_became_known_later_is_not_used(history: Rows, tmp_path: Path) -> None:
    late = copy.deepcopy(history)
    end = (FIRST_DAY + 250) * DAY
    moved = [i for i in late["inspections"] if i["inspected_at"] < end][::3]
    late["verdicts"] = []
    for inspection in moved:
        inspection["recorded_at"] = end + DAY
    settings = settings_with(tmp_path / "late", late)
    rows = labelled_rows(settings, read_history(settings, end))
    assert not {i["return_id"] for i in moved} & set(rows.return_id)
    assert rows.requested_at.max() <= end
    assert rows.known_at.max() <= end
    assert len(rows) > 300


def test_labels_take_no_part_in_the_features_of_their_own_return(
    settings: Settings, history: Rows, tmp_path: Path
) -> None:
    flipped = copy.deepcopy(history)
    for inspection in flipped["inspections"]:
        inspection["finding"] = "as_described" if inspection["finding"] == "worn" else "worn"
    other = settings_with(tmp_path / "flipped", flipped)
    rows, changed = (labelled_rows(s, read_history(s, None)) for s in (settings, other))
    first = [i for i, r in enumerate(rows.return_id) if _nothing_inspected_before(history, r, rows.requested_at[i])]
    assert len(first) > 50
    assert np.array_equal(rows.X[first], changed.X[first], equal_nan=True)
    assert not np.array_equal(rows.X, changed.X, equal_nan=True)


def _nothing_inspected_before(history: Rows, return_id: str, moment: int) -> bool:
    """Nothing of this customer or of the one at the same address (customers 2n and 2n+1 may share one)."""
    customer = int(return_id[1:].split("-")[0])
    group = {2 * (customer // 2), 2 * (customer // 2) + 1, customer, customer * 2, customer * 2 + 1, customer // 2}
    return not any(
        i["inspected_at"] < moment and int(i["return_id"][1:].split("-")[0]) in group for i in history["inspections"]
    )


def test_without_labels_a_prior_is_registered_and_says_so(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "prior", made_up_history(inspected=0.0))
    report = train(settings)
    assert report.prior
    assert "0 returns with abuse found and 0 cleared" in report.message
    assert "no evidence" in report.message
    model = model_of(settings, report.version)
    assert model.card.prior
    assert model.base_rate == 0.02
    client = tracking.client(settings)
    with tracking.quiet():
        assert client.get_model_version("returnwise-risk", report.version).tags["prior"] == "true"
    with pytest.raises(TooFewLabels, match="at least 50 of each"):
        train(settings, prior_model="never")


def test_a_nearly_empty_ledger(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "tiny", made_up_history(customers=4))
    with pytest.raises(TrainingError, match="even a prior model needs 200"):
        train(settings)
    with pytest.raises(TrainingError, match="knows 0 returns"):
        train(Settings(home=tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("until", "message"),
    [("2026-13-01", "no date"), ("yesterday", "no date"), ("2026-01-01T10:00:00", "without zone")],
)
def test_until_is_a_date_or_a_time_with_zone(until: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        parse_until(until)


def test_until_of_a_day_is_its_end() -> None:
    day = 1_767_225_600_000_000  # 2026-01-01
    assert parse_until("2026-01-01") == day + DAY - 1
    assert parse_until("2026-01-01T02:00:00+02:00") == day
    assert parse_until("2026-01-01T00:00:00Z") == day
    assert parse_until("") is None


def test_the_card_says_what_was_usual_among_all_returns(settings: Settings, report: TrainingReport) -> None:
    """Of all returns since the calibration stretch began, not only of the checked ones."""
    usual = model_of(settings, report.version).card.usual
    history = read_history(settings, None)
    client = tracking.client(settings)
    with tracking.quiet():
        first = client.get_run(report.run_id).data.params["calibration_from"]
    assert usual is not None
    assert usual.since.startswith(first)
    assert usual.rows == int((history.returns["event_timestamp"] >= pd.Timestamp(usual.since)).sum())
    assert usual.rows > sum(report.metrics[f"{name}_rows"] for name in ("calibration", "test"))
    assert len(usual.features) == len(MODEL_FEATURES)

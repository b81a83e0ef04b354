"""True reasons pass, false and jumpy ones are caught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.risk_model import RiskModel
from tests.support.models import model_on
from tests.support.returns import START, feature, made_up_context
from training.dataset import Rows
from training.errors import TrainingError
from training.explanation import ExplanationReport, explain_check
from training.explanation.bounds import read_bounds
from training.explanation.report import told

FEATURES = (
    feature("customer_concerns_lifetime", family="findings"),
    feature("customer_claims_365d", family="claims"),
    feature("customer_return_rate_90d", family="rate"),
    feature("request_days_since_delivery", family="timing"),
)


def rows_of(X: np.ndarray, y: np.ndarray, kinds: np.ndarray | None = None) -> Rows:
    n = len(X)
    context = made_up_context(n)
    context["abuse_type"] = kinds if kinds is not None else None
    at = START + np.arange(n) * 1_000_000
    return Rows(np.array([f"r{i}" for i in range(n)], dtype=object), at, X, y, at, np.ones(n), context)


def made_up(n: int = 2500) -> tuple[np.ndarray, np.ndarray]:
    """Few findings and claims, which raise the risk, as the rate does; days that do nothing."""
    rng = np.random.default_rng(4)
    X = np.column_stack([rng.poisson(0.1, n), rng.poisson(0.3, n), rng.beta(2, 6, n), rng.gamma(2.0, 5.0, n)])
    return X, 1 / (1 + np.exp(4 - 2.0 * X[:, 0] - 1.3 * X[:, 1] - 4 * X[:, 2]))


@pytest.fixture(scope="module")
def honest() -> tuple[RiskModel, Rows]:
    X, target = made_up()
    kinds = np.where(X[:, 1] > 0, "false_claim", np.where(X[:, 0] > 0, "wardrobing", "serial_returning"))
    return model_on(FEATURES, X, target), rows_of(X, (target > 0.2).astype(float), kinds.astype(object))


@pytest.fixture(scope="module")
def report(honest: tuple[RiskModel, Rows]) -> ExplanationReport:
    return explain_check(*honest, FEATURES)


def test_true_reasons_pass(report: ExplanationReport) -> None:
    assert report.true, report.breaches
    assert report.metrics["explained"] > 100
    assert report.metrics["removal_first"] > 0.98
    assert report.metrics["stable_first"] > 0.95
    assert report.metrics["agreement"] > 0.9 > report.metrics["agreement_by_chance"]
    assert report.by_reason.loc["R03", "first"] > 0.2
    assert report.by_reason.loc["R10", "first"] == 0


def test_the_same_rows_give_the_same_figures(honest: tuple[RiskModel, Rows], report: ExplanationReport) -> None:
    again = explain_check(*honest, FEATURES)
    assert again.metrics == report.metrics
    assert again.by_reason.equals(report.by_reason)


def test_only_what_is_flagged_is_looked_at(honest: tuple[RiskModel, Rows], report: ExplanationReport) -> None:
    model, rows = honest
    risk = model.risk(rows.X)
    assert report.metrics["explained"] == (risk >= model.card.bands.elevated).sum()
    few = explain_check(model, rows, FEATURES, from_risk=0.5)
    assert few.metrics["explained"] == (risk >= 0.5).sum()


def test_a_model_whose_first_reason_is_false_is_caught() -> None:
    """What is usual here is what is risky: put to its typical value, the risk stays where it is."""
    rng = np.random.default_rng(5)
    n = 2000
    X = np.column_stack([np.zeros(n), rng.choice([0.0, 1.0], n, p=[0.6, 0.4]), rng.random(n), rng.random(n)])
    target = np.where(X[:, 1] == 0, 0.4, 0.02)
    report = explain_check(model_on(FEATURES, X, target), rows_of(X, (target > 0.1).astype(float)), FEATURES)
    assert report.metrics["removal_first"] < 0.05
    assert not report.true
    assert report.breaches[0].startswith("Without what the first reason names the risk falls in only")
    assert report.section().sentences[0] == report.breaches[0]


def test_a_model_whose_reasons_jump_is_caught() -> None:
    """Every second day is risky, and on the others the rate's every second point is."""
    features = (*FEATURES[:2], feature("rate", family="rate"), feature("days", family="timing"))
    features = tuple(
        type(f)(f.name, f.family, f.sign, {"rate": "share", "days": "days"}.get(f.name, ""), "", f.value)
        for f in features
    )
    rng = np.random.default_rng(6)
    n = 2500
    X = np.column_stack([np.zeros(n), np.zeros(n), rng.uniform(0, 0.08, n), rng.uniform(0, 8, n)])
    odd_day, odd_point = (X[:, 3] // 1) % 2, (X[:, 2] // 0.01) % 2
    target = np.clip(0.02 + 0.35 * odd_day + 0.3 * odd_point, 0, 1)
    report = explain_check(model_on(features, X, target, trees=80), rows_of(X, (target > 0.1).astype(float)), features)
    assert report.metrics["stable_first"] < 0.8
    assert any("same first reason in only" in breach for breach in report.breaches)


def test_nothing_flagged(honest: tuple[RiskModel, Rows]) -> None:
    report = explain_check(*honest, FEATURES, from_risk=1.1)
    assert report.metrics["explained"] == 0
    assert report.true
    assert report.section().sentences == ["No return was flagged, so no reason was looked at."]


def test_without_known_kinds_nothing_is_said_of_them(honest: tuple[RiskModel, Rows]) -> None:
    model, rows = honest
    section = explain_check(model, rows_of(rows.X, rows.y), FEATURES).section()
    assert len(section.tables) == 1
    assert not any("kind" in sentence for sentence in section.sentences)


def test_kinds_and_acts_can_be_given(honest: tuple[RiskModel, Rows]) -> None:
    model, rows = honest
    kinds = np.full(len(rows), "account_ring", dtype=object)
    acts = rows.context["abuse_type"].to_numpy(dtype=object)
    report = explain_check(model, rows, FEATURES, kinds=kinds, acts=acts)
    assert report.metrics["agreement"] == 0
    assert report.metrics["agreement_with_act"] > 0.9


def test_the_section_of_the_card(report: ExplanationReport) -> None:
    section = report.section()
    assert [caption for caption, _ in section.tables] == [
        "Reasons of flagged returns",
        "Right kind's reason among the first three",
    ]
    assert "the risk falls in" in section.sentences[0]
    assert list(section.figures) == ["reasons"]


def test_reasons_come_strongest_first(honest: tuple[RiskModel, Rows]) -> None:
    model, _ = honest
    reasons = told(model, np.array([[2.0, 0.0, 0.1, 3.0], [0.0, 3.0, 0.1, 3.0]]), np.array([0, 2, 1, 4]))
    assert reasons[:, 0].tolist() == [0, 2]


def test_bounds_say_what_is_wrong(tmp_path: Path) -> None:
    assert read_bounds().removal_first == 0.95
    path = tmp_path / "bounds.toml"
    path.write_text("removal_first = 1.5\nstable_first = 0.9\nstable_overlap = 0.8\n")
    with pytest.raises(TrainingError, match="removal_first"):
        read_bounds(path)
    path.write_text("removal_first = 0.9\nstable_first = 0.9\n")
    with pytest.raises(TrainingError, match="stable_overlap"):
        read_bounds(path)

"""A model that is unfair to one group is caught, a fair one is not, and little data blames nobody."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.risk_model import RiskModel
from tests.support.models import model_on
from tests.support.returns import feature
from tests.support.segments import AUDITED, LEAN, SIGNAL, audited_returns
from training.dataset import Rows
from training.fairness import assess_fairness, read_bounds
from training.fairness.segments import SEGMENTS


@pytest.fixture(scope="module")
def returns() -> tuple[Rows, np.ndarray]:
    return audited_returns(n=4000)


@pytest.fixture(scope="module")
def fair(returns: tuple[Rows, np.ndarray]) -> RiskModel:
    rows, truly = returns
    return model_on(AUDITED, rows.X, truly)


@pytest.fixture(scope="module")
def unfair(returns: tuple[Rows, np.ndarray]) -> RiskModel:
    """It learned that the country with high `lean` abuses more, which is not so."""
    rows, _ = returns
    believed = 1 / (1 + np.exp(3.2 - 1.3 * rows.X[:, SIGNAL] - 0.8 * rows.X[:, LEAN]))
    return model_on(AUDITED, rows.X, believed)


def test_a_fair_model_has_no_breach(returns: tuple[Rows, np.ndarray], fair: RiskModel) -> None:
    report = assess_fairness(returns[0], AUDITED, fair)
    assert report.fair, report.breaches
    assert report.metrics["fairness_breaches"] == 0
    assert set(report.tables) == set(SEGMENTS)
    assert report.section().sentences[0] == "No group exceeds a written bound beyond noise."


def test_an_unfair_model_is_caught(returns: tuple[Rows, np.ndarray], unfair: RiskModel) -> None:
    report = assess_fairness(returns[0], AUDITED, unfair)
    assert not report.fair
    ratios = [b for b in report.breaches if b.measure == "false_positive_ratio"]
    assert {(b.segment, b.group) for b in ratios} == {("country", "US")}
    assert ratios[0].value > 1.25
    assert ratios[0].sentence.startswith("Country of the order, group US:")
    assert "times the" in ratios[0].sentence
    gaps = [b for b in report.breaches if b.measure == "calibration_gap"]
    assert ("country", "US") in {(b.segment, b.group) for b in gaps}
    assert any("too high" in b.sentence for b in gaps)
    assert report.metrics["fairness_worst_ratio_top"] == pytest.approx(max(b.value for b in ratios), rel=0.5)


def test_few_checks_find_it_with_all_returns_at_hand(unfair: RiskModel) -> None:
    everyone, _ = audited_returns(n=8000, seed=5, checked=0.12)
    picked = np.random.default_rng(3).random(len(everyone)) < everyone.odds
    report = assess_fairness(everyone.take(picked), AUDITED, unfair, everyone)
    assert ("country", "US") in {(b.segment, b.group) for b in report.breaches}
    table = report.tables["country"]
    assert table.loc["all", "top:flag_rate"] == pytest.approx(0.02, abs=0.003)


def test_labels_of_everyone_are_not_looked_at(fair: RiskModel) -> None:
    everyone, _ = audited_returns(n=3000, checked=0.3)
    picked = np.random.default_rng(3).random(len(everyone)) < everyone.odds
    known = assess_fairness(everyone.take(picked), AUDITED, fair, everyone)
    unknown = dataclasses.replace(everyone, y=np.full(len(everyone), np.nan))
    again = assess_fairness(everyone.take(picked), AUDITED, fair, unknown)
    for name, table in known.tables.items():
        assert table.equals(again.tables[name])


def test_small_groups_are_shown_and_not_judged(unfair: RiskModel) -> None:
    rows, _ = audited_returns(n=300, seed=9)
    report = assess_fairness(rows, AUDITED, unfair)
    judged = report.tables["country"]["judged"]
    assert judged["US"] == 0
    assert not any(b.group == "US" for b in report.breaches)
    assert any("not judged" in s and "US (country of the order)" in s for s in report.section().sentences)


def test_chance_alone_is_no_breach(fair: RiskModel) -> None:
    for seed in range(20, 23):
        rows, _ = audited_returns(n=1500, seed=seed)
        assert assess_fairness(rows, AUDITED, fair).fair


def test_a_stand_in_among_the_features_is_a_breach(returns: tuple[Rows, np.ndarray], fair: RiskModel) -> None:
    features = (*AUDITED[:LEAN], feature("order_country", family="value"))
    report = assess_fairness(returns[0], features, fair)
    (breach,) = report.breaches
    assert breach.measure == "left_out"
    assert "order_country" in breach.sentence


def test_bounds_can_be_given(returns: tuple[Rows, np.ndarray], unfair: RiskModel) -> None:
    wide = read_bounds().model_copy(update={"false_positive_ratio": 20.0, "calibration_gap": 0.9})
    assert assess_fairness(returns[0], AUDITED, unfair, bounds=wide).fair


def test_the_section_of_the_card(returns: tuple[Rows, np.ndarray], unfair: RiskModel) -> None:
    report = assess_fairness(returns[0], AUDITED, unfair)
    section = report.section()
    captions = [caption for caption, _ in section.tables]
    assert captions[0] == "Country of the order (flagged: the riskiest 2%)"
    assert captions[-1] == "Left out of the model, and why"
    country = section.tables[0][1]
    assert country["group"].tolist() == ["all", "DE", "NL", "US"]
    assert {"false-positive rate", "ratio to all", "from", "to"} <= set(country)
    (figure,) = section.figures.values()
    assert any("US" in label.get_text() for label in figure.axes[0].get_yticklabels())


def test_the_same_rows_give_the_same_report(returns: tuple[Rows, np.ndarray], unfair: RiskModel) -> None:
    rows = returns[0].take(slice(0, 1000))
    first, second = (assess_fairness(rows, AUDITED, unfair) for _ in range(2))
    assert first.breaches == second.breaches
    for name, table in first.tables.items():
        assert table.equals(second.tables[name])

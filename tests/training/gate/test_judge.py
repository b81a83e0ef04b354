"""A version before all checks: what it is judged on, what it is compared with, and what is said where it cannot be."""

from __future__ import annotations

import dataclasses

import pytest

from features.settings import Settings
from tests.support.history import FIRST_DAY
from tests.support.registry import TestRegistry
from tests.training.gate.conftest import DAY, Make
from training.errors import RegistryError
from training.gate.bounds import Bounds
from training.gate.judge import Evidence, GateReport, check_fits, judge, judge_version
from training.registry.versions import load


@pytest.fixture
def judged(settings: Settings, registry: TestRegistry, evidence: Evidence, lenient: Bounds):
    """Judges a version against another, or against none."""

    def against(version: str, champion: str | None = None) -> GateReport:
        current = None if champion is None else load(settings, champion)
        return judge(load(settings, version), current, evidence, lenient)

    return against


def states(report: GateReport) -> dict[str, str]:
    return {check.name: check.state for check in report.checks}


def order(report: GateReport) -> str:
    return report.checks[0].text


def test_the_first_champion_is_judged_by_itself(judged, settings: Settings, evidence: Evidence) -> None:
    report = judged("1")
    assert order(report) == "There is no champion yet to compare it with."
    assert states(report) == {
        "order": "not judged",
        "calibration": "held",
        "fairness": "held",
        "reasons": "held",
        "speed": "held",
    }
    later = evidence.known(load(settings, "1"), load(settings, "1").stretches["test_from_us"])
    assert f"on {len(later):,} later labelled returns" in report.checks[1].text
    assert report.metrics["calibration_found"] == pytest.approx(later.y.mean(), abs=0.02)


def test_it_reads_the_ledger_itself(
    settings: Settings, registry: TestRegistry, lenient: Bounds, judged, evidence: Evidence
) -> None:
    found = judge_version(settings, "1", lenient)
    assert found.data == evidence.data
    for ours, theirs in zip(found.checks[1:4], judged("1").checks[1:4], strict=True):
        assert (ours.state, ours.text) == (theirs.state, theirs.text)


def test_one_that_learned_nothing_orders_returns_worse(judged, shuffled: str) -> None:
    report = judged(shuffled, "1")
    assert "order" in {check.name for check in report.failed}
    assert order(report).startswith("Worse than the champion (version 1) beyond noise on ")
    assert states(judged("1", shuffled))["order"] == "held"


def test_risks_that_are_too_high_are_badly_calibrated(judged, make: Make, settings: Settings) -> None:
    right = load(settings, "1").model.card.calibration
    wrong = right.model_copy(update={"log_odds": tuple(odds + 1.5 for odds in right.log_odds)})
    found = states(judged(make(calibration=wrong), "1"))
    assert found["calibration"] == "failed"
    assert found["order"] == "held"  # it is the same order


def test_a_prior_model_does_not_replace_a_learned_one(judged, make: Make) -> None:
    prior = make(prior=True, moments={})
    report = judged(prior, "1")
    assert states(report) == {
        "order": "failed",
        "calibration": "not judged",
        "fairness": "not judged",
        "reasons": "held",
        "speed": "held",
    }
    assert "the champion (version 1) has learned from what checks found" in order(report)
    assert "whose risk is no measured probability" in report.checks[1].text
    assert not judged(prior).failed  # the first champion may be one
    assert states(judged("1", prior))["order"] == "held"  # a learned one that is as good replaces it
    assert "both are prior models" in order(judged(make(prior=True, moments={}), prior))


def test_the_champion_itself(judged) -> None:
    assert order(judged("1", "1")) == "It is the champion already; there is nothing to compare it with."


def test_compared_is_what_neither_has_learned_from(judged, make: Make, settings: Settings) -> None:
    late = make(moments=load(settings, "1").stretches | {"test_from_us": (FIRST_DAY + 310) * DAY})
    for pair in ((late, "1"), ("1", late)):
        report = judged(*pair)
        assert states(report)["order"] == "not judged"
        assert "nobody knows which of them is better" in order(report)
        assert not report.failed


def test_a_champion_that_cannot_be_compared(
    judged, settings: Settings, registry: TestRegistry, evidence: Evidence, lenient: Bounds
) -> None:
    other = registry.register(1, names=("customer_orders_lifetime", "shoe_size"))
    assert "does not give: shoe_size" in order(judged("1", other))
    report = judge(load(settings, "1"), "it is damaged", evidence, lenient)
    assert order(report) == "Not compared with the champion: it is damaged."
    assert not report.failed


def test_without_later_returns_only_what_can_be_is_judged(
    settings: Settings, registry: TestRegistry, evidence: Evidence, lenient: Bounds
) -> None:
    nothing = dataclasses.replace(evidence, labelled=evidence.labelled.take(slice(0, 0)), everybody=None)
    found = states(judge(load(settings, "1"), None, nothing, lenient))
    assert found.pop("speed") == "held"
    assert set(found.values()) == {"not judged"}


def test_what_could_not_serve_is_no_matter_of_judgement(settings: Settings, registry: TestRegistry, make: Make) -> None:
    check_fits(load(settings, "1"))
    features = load(settings, "1").model.card.features
    with pytest.raises(RegistryError, match="trained on the feature service returnwise_v0, this is"):
        check_fits(load(settings, make(feature_service="returnwise_v0")))
    few = [spec.name for spec in features[:-1]]
    with pytest.raises(RegistryError, match=f"it lacks {features[-1].name}"):
        check_fits(load(settings, registry.register(1, names=few)))
    turned = [spec.name for spec in (*features[1:], features[0])]
    with pytest.raises(RegistryError, match="they stand in another order"):
        check_fits(load(settings, registry.register(1, names=turned)))
    with pytest.raises(RegistryError, match="needs features that the feature service"):
        judge_version(settings, registry.register(1, names=["customer_orders_lifetime", "shoe_size"]))

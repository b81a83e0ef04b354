"""Each check of the gate on rows whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.models import model_on
from tests.support.returns import FEATURES, made_up_returns
from tests.support.segments import AUDITED, LEAN, SIGNAL, audited_returns
from training.dataset import Rows
from training.explanation import explain_check
from training.fairness import assess_fairness
from training.gate import checks
from training.gate.bounds import read_bounds

BOUNDS = read_bounds()
RIVAL = "the champion (version 7)"


@pytest.fixture(scope="module")
def returns() -> tuple[Rows, np.ndarray]:
    """4,000 checked returns of 800 customers, and the true risk of each (n,)."""
    return audited_returns(n=4000)


def blurred(risk: np.ndarray, much: float, seed: int = 1) -> np.ndarray:
    """The same risks seen less sharply."""
    odds = np.log(risk / (1 - risk)) + much * np.random.default_rng(seed).normal(size=len(risk))
    return np.asarray(1 / (1 + np.exp(-odds)))


class TestOrder:
    def test_one_that_sees_less_is_refused_with_figures(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        check = checks.order(rows, blurred(truly, 3.0), truly, RIVAL, BOUNDS)
        assert check.failed
        assert check.text.startswith("Worse than the champion (version 7) beyond noise on 4,000 labelled returns")
        assert "average precision 0." in check.text
        assert check.figures["average_precision_less_champion_high"] < 0

    def test_the_better_the_equal_and_the_same_are_not(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        for ours, theirs in (
            (truly, blurred(truly, 3.0)),
            (blurred(truly, 0.5, seed=1), blurred(truly, 0.5, seed=2)),  # one of the two is a little lower
            (blurred(truly, 0.5, seed=2), blurred(truly, 0.5, seed=1)),
            (truly, truly),
        ):
            assert checks.order(rows, ours, theirs, RIVAL, BOUNDS).state == "held"

    def test_too_few_findings_are_said(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        few = rows.take(slice(0, 100))
        check = checks.order(few, blurred(truly, 3.0)[:100], truly[:100], RIVAL, BOUNDS)
        assert check.state == "not judged"
        assert "nobody knows which of them is better" in check.text
        assert f"abuse was found in {few.positives}" in check.text

    def test_the_capacity_is_that_of_the_bounds(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        bounds = BOUNDS.model_copy(update={"capacity": 0.05})
        assert "precision at 5%" in checks.order(rows, truly, truly, RIVAL, bounds).text


class TestCalibration:
    def test_true_risks_hold_and_doubled_ones_do_not(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        good, bad = (checks.calibration(rows, risk, BOUNDS) for risk in (truly, np.minimum(2 * truly, 0.999)))
        assert good.state == "held"
        assert bad.failed
        assert bad.text.startswith("Badly calibrated beyond noise: calibration error 0.")
        assert bad.figures["error"] > max(bad.figures["bound"], bad.figures["by_chance"])

    def test_what_chance_explains_is_not_held_against_it(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        strict = BOUNDS.model_copy(update={"calibration_error": 1e-4, "calibration_error_share": 0.0})
        check = checks.calibration(rows.take(slice(0, 500)), truly[:500], strict)
        assert check.figures["error"] > check.figures["bound"]
        assert check.state == "held"

    def test_without_labels_it_is_not_judged(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        clean = rows.y == 0
        check = checks.calibration(rows.take(clean), truly[clean], BOUNDS)
        assert check.state == "not judged"
        assert "abuse was found in 0 and" in check.text


class TestFairness:
    def test_a_breach_is_told_with_its_group(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        believed = 1 / (1 + np.exp(3.2 - 1.3 * rows.X[:, SIGNAL] - 0.8 * rows.X[:, LEAN]))
        unfair = checks.fairness(assess_fairness(rows, AUDITED, model_on(AUDITED, rows.X, believed)))
        assert unfair.failed
        assert any(sentence.startswith("Country of the order, group US:") for sentence in unfair.sentences)
        assert unfair.figures["breaches"] == len(unfair.sentences)
        fair = checks.fairness(assess_fairness(rows, AUDITED, model_on(AUDITED, rows.X, truly)))
        assert fair.state == "held"
        assert fair.figures["groups_judged"] > 5

    def test_too_few_checked_returns_are_said(self, returns: tuple[Rows, np.ndarray]) -> None:
        rows, truly = returns
        report = assess_fairness(rows.take(slice(0, 60)), AUDITED, model_on(AUDITED, rows.X, truly))
        assert checks.fairness(report).state == "not judged"


class TestReasons:
    def test_untrue_ones_are_refused_and_few_are_not_judged(self) -> None:
        """What is usual here is what is risky: put to its typical value, the risk stays where it is."""
        rows = made_up_returns(2000)
        usual = rows.X[:, 2] == 0
        model = model_on(FEATURES, rows.X, np.where(usual, 0.4, 0.02))
        report = explain_check(model, rows, FEATURES)
        check = checks.reasons(report, BOUNDS)
        assert check.failed
        assert check.text.startswith("Without what the first reason names the risk falls in only")
        many = BOUNDS.model_copy(update={"min_flagged": 10_000})
        assert checks.reasons(report, many).state == "not judged"

    def test_true_ones_hold(self) -> None:
        rows = made_up_returns(2000)
        target = 1 / (1 + np.exp(4.2 - 4 * rows.X[:, 1] - 1.2 * rows.X[:, 2]))
        check = checks.reasons(explain_check(model_on(FEATURES, rows.X, target), rows, FEATURES), BOUNDS)
        assert check.state == "held", check.text
        assert 0.95 <= check.figures["removal_first"] <= 1


class TestSpeed:
    def test_against_the_budget(self) -> None:
        rows = made_up_returns(500)
        model = model_on(FEATURES, rows.X, rows.y, trees=5)
        generous, mean = (BOUNDS.model_copy(update={"one_return_ms": budget}) for budget in (1000.0, 1e-6))
        assert checks.speed(model, rows.X, FEATURES, generous).state == "held"
        check = checks.speed(model, rows.X[:0], FEATURES, mean)
        assert check.failed
        assert check.text.startswith("One return takes 0.")
        assert 0 < check.figures["ms"] < 1000

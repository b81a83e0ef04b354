"""Scores become probabilities that hold, and keep their order."""

from __future__ import annotations

import numpy as np
import pytest

from features.risk_model import Calibration, Calibrator, probabilities
from training.calibration import at_level, calibrate, isotonic, sigmoid
from training.evaluation.metrics import calibration_error


def scores(n: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw scores, the odds they really mean (twice as steep, 2 lower), and outcomes."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(-0.5, 1.0, n)
    truth = probabilities(2 * raw - 2)
    return raw, truth, (rng.random(n) < truth).astype(float)


@pytest.mark.parametrize("method", [sigmoid, isotonic])
def test_finds_the_true_probabilities(method) -> None:
    raw, truth, y = scores(60_000)
    calibration = method(raw, y, np.ones(len(y)))
    risk = probabilities(Calibrator(calibration).log_odds(raw))
    assert calibration.method == method.__name__
    assert np.abs(risk - truth).mean() < 0.006
    assert calibration_error(y, risk, np.ones(len(y))) < 0.004


def test_isotonic_follows_what_a_sigmoid_cannot() -> None:
    rng = np.random.default_rng(1)
    raw = rng.uniform(-3, 3, 60_000)
    truth = np.where(raw < 0, 0.02, np.where(raw < 2, 0.10, 0.60))
    y = (rng.random(len(raw)) < truth).astype(float)
    w = np.ones(len(y))

    def error(method) -> float:
        return float(np.abs(probabilities(Calibrator(method(raw, y, w)).log_odds(raw)) - truth).mean())

    assert error(isotonic) < 0.5 * error(sigmoid)


def test_few_positives_get_two_numbers_and_many_get_more() -> None:
    raw, _, y = scores(2000)
    even = np.ones(len(y))
    assert calibrate(raw, y, even, even).method == "sigmoid"
    raw, _, y = scores(20_000)
    even = np.ones(len(y))
    assert calibrate(raw, y, even, even).method == "isotonic"
    heavy = np.where(np.arange(len(y)) % 1000 == 0, 1000.0, 1.0)  # few rows carry all the weight
    assert calibrate(raw, y, heavy, even) == sigmoid(raw, y, even)


def test_the_slope_of_few_positives_is_drawn_to_one() -> None:
    """It is two in truth: many positives find it, a dozen hardly do."""

    def slope(n: int) -> float:
        raw, _, y = scores(n)
        knots = sigmoid(raw, y, np.ones(n))
        return (knots.log_odds[1] - knots.log_odds[0]) / (knots.raw[1] - knots.raw[0])

    assert slope(50_000) == pytest.approx(2.0, abs=0.1)
    assert 0.8 < slope(100) < 1.6


def test_uneven_weights_count_as_the_few_returns_that_they_are_worth() -> None:
    raw, _, y = scores(20_000)
    few = sigmoid(raw, y, np.where(np.arange(len(y)) % 400 == 0, 1e6, 1.0))
    alone = sigmoid(raw[::400], y[::400], np.ones(50))

    def slope(of: Calibration) -> float:
        return (of.log_odds[1] - of.log_odds[0]) / (of.raw[1] - of.raw[0])

    assert slope(few) == pytest.approx(slope(alone), rel=0.1)


def test_weights_move_the_level() -> None:
    raw, _, y = scores(20_000)
    low = sigmoid(raw, y, np.where(y == 1, 0.25, 1.0))
    plain = sigmoid(raw, y, np.ones(len(y)))
    moved = Calibrator(plain).log_odds(raw) - Calibrator(low).log_odds(raw)
    assert moved.mean() == pytest.approx(np.log(4), abs=0.05)


@pytest.mark.parametrize("method", [sigmoid, isotonic])
def test_scores_that_say_nothing_or_the_opposite_give_the_base_rate(method) -> None:
    rng = np.random.default_rng(2)
    y = (rng.random(5000) < 0.05).astype(float)
    for raw in (-y + rng.normal(0, 0.1, 5000), np.zeros(5000)):
        risk = probabilities(Calibrator(method(raw, y, np.ones(5000))).log_odds(raw))
        assert risk == pytest.approx(np.full(5000, y.mean()), rel=0.1)


def test_two_positives_do_not_make_it_certain() -> None:
    raw = np.linspace(-3, 3, 200)
    y = np.zeros(200)
    y[-2:] = 1
    risk = probabilities(Calibrator(sigmoid(raw, y, np.ones(200))).log_odds(raw))
    assert 0.001 < risk.max() < 0.95


@pytest.mark.parametrize("method", [sigmoid, isotonic])
def test_the_level_moves_and_the_shape_stays(method) -> None:
    raw, _, y = scores(5000)
    weight = np.where(np.arange(5000) % 3 == 0, 4.0, 1.0)
    before = method(raw, y, weight)
    after = at_level(before, raw, weight, 0.02)
    risk = probabilities(Calibrator(after).log_odds(raw))
    assert np.average(risk, weights=weight) == pytest.approx(0.02, rel=1e-9)
    assert np.diff(after.log_odds) == pytest.approx(np.diff(before.log_odds))

"""Estimates without labels: exact on small cases, and close to the truth where risks are calibrated."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from training.drift.performance import estimate, expected
from training.evaluation.metrics import at_capacity, evaluate


def calibrated(seed: int, n: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Risks, and labels drawn at their odds."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(0.6, 12, n)
    return risk, (rng.random(n) < risk).astype(float)


def test_expectations_are_exact_over_all_labels() -> None:
    """Sums over all labels of five returns, two of them of equal risk, weighted by their odds."""
    risk = np.array([0.9, 0.5, 0.5, 0.2, 0.05])
    odds, precision, found, pairs, right = [], [], [], [], []
    for labels in product((0.0, 1.0), repeat=5):
        y = np.array(labels)
        odds.append(np.prod(np.where(y == 1, risk, 1 - risk)))
        groups = [(1, y[:1]), (3, y[1:3]), (4, y[3:4]), (5, y[4:])]
        precision.append(sum(part.sum() * y[:size].sum() / size for size, part in groups))
        found.append(y.sum())
        pairs.append(y.sum() * (5 - y.sum()))
        right.append(
            sum(
                y[i] * (1 - y[j]) * (1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0)
                for i in range(5)
                for j in range(5)
            )
        )
    w = np.array(odds)
    figures = expected(risk)
    assert w.sum() == pytest.approx(1)
    assert figures["base_rate"] == pytest.approx(w @ found / 5)
    assert figures["average_precision"] == pytest.approx((w @ precision) / (w @ found))
    assert figures["auc"] == pytest.approx((w @ right) / (w @ pairs))


def test_where_labels_are_certain_it_is_the_usual_figure() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(300) < 0.2).astype(float)
    figures, usual = expected(y), evaluate(y, y, np.ones(300))
    for name in ("average_precision", "auc", "base_rate", "precision_at_5", "recall_at_5"):
        assert figures[name] == pytest.approx(usual[name])


def test_on_calibrated_risks_it_is_close_to_the_truth() -> None:
    risk, _ = calibrated(0, 1_500)
    rng = np.random.default_rng(5)
    seen = [evaluate((rng.random(len(risk)) < risk).astype(float), risk, np.ones(len(risk))) for _ in range(40)]
    for name, value in expected(risk).items():
        truth = np.array([figures[name] for figures in seen])
        assert value == pytest.approx(truth.mean(), abs=4 * truth.std() / np.sqrt(40) + 1e-3), name


def test_intervals_hold_nine_of_ten_samples() -> None:
    inside: dict[str, list[bool]] = {}
    for seed in range(15):
        risk, y = calibrated(seed, 800)
        truth = evaluate(y, risk, np.ones(len(y)))
        for each in estimate(risk):
            inside.setdefault(each.name, []).append(bool(each.low <= truth[each.name] <= each.high))
    held = {name: np.mean(each) for name, each in inside.items()}
    assert 0.84 < np.mean(list(held.values())) <= 1.0
    assert min(held.values()) > 0.6


def test_a_shift_of_the_mixture_is_followed() -> None:
    """More risky returns, each as risky as before: precision rises with them, before any label is known."""
    risk, _ = calibrated(3)
    shifted = np.concatenate([risk, np.repeat(risk[risk > 0.2], 4)])
    y = (np.random.default_rng(9).random(len(shifted)) < shifted).astype(float)
    assert expected(shifted)["base_rate"] > 1.3 * expected(risk)["base_rate"]
    assert expected(shifted)["precision_at_2"] == pytest.approx(
        at_capacity(y, shifted, np.ones(len(y)), 0.02)[0], abs=0.1
    )


def test_overconfident_risks_are_not_noticed() -> None:
    """The assumption, shown from its other side: if the returns no longer mean what they did, the estimate stays."""
    risk, _ = calibrated(4)
    y = (np.random.default_rng(9).random(len(risk)) < risk / 3).astype(float)
    truth = at_capacity(y, risk, np.ones(len(y)), 0.02)[0]
    assert expected(risk)["precision_at_2"] > 2 * truth


def test_the_same_risks_give_the_same_intervals() -> None:
    risk, _ = calibrated(6, 500)
    shuffled = np.random.default_rng(1).permutation(risk)
    assert estimate(risk) == estimate(shuffled)


def test_one_risk_for_all_says_nothing_of_order() -> None:
    figures = expected(np.full(500, 0.02))
    assert figures["auc"] == pytest.approx(0.5)
    assert figures["precision_at_2"] == pytest.approx(0.02)
    none = expected(np.zeros(10))
    assert np.isnan(none["average_precision"])
    assert np.isnan(none["auc"])
    before = estimate(np.full(500, 0.02), {"auc": 0.9})
    assert {e.name: e.before for e in before}["auc"] == 0.9
    assert {e.name: e.before for e in before}["base_rate"] is None

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from features.risk_model import Bands
from pipelines.compare.figures import agreement, difference
from training.evaluation.metrics import Ranked, at_capacity, calibration_error


def labelled(n: int = 800, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, risks that know something of them (with ties), and weights."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.15).astype(float)
    risk = np.round(1 / (1 + np.exp(2.5 - 1.2 * y - rng.normal(0, 1, n))), 2)
    return y, risk, rng.uniform(1, 20, n)


def figures(y: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Those of one version."""
    same = Ranked(y, risk, weight)
    return {name: d.champion for name, d in difference(same, same, np.arange(len(y)), draws=2).items()}


class TestFigures:
    def test_they_are_those_of_the_evaluation(self) -> None:
        y, risk, weight = labelled()
        got = figures(y, risk, weight)
        assert got["average_precision"] == pytest.approx(sk.average_precision_score(y, risk, sample_weight=weight))
        assert got["auc"] == pytest.approx(sk.roc_auc_score(y, risk, sample_weight=weight))
        for name, capacity in (("1", 0.01), ("2", 0.02), ("5", 0.05)):
            assert got[f"precision_at_{name}"] == pytest.approx(at_capacity(y, risk, weight, capacity)[0])
        assert got["calibration_error"] == pytest.approx(calibration_error(y, risk, weight))


class TestDifference:
    def make(self, better: float, *, copies: int = 1, n: int = 600) -> dict[str, object]:
        """Differences to a version with so much less noise; each customer with so many equal returns."""
        rng = np.random.default_rng(4)
        y = (rng.random(n) < 0.2).astype(float)
        noise = rng.normal(0, 1, (2, n))
        risks = [1 / (1 + np.exp(2 - y * signal - noise[i])) for i, signal in enumerate((1.0, 1.0 + better))]
        y, (a, b) = np.repeat(y, copies), (np.repeat(risk, copies) for risk in risks)
        customers = np.array([f"c{i // copies}" for i in range(n * copies)], dtype=object)
        return dict(difference(Ranked(y, a, np.ones(len(y))), Ranked(y, b, np.ones(len(y))), customers, draws=200))

    def test_a_better_version_is_told_from_chance(self) -> None:
        found = self.make(1.5)["average_precision"]
        assert found.low > 0
        assert found.low < found.value < found.high
        assert found.value == pytest.approx(found.challenger - found.champion)

    def test_an_equal_one_is_not(self) -> None:
        found = self.make(0.0)["average_precision"]
        assert found.low < 0 < found.high

    def test_more_returns_of_the_same_customers_say_no_more(self) -> None:
        once, often = self.make(0.3)["auc"], self.make(0.3, copies=5)["auc"]
        assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.05)

    def test_a_version_differs_from_itself_by_nothing(self) -> None:
        y, risk, weight = labelled(300)
        customers = np.array([f"c{i % 40}" for i in range(300)], dtype=object)
        same = difference(Ranked(y, risk, weight), Ranked(y, risk, weight), customers, draws=20)
        assert all((d.value, d.low, d.high) == (0, 0, 0) for d in same.values())

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        assert self.make(0.5) == self.make(0.5)

    def test_a_single_finding_has_no_interval_to_speak_of(self) -> None:
        y, risk = np.array([1.0, 0.0]), np.array([0.6, 0.5])
        pair = Ranked(y, risk, np.ones(2)), Ranked(y, risk[::-1], np.ones(2))
        found = difference(*pair, np.array(["a", "b"], dtype=object), draws=50)
        assert found["auc"].value == -1
        assert np.isnan(found["auc"].low)  # most draws lack the one or the other


class TestAgreement:
    BANDS = Bands(elevated=0.2, high=0.5), Bands(elevated=0.1, high=0.4)

    def test_known_answers(self) -> None:
        champion = np.linspace(0.01, 0.99, 100)
        challenger = champion.copy()
        challenger[[97, 99]] = challenger[[99, 97]]  # one of the riskiest two is another
        found = agreement(champion, challenger, (self.BANDS[0], self.BANDS[0]))
        assert found.top_in_common == 0.5
        assert 0.99 < found.rank_correlation < 1
        assert found.flips == 0
        assert found.bands.sum() == 100

    def test_each_version_has_its_own_bands(self) -> None:
        risk = np.array([0.05, 0.15, 0.3, 0.45, 0.9])
        found = agreement(risk, risk, self.BANDS)
        assert found.bands.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 1]]
        assert (found.flips, found.rank_correlation) == (2, pytest.approx(1.0))

    def test_the_opposite_and_nothing_to_tell(self) -> None:
        risk = np.array([0.1, 0.2, 0.3])
        assert agreement(risk, risk[::-1], self.BANDS).rank_correlation == pytest.approx(-1.0)
        assert np.isnan(agreement(risk, np.full(3, 0.1), self.BANDS).rank_correlation)

from __future__ import annotations

import numpy as np

from pipelines.simulate.chance import around_one, earlier_within, happens, pick, pick_by, table


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


class TestPick:
    def test_follows_the_weights(self) -> None:
        drawn = np.bincount(pick(rng(), (1.0, 0.0, 3.0), 20_000), minlength=3) / 20_000
        assert np.allclose(drawn, (0.25, 0.0, 0.75), atol=0.02)

    def test_by_row(self) -> None:
        rows = np.array([0, 1] * 5_000)
        drawn = pick_by(rng(), [(1.0, 1.0), (0.0, 1.0)], rows)
        assert abs(drawn[rows == 0].mean() - 0.5) < 0.03
        assert (drawn[rows == 1] == 1).all()

    def test_of_nothing(self) -> None:
        assert len(pick(rng(), (1.0,), 0)) == 0
        assert len(pick_by(rng(), [(1.0,)], np.zeros(0, dtype=np.int64))) == 0


def test_happens_takes_one_or_many_odds() -> None:
    assert happens(rng(), 1.0, 5).all()
    assert happens(rng(), np.array([0.0, 1.0]), 2).tolist() == [False, True]


def test_around_one_is() -> None:
    assert abs(around_one(rng(), 0.6, 50_000).mean() - 1) < 0.02


def test_table_fills_the_rest() -> None:
    assert table(3, [(1, (5.0, 6.0))], (1.0, 2.0)).tolist() == [[1.0, 2.0], [5.0, 6.0], [1.0, 2.0]]


class TestEarlierWithin:
    def test_against_counting_one_by_one(self) -> None:
        draw = rng()
        groups, moments = draw.integers(0, 5, 60), draw.integers(0, 50, 60)
        of_groups, at = draw.integers(0, 6, 40), draw.integers(-5, 60, 40)
        expected = [
            sum(g == group and t - 10 <= m < t for g, m in zip(groups, moments, strict=True))
            for group, t in zip(of_groups, at, strict=True)
        ]
        assert earlier_within(groups, moments, of_groups, at, 10).tolist() == expected
        assert max(expected) > 2

    def test_of_nothing(self) -> None:
        empty = np.zeros(0, dtype=np.int64)
        assert earlier_within(empty, empty, np.array([1]), np.array([5]), 3).tolist() == [0]

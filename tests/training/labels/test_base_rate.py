"""The base rate of all returns, from checks of several kinds."""

from __future__ import annotations

import numpy as np
import pytest

from training.labels import base_rate


def shop(seed: int, n: int = 200_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Odds of abuse of n returns (3% on average, uneven), outcomes, and a score that goes along with them."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    risk = 1 / (1 + np.exp(4.2 - 1.2 * score))
    return risk, (rng.random(n) < risk).astype(float), score


def checked(seed: int, y: np.ndarray, odds: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    picked, p, kinds = [], [], []
    for kind, chance in odds.items():
        rows = np.flatnonzero(rng.random(len(y)) < chance)
        picked.append(y[rows])
        p.append(chance[rows])
        kinds.append(np.full(len(rows), kind, dtype=object))
    return np.concatenate(picked), np.concatenate(p), np.concatenate(kinds)


def test_kinds_of_checks_that_reach_all_are_put_together() -> None:
    _, y, score = shop(1)
    odds = {"random": np.full(len(y), 0.02), "risk": np.clip(0.05 * np.exp(score), 0.005, 0.9)}
    labels = checked(2, y, odds)
    assert labels[0].mean() > 1.5 * y.mean()  # what was checked is no fair sample
    assert base_rate(*labels, len(y), clip=200) == pytest.approx(y.mean(), rel=0.05)


def test_checks_that_only_ever_fall_on_some_do_not_raise_it() -> None:
    _, y, score = shop(3)
    sure = (score > 2.0).astype(float)  # every return above a score, no other
    labels = checked(4, y, {"random": np.full(len(y), 0.02), "risk": sure})
    assert base_rate(*labels, len(y), clip=200) == pytest.approx(y.mean(), rel=0.1)
    together = np.average(labels[0], weights=1 / labels[1])
    assert together > 1.15 * y.mean()


def test_odds_that_were_not_written_down() -> None:
    _, y, _ = shop(5)
    found, odds, kind = checked(6, y, {"random": np.full(len(y), 0.1)})
    some = np.where(np.arange(len(odds)) % 4 == 0, np.nan, odds)
    assert base_rate(found, some, kind, len(y), clip=200) == pytest.approx(y.mean(), rel=0.1)
    none = np.full(len(odds), np.nan)
    assert base_rate(found, none, kind, len(y), clip=200) == found.mean()


def test_nothing_found_is_nothing_found_in_all_checks_together() -> None:
    odds = np.full(100, 0.5)
    assert base_rate(np.zeros(100), odds, np.full(100, "random", dtype=object), 200, clip=100) == 0.0


def test_what_is_older_counts_less() -> None:
    y, odds, kind = np.repeat([0.0, 1.0], 500), np.full(1000, 0.5), np.full(1000, "random", dtype=object)
    assert base_rate(y, odds, kind, 2000, clip=100, age=np.where(y > 0, 0.0, 365.0)) == pytest.approx(2 / 3)
    assert base_rate(y, odds, kind, 2000, clip=100, age=np.full(1000, 3650.0)) == pytest.approx(1 / 2)
    never = np.full(1000, np.nan)
    assert base_rate(y, never, kind, 2000, clip=100, age=np.where(y > 0, 365.0, 0.0)) == pytest.approx(1 / 3)

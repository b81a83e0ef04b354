"""How good the model is without any labels: confidence-based performance estimation (CBPE).

If a risk of 0.3 means that three of ten such returns turn out abusive, then the risks alone say how many true and false
alarms any threshold makes, and with them every figure of merit. The method is that of NannyML's documentation ("How it
works: Performance estimation"); here each figure is the expectation over the labels, exact where it is a ratio with a
fixed denominator.

It rests on one assumption, that the risks are calibrated for the returns at hand. It holds while only the mixture of
returns changes. It fails when the same return means something else than before, a new kind of abuse above all: then the
estimates stay as good as ever. Only looking at returns tells (`training.drift.random_checks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from training.evaluation.metrics import CAPACITIES

Floats = npt.NDArray[np.float64]

#: Draws of rows and labels behind an interval.
DRAWS: Final = 200
SEED: Final = 20261
#: An interval holds the middle nine tenths of the draws.
INTERVAL: Final = (5.0, 95.0)


@dataclass(frozen=True)
class Estimate:
    """An estimated figure, the interval in which nine of ten samples like this one would show it, and what was
    estimated in the same way when the model was trained (None: not known)."""

    name: str
    value: float
    low: float
    high: float
    before: float | None


def expected(risk: Floats) -> dict[str, float]:
    """Figures of merit to expect of calibrated risks (n,), by the names of `training.evaluation.metrics`.

    NaN where a figure has no meaning (all risks equal to 0 or 1).
    """
    groups = _Groups.of(risk)
    mass, found = groups.sums(np.ones(len(risk))), groups.sums(groups.risk)
    # the labels of returns of equal risk are drawn together: their number squared is more than its mean squared
    spread = groups.sums(groups.risk * (1.0 - groups.risk))
    return _figures(mass, found, spread)


def estimate(risk: Floats, before: Mapping[str, float] | None = None) -> tuple[Estimate, ...]:
    """Expected figures with intervals. Each draw takes the returns (n,) anew, with repetition, and gives each a label
    at the odds that its risk says. The same risks give the same intervals."""
    groups = _Groups.of(risk)
    rng = np.random.default_rng(SEED)
    draws: list[dict[str, float]] = []
    for _ in range(DRAWS):
        drawn = groups.draw(rng)
        found = drawn.sums(rng.random(len(risk)) < drawn.risk)
        draws.append(_figures(drawn.sums(np.ones(len(risk))), found, np.zeros(drawn.number)))
    out = []
    for name, value in expected(risk).items():
        seen = np.array([draw[name] for draw in draws])
        seen = seen[np.isfinite(seen)]
        low, high = np.percentile(seen, INTERVAL).tolist() if len(seen) else (np.nan, np.nan)
        out.append(Estimate(name, value, low, high, None if before is None else before.get(name)))
    return tuple(out)


@dataclass(frozen=True)
class _Groups:
    """Returns in order of risk, highest first; those of equal risk make up a group."""

    risk: Floats
    group: npt.NDArray[np.int64]
    number: int

    @classmethod
    def of(cls, risk: Floats) -> _Groups:
        ordered = -np.sort(-np.clip(risk, 0.0, 1.0))
        group = np.concatenate([[0], np.cumsum(np.diff(ordered) != 0)]).astype(np.int64)
        return cls(ordered, group, int(group[-1]) + 1)

    def draw(self, rng: np.random.Generator) -> _Groups:
        """As many returns, drawn with repetition. Copies of one that shared its risk with no other are no group: the
        order of a real sample would not leave them tied."""
        picked = np.sort(rng.integers(0, len(self.risk), len(self.risk)))
        group = self.group[picked]
        starts = np.ones(len(picked), dtype=np.bool_)
        starts[1:] = (np.diff(group) != 0) | (np.bincount(self.group)[group[1:]] == 1)
        numbered = np.cumsum(starts) - 1
        return _Groups(self.risk[picked], numbered, int(numbered[-1]) + 1)

    def sums(self, values: npt.NDArray[np.generic]) -> Floats:
        return np.bincount(self.group, np.asarray(values, dtype=np.float64), self.number).astype(np.float64)


def _figures(mass: Floats, found: Floats, spread: Floats) -> dict[str, float]:
    """Figures from groups of returns of falling risk: how many there are, how many of them are positive, and the
    variance of that number (0 where it is known). All (g,)."""
    total, positives = float(mass.sum()), float(found.sum())
    seen, hits = np.cumsum(mass), np.cumsum(found)
    out = {"base_rate": positives / total}
    with np.errstate(invalid="ignore", divide="ignore"):
        precision_sum = np.where(seen > 0, (found * hits + spread) / seen, 0.0).sum()
        out["average_precision"] = float(precision_sum / positives) if positives else float("nan")
        negative = mass - found
        # expected numbers of pairs in the right order; a return makes no pair with itself
        right = float((found * (negative.sum() - np.cumsum(negative)) + 0.5 * (found * negative - spread)).sum())
        pairs = positives * float(negative.sum()) - float(spread.sum())
        out["auc"] = right / pairs if pairs > 0 else float("nan")
    for capacity in CAPACITIES:
        taken = np.clip((capacity * total - (seen - mass)) / np.where(mass > 0, mass, 1.0), 0.0, 1.0)
        caught = float((taken * found).sum())
        name = f"{capacity:.0%}".rstrip("%")
        out[f"precision_at_{name}"] = caught / (capacity * total)
        out[f"recall_at_{name}"] = caught / positives if positives else float("nan")
    return out

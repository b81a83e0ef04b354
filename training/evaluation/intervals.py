"""How far a figure could be off: resamples of whole customers.

Returns of one customer resemble each other, so customers are drawn with replacement, not returns (the cluster
bootstrap; Davison and Hinkley, 1997, Bootstrap Methods and their Application, section 3.8). The interval of a figure
runs from the 2.5th to the 97.5th percentile over the resamples. Two models are compared within each resample, on the
same customers: the difference of two figures is far less noisy than the figures themselves.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.evaluation.costs import Costs
from training.evaluation.metrics import Ranked

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RESAMPLES: Final = 200
SEED: Final = 20262
_PERCENTILES: Final = (2.5, 97.5)
#: A share of resamples in which a figure must be defined (a small group may lose all its positives).
_DEFINED: Final = 0.8
#: Figures that chance can only raise: a resample is noisier than the sample, so its mean lies above the estimate.
_NEVER_NEGATIVE: Final = frozenset({"calibration_error"})


@dataclass(frozen=True)
class Interval:
    """An estimate, and the range in which 95 of 100 resamples of the customers lie; NaN where there is none."""

    estimate: float
    low: float = float("nan")
    high: float = float("nan")

    @property
    def known(self) -> bool:
        """Whether there is a range."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


@dataclass(frozen=True)
class Resampled:
    """The figures of one model on one stretch, and the same figures in each resample: (resamples,) by name."""

    estimate: Mapping[str, float]
    draws: Mapping[str, Floats]

    def interval(self, figure: str) -> Interval:
        """A figure with its range.

        The range of a figure that chance can only raise is moved down by what resampling adds to it.
        """
        estimate, draws = self.estimate[figure], self.draws[figure]
        if figure in _NEVER_NEGATIVE and np.isfinite(draws).any():
            return percentiles(estimate, np.maximum(draws - (np.nanmean(draws) - estimate), 0.0))
        return percentiles(estimate, draws)

    def minus(self, other: Resampled, figure: str) -> Interval:
        """This model's figure less the other's, resample by resample. Both must come from the same call."""
        return percentiles(self.estimate[figure] - other.estimate[figure], self.draws[figure] - other.draws[figure])


def percentiles(estimate: float, draws: Floats) -> Interval:
    """The interval of a figure from its resamples (b,); without range if too few of them define it."""
    known = draws[np.isfinite(draws)]
    if not np.isfinite(estimate) or len(known) < max(_DEFINED * len(draws), 2):
        return Interval(estimate)
    low, high = np.percentile(known, _PERCENTILES).tolist()
    return Interval(estimate, low, high)


def codes(customer: npt.ArrayLike) -> Ints:
    """Customers as numbers from 0, in order of their first return; unknown ones each a customer of its own. (n,)."""
    found, names = pd.factorize(pd.Series(np.asarray(customer, dtype=object)))
    unknown = found < 0
    out = found.astype(np.int64)
    out[unknown] = len(names) + np.arange(int(unknown.sum()))
    return out


def resamples(customer: Ints, times: int = RESAMPLES, seed: int = SEED) -> Iterator[Floats]:
    """How often each return counts when customers (n,) (`codes`) are drawn with replacement: `times` times (n,)."""
    rng = np.random.default_rng(seed)
    count = int(customer.max()) + 1 if len(customer) else 0
    for _ in range(times):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count) if count else np.zeros(0)
        yield drawn.astype(np.float64)[customer]


def resample(
    rankings: Mapping[str, Ranked], customer: npt.ArrayLike, times: int = RESAMPLES, seed: int = SEED
) -> dict[str, Resampled]:
    """Figures of several rankings of the same returns, each resample the same for all. customer (n,) ids."""
    drawn: dict[str, list[dict[str, float]]] = {name: [] for name in rankings}
    for counts in resamples(codes(customer), times, seed):
        for name, ranked in rankings.items():
            drawn[name].append(ranked.figures(counts))
    return {
        name: Resampled(
            (estimate := ranked.figures()),
            {figure: np.array([draw[figure] for draw in drawn[name]]) for figure in estimate},
        )
        for name, ranked in rankings.items()
    }


def difference(
    y: Floats,
    risk_a: Floats,
    risk_b: Floats,
    weight: Floats,
    customer: npt.ArrayLike,
    metric: str,
    value: Floats | None = None,
    costs: Costs | None = None,
    *,
    times: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """A figure of model a less that of model b on the same returns, with its range.

    Args:
        y, risk_a, risk_b, weight: (n,) labels, probabilities of the two models, weights (ones for raw figures).
        customer: (n,) ids; customers are what is resampled.
        metric: name of a figure as `evaluate` gives it, without `_weighted`.
        value, costs: for `value_at_...` and `cost_saved...`.

    Raises:
        KeyError: if there is no figure of that name (those of value need `value`).
    """
    pair: dict[str, Any] = {
        name: Ranked(y, risk, weight, value, costs) for name, risk in (("a", risk_a), ("b", risk_b))
    }
    both = resample(pair, customer, times, seed)
    return both["a"].minus(both["b"], metric)


def resampled_share(hit: Floats, weight: Floats, customer: Ints) -> Interval:
    """A weighted share with its range: `hit` (n,) 0 to 1, weight (n,), customer (n,) as `codes` gives them."""
    if not weight.sum() > 0:
        return Interval(float("nan"))
    both = hit * weight
    with np.errstate(invalid="ignore"):  # a resample may leave nothing
        draws = np.array([float(counts @ both) / np.float64(counts @ weight) for counts in resamples(customer)])
    return percentiles(float(both.sum() / weight.sum()), draws)


@dataclass(frozen=True)
class Band:
    """Ranges of curves: of the share found in each calibration group, and of precision, recall and value found over the
    shares looked at, (s,) each."""

    groups: tuple[Interval, ...]
    low: tuple[Floats, ...]
    high: tuple[Floats, ...]


def band(ranked: Ranked, customer: Ints, shares: Floats) -> Band:
    """The ranges of a model's curves at `shares` (s,); customer (n,) as `codes` gives them."""
    groups, curves = [], []
    for counts in resamples(customer):
        groups.append(ranked.calibration(counts)[1])
        curves.append(np.stack(ranked.at(shares, counts)))
    drawn = np.array(groups)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a curve that is nowhere defined has no range
        low, high = np.nanpercentile(np.array(curves), _PERCENTILES, axis=0)
    found = ranked.calibration()[1]
    ranges = tuple(percentiles(float(share), drawn[:, i]) for i, share in enumerate(found))
    return Band(ranges, tuple(low), tuple(high))


def calibration_by_chance(ranked: Ranked, times: int = RESAMPLES, seed: int = SEED) -> float:
    """The calibration error that a model with exactly these, true, risks would stay below 95 times in 100.

    What is found is drawn anew from the risks themselves (as in Bröcker and Smith, 2007, Increasing the Reliability of
    Reliability Diagrams), with the weights as they are.
    """
    rng = np.random.default_rng(seed)
    groups = int(ranked.group.max()) + 1
    total = np.bincount(ranked.group, ranked.weight, groups)
    used = total > 0
    expected = np.bincount(ranked.group, ranked.weight * ranked.risk, groups)
    errors = []
    for _ in range(times):
        found = np.bincount(ranked.group, ranked.weight * (rng.random(len(ranked)) < ranked.risk), groups)
        errors.append(float(np.abs(found - expected)[used].sum() / total.sum()))
    return float(np.percentile(errors, 95))

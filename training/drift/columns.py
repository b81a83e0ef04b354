"""One column of values: its bins, what lies in them, and how far two columns are from each other.

Bins are divided at deciles and in the upper tail; equal deciles (counts that are mostly zero) make fewer of them.
Values outside what the reference saw have bins of their own, and so do missing ones, so that a feed that breaks off or
a new code counts like any other change.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr
from scipy.stats import gamma

from features.reference import LEVELS, Distribution

Floats = npt.NDArray[np.float64]

#: Levels of the quantiles at which bins are divided.
_DIVIDED: Final = tuple(level for level in LEVELS if level >= 0.1 and level < 1.0)
#: Added to each bin, so that an empty one does not make the index infinite (Jeffreys' prior).
_SMOOTHING: Final = 0.5
#: Pairs of samples behind the noise of an index.
_DRAWS: Final = 400
_SEED: Final = 20261


def describe(column: Floats, categories: int = 0) -> Distribution:
    """The distribution of a column (n,) of numbers, or of codes 0, 1, ... below `categories`, -1 or NaN missing."""
    known = _known(column, categories)
    missing = round(1.0 - len(known) / max(len(column), 1), 6)
    if categories:
        draft = Distribution(kind="code", shares=(0.0,) * (categories + 1), missing=missing)
    else:
        draft = _divided(known, missing)
    inside = counts(column, draft)[:-1]
    shares = inside / max(inside.sum(), 1.0)
    return draft.model_copy(update={"shares": tuple(np.round(shares, 6).tolist())})


def _divided(known: Floats, missing: float) -> Distribution:
    if not len(known):
        return Distribution(kind="number", shares=(0.0,) * 3, missing=missing)
    quantiles = np.quantile(known, LEVELS, method="inverted_cdf")
    low, high = float(known.min()), float(known.max())
    edges = np.unique(quantiles[np.isin(LEVELS, _DIVIDED)])
    edges = edges[edges < high]
    return Distribution(
        kind="number",
        shares=(0.0,) * (len(edges) + 3),
        missing=missing,
        low=low,
        high=high,
        edges=tuple(edges.tolist()),
        quantiles=tuple(quantiles.tolist()),
        spread=float(known.std()),
    )


def _known(column: Floats, categories: int) -> Floats:
    known = column[np.isfinite(column)]
    return known[known >= 0] if categories else known


def counts(column: Floats, distribution: Distribution) -> Floats:
    """How many values of a column (n,) lie in each bin; the last number is that of the missing ones. (bins + 1,)."""
    bins = len(distribution.shares)
    if distribution.kind == "code":
        known = _known(column, bins - 1)
        place = np.minimum(known, bins - 1).astype(np.int64)
    else:
        known = _known(column, 0)
        place = np.searchsorted(np.array(distribution.edges), known, side="left") + 1
        place = np.where(known < distribution.low, 0, np.where(known > distribution.high, bins - 1, place))
    found = np.bincount(place, minlength=bins)
    return np.append(found, len(column) - len(known)).astype(np.float64)


def expected_counts(distribution: Distribution, rows: int) -> Floats:
    """The counts of the reference's own `rows` values, in the form of `counts`. (bins + 1,)."""
    known = np.array(distribution.shares) * (1.0 - distribution.missing)
    return np.append(known, distribution.missing) * rows


def psi(before: Floats, now: Floats) -> float:
    """Population stability index of two lists of counts (bins,): the sum of (p - q) ln(p / q) over the bins.

    It is the symmetrised Kullback-Leibler divergence (Jeffreys); by an old convention of credit scoring 0.1 is a
    moderate and 0.25 a strong shift (Siddiqi, 2006, Credit Risk Scorecards). Half a value is added to each bin.

    >>> psi(np.array([50.0, 50.0]), np.array([500.0, 500.0]))
    0.0
    >>> round(psi(np.array([500.0, 500.0]), np.array([250.0, 750.0])), 2)
    0.27
    """
    return float(_psi(before, now))


def _psi(before: Floats, now: Floats) -> Floats:
    q, p = _smooth(before), _smooth(now)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1), dtype=np.float64)


def _smooth(count: Floats) -> Floats:
    smoothed = count + _SMOOTHING
    return np.asarray(smoothed / smoothed.sum(axis=-1, keepdims=True), dtype=np.float64)


def psi_noise(before: Floats, now: Floats, chance: float, *, ends: bool = False) -> float:
    """The index that two samples of one and the same distribution, of these sizes, exceed with probability `chance`.

    With full bins the index of such samples is (1/n + 1/m) times a chi-squared variable with one degree of freedom
    less than there are bins (Yurdakul and Naranjo, 2020, Statistical properties of the population stability index,
    J. Risk Model Validation 14). Bins of a few values make it larger. So its mean and variance are found by drawing
    both samples from the shares of both together, and a gamma distribution (of which a scaled chi-squared one is a
    case) is fitted to them. The same counts give the same number.

    `ends` says that the first bin and the last but one lie outside what the earlier sample saw: there it never has any,
    and the later one has as many as lie beyond the extremes of a sample, a share that is Beta(1, m) distributed.
    """
    outer = np.array([0, len(before) - 2]) if ends else np.zeros(0, dtype=int)
    both = before + now
    both[outer] = 0.0
    if (both > 0).sum() < 2 and not ends:
        return 0.0
    rng = np.random.default_rng(_SEED)
    m, n = round(before.sum()), round(now.sum())
    shares = both / both.sum()
    first = rng.multinomial(m, shares, _DRAWS)
    beyond = np.zeros((_DRAWS, len(before)))
    beyond[:, outer] = rng.beta(1.0, m, (_DRAWS, len(outer)))
    second = rng.multinomial(n, shares * (1.0 - beyond.sum(axis=1, keepdims=True)) + beyond)
    drawn = _psi(first.astype(np.float64), second.astype(np.float64))
    mean, variance = float(drawn.mean()), float(drawn.var())
    return float(gamma.isf(chance, mean**2 / variance, scale=variance / mean))


def distance(before: Floats, now: Floats) -> float:
    """Jensen-Shannon distance of two lists of counts, from 0 (alike) to 1 (nothing in common).

    >>> distance(np.array([10.0, 0.0]), np.array([0.0, 3.0]))
    1.0
    """
    q, p = before / before.sum(), now / now.sum()
    middle = (p + q) / 2.0
    divergence = float(rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2.0
    return float(np.sqrt(max(divergence, 0.0) / np.log(2.0)))


def move(distribution: Distribution, column: Floats) -> float | None:
    """How far the known values of a column (n,) have moved, in standard deviations of the reference: the Wasserstein-1
    distance between the quantile functions, or None for codes and where there is nothing to compare."""
    known = _known(column, 0)
    if distribution.kind != "number" or not len(known) or not distribution.quantiles:
        return None
    gap = np.abs(np.quantile(known, LEVELS, method="inverted_cdf") - np.array(distribution.quantiles))
    total = float(np.trapezoid(gap, LEVELS))
    if total == 0.0:
        return 0.0
    return total / distribution.spread if distribution.spread > 0 else None


def labels_of(distribution: Distribution, categories: tuple[str, ...] | None) -> tuple[str, ...]:
    """What to call each bin, and the missing values at the end; as many as `counts` gives."""
    if distribution.kind == "code":
        names = categories or ()
        return (*names, *(str(i) for i in range(len(names), len(distribution.shares) - 1)), "other", "missing")
    ends = [distribution.low, *distribution.edges, distribution.high]
    inner = [_range(a, b, first=i == 0) for i, (a, b) in enumerate(pairwise(ends))]
    return (f"below {_short(ends[0])}", *inner, f"above {_short(ends[-1])}", "missing")


def _range(low: float, high: float, *, first: bool) -> str:
    if first and low == high:
        return _short(low)
    return f"{_short(low)} to {_short(high)}" if first else f"over {_short(low)} to {_short(high)}"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"

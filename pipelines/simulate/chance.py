"""Draws that numpy does not have ready, each for whole columns at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def happens(rng: np.random.Generator, odds: npt.ArrayLike, n: int) -> Flags:
    """Whether each of n things happens. `odds` is one number or (n,)."""
    return np.asarray(rng.random(n) < np.asarray(odds))


def pick(rng: np.random.Generator, weights: npt.ArrayLike, n: int) -> Ints:
    """n positions drawn in proportion to `weights` (k,)."""
    ends = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(ends, rng.random(n) * ends[-1], side="right")
    return np.asarray(np.minimum(drawn, len(ends) - 1).astype(np.int64))


def pick_by(rng: np.random.Generator, weights: npt.ArrayLike, rows: npt.NDArray[np.integer]) -> Codes:
    """For each of n rows a position drawn in proportion to `weights[row]`; `weights` is (groups, k), k at most 127."""
    table = np.asarray(weights, dtype=np.float64)
    out = np.zeros(len(rows), dtype=np.int8)
    for group in range(len(table)):
        members = np.flatnonzero(rows == group)
        out[members] = pick(rng, table[group], len(members))
    return out


def around_one(rng: np.random.Generator, spread: float, n: int) -> Floats:
    """n factors with mean 1, lognormal with standard deviation `spread` of the logarithm."""
    return rng.lognormal(-0.5 * spread**2, spread, n)


def table(width: int, rows: Sequence[tuple[int, npt.ArrayLike]], default: npt.ArrayLike) -> Floats:
    """Weights (width, k): `default` in every row but those that are given by number."""
    out = np.tile(np.asarray(default, dtype=np.float64), (width, 1))
    for row, weights in rows:
        out[row] = weights
    return out


def earlier_within(groups: Ints, moments: Ints, of_groups: Ints, at: Ints, window: int) -> Ints:
    """How many of the facts (groups, moments), each (m,), of the same group lie in [at - window, at). (n,) -> (n,)."""
    if len(groups) == 0:
        return np.zeros(len(at), dtype=np.int64)
    base = min(int(moments.min()), int(at.min()) - window)
    span = max(int(moments.max()), int(at.max())) - base + 1
    keys = np.sort(groups * span + (moments - base))
    start = of_groups * span
    upper = np.searchsorted(keys, start + (at - base), side="left")
    lower = np.searchsorted(keys, start + (at - window - base), side="left")
    return (upper - lower).astype(np.int64)

"""Intervals of shares: a figure that rests on few cases must look like one."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

_Z: Final = 1.959963984540054  # 95%


class Share(NamedTuple):
    """A share of 1 with its interval (95%), and what it rests on: `part` of `whole`."""

    value: float
    low: float
    high: float
    part: float
    whole: float


def share(part: float, whole: float) -> Share | None:
    """A share with the interval of Wilson (1927), which holds for few cases and for shares near 0 and 1, too; None of
    nothing. With weights, `whole` is the effective number (Kish) and `part` the weighted share of it.

    >>> found = share(0, 10)
    >>> found is not None and (found.value, found.low, round(found.high, 3)) == (0.0, 0.0, 0.278)
    True
    """
    if whole <= 0:
        return None
    value = part / whole
    square = _Z * _Z / whole
    middle = (value + square / 2) / (1 + square)
    half = _Z * math.sqrt(value * (1 - value) / whole + square / (4 * whole)) / (1 + square)
    return Share(value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half)), part, whole)


def weighted_share(counted: list[tuple[bool, float, int]]) -> Share | None:
    """The share of all that each counted one stands for, by one over the odds with which it was drawn (Horvitz and
    Thompson, 1952; normalised by Hájek).

    Args:
        counted: (whether it counts, odds above 0, how many).
    """
    total = sum(count / odds for _, odds, count in counted)
    squares = sum(count / odds**2 for _, odds, count in counted)
    if not squares:
        return None
    effective = total * total / squares
    value = sum(count / odds for counts, odds, count in counted if counts) / total
    return share(value * effective, effective)


def quantile(counts: list[tuple[int, int]], at: float) -> int | None:
    """The least value that so great a part of all values does not exceed, of (value, how many); None of none.

    >>> quantile([(1, 5), (2, 4), (30, 1)], 0.5), quantile([(1, 5), (2, 4), (30, 1)], 0.95)
    (1, 30)
    """
    total = sum(count for _, count in counts)
    seen = 0
    for value, count in sorted(counts):
        seen += count
        if seen >= at * total:
            return value
    return None

"""Checks a day as lines, in units of the picture (its viewBox). What they say stands in tables beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

WIDTH: Final = 720.0
HEIGHT: Final = 220.0
_LEFT: Final = 44.0
_TOP: Final = 12.0
_BASE: Final = HEIGHT - 24.0
_WEEK: Final = 7
_LABELS: Final = 6


class Mark(NamedTuple):
    """A line of the grid or a mark below the axis: where, and the number that it stands for."""

    at: float
    value: float


class Chart(NamedTuple):
    """Points of each line as SVG wants them, the height of the capacity, the grid, and marks with numbers of days."""

    lines: list[str]
    capacity: float
    grid: list[Mark]
    days: list[Mark]


def chart(daily: Sequence[Sequence[float]], capacity: float) -> Chart:
    """A line for each sequence of checks a day: their mean over the week that ends with it."""
    weekly = [_weekly(each) for each in daily]
    highest = _round(max((*(max(each, default=0.0) for each in weekly), capacity, 1.0)) * 1.05)
    length = max(max((len(each) for each in weekly), default=1) - 1, 1)

    def x(place: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - 6) * place / length, 1)

    def y(value: float) -> float:
        return round(_BASE - (_BASE - _TOP) * value / highest, 1)

    lines = [" ".join(f"{x(place)},{y(value)}" for place, value in enumerate(each)) for each in weekly]
    grid = [Mark(y(highest * part / 4), highest * part / 4) for part in range(5)]
    step = max(1, length // _LABELS)
    days = [Mark(x(place), place) for place in range(step // 2, length + 1, step)]
    return Chart(lines, y(capacity), grid, days)


def _weekly(daily: Sequence[float]) -> list[float]:
    means = []
    for place in range(len(daily)):
        week = daily[max(0, place - _WEEK + 1) : place + 1]
        means.append(sum(week) / len(week))
    return means


def _round(value: float) -> float:
    """The least round number that is not below and that four lines divide well.

    >>> [_round(value) for value in (0.5, 4, 11, 53, 121)]
    [4.0, 4.0, 12.0, 60.0, 160.0]
    """
    power = 1.0
    while True:
        for step in (4, 6, 8, 12, 16, 20, 24, 32):
            if step * power >= value and (step * power) % 4 == 0:
                return step * power
        power *= 10

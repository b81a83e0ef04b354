"""Where everything stands in the charts of the overview, in units of the picture (its viewBox). What it says stands in
tables beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

WIDTH: Final = 720.0
HEIGHT: Final = 200.0
LEFT: Final = 40.0
_TOP: Final = 10.0
_BOTTOM: Final = 24.0
_LABEL: Final = 22.0  # half of what a label takes
_STEPS: Final = (1, 2, 5)


class Block(NamedTuple):
    """A rectangle, of the series of that name."""

    series: str
    x: float
    y: float
    width: float
    height: float


class Line(NamedTuple):
    """A line of the grid, and the number that it stands for."""

    y: float
    value: int


class Label(NamedTuple):
    """A mark below the axis, at the column of that number."""

    x: float
    column: int


class Columns(NamedTuple):
    """A chart of columns, each of blocks on top of each other."""

    blocks: list[Block]
    grid: list[Line]
    labels: list[Label]
    base: float


def columns(stacks: Sequence[Sequence[tuple[str, int]]], *, labelled: Sequence[int]) -> Columns:
    """A column for each stack of (series, number); `labelled`: numbers of the columns with a label."""
    highest = _ceiling(max((sum(number for _, number in stack) for stack in stacks), default=0))
    base = HEIGHT - _BOTTOM
    slot = (WIDTH - LEFT) / max(1, len(stacks))
    width = max(1.0, min(28.0, slot * 0.75))
    scale = (base - _TOP) / highest
    blocks = []
    for place, stack in enumerate(stacks):
        y = base
        for series, number in stack:
            if number:
                y -= number * scale
                x = LEFT + place * slot + (slot - width) / 2
                blocks.append(Block(series, round(x, 2), round(y, 2), round(width, 2), round(number * scale, 2)))
    step = max(1, highest // 4)
    grid = [Line(round(base - value * scale, 2), value) for value in range(0, highest + 1, step)]
    labels = [Label(round(min(LEFT + (place + 0.5) * slot, WIDTH - _LABEL), 2), place) for place in labelled]
    return Columns(blocks, grid, labels, base)


def every(count: int, most: int) -> list[int]:
    """Numbers of at most so many columns, evenly apart, the last among them.

    >>> every(90, 4)
    [20, 43, 66, 89]
    """
    step = max(1, -(-count // most))
    return sorted(range(count - 1, -1, -step))[-most:]


def _ceiling(value: int) -> int:
    """The least round number that is not below, which four lines divide well.

    >>> [_ceiling(value) for value in (0, 3, 11, 90, 121)]
    [4, 4, 20, 100, 200]
    """
    if value <= 4:
        return 4
    power = 10
    while True:
        for step in _STEPS:
            if step * power >= value:
                return step * power
        power *= 10

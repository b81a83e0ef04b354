"""Moments and windows, in integer microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND

#: The windows that returns are looked back on: name -> length in days; `None` is the whole recorded history.
WINDOWS: Final[dict[str, int | None]] = {"7d": 7, "30d": 30, "90d": 90, "365d": 365, "lifetime": None}

#: Longer than any history: the lifetime window as a length.
FOREVER: Final = 2**60


def window_us(name: str) -> int:
    """Length in microseconds of a window named by its days (`FOREVER` for the lifetime).

    >>> window_us("30d") // DAY
    30
    """
    return FOREVER if name == "lifetime" else int(name.removesuffix("d")) * DAY


def day_of(moment: int) -> int:
    """Number of the UTC day of a moment, since 1970-01-01."""
    return moment // DAY

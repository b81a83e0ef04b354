"""Where everything stands in the pictures of a case: a timeline, and a customer beside similar shoppers.

Only geometry, in units of the picture (its viewBox in SVG, scaled in a PDF): what is said beside it comes with the
language, and whoever draws it says it in words, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from features.clock import DAY
from serving.cases.shoppers import Beside, Share
from serving.cases.timeline import Moment, Timeline, Window

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_STEPS: Final = (1, 2, 7, 14, 28)
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24)
_LONG: Final = 250 * DAY


class Dot(NamedTuple):
    """A moment at `x`, numbered as in the list, with its label on a lane above the axis (0 is nearest)."""

    number: int
    moment: Moment
    x: float
    label: str
    label_x: float  # of its left end
    lane: int


class Bar(NamedTuple):
    """A window from x to x + width; `open`: it ends beyond the picture."""

    window: Window
    x: float
    width: float
    open: bool


class Tick(NamedTuple):
    """A date below the axis; `with_year` where the picture is so long that it needs one."""

    x: float
    at: int
    with_year: bool


class TimelinePicture(NamedTuple):
    """A timeline that is `width` wide; lanes of labels above the axis, one row for each window below it."""

    width: float
    dots: tuple[Dot, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    lanes: int


def timeline_picture(
    timeline: Timeline,
    labels: Sequence[str],
    *,
    width: float = 720.0,
    margin: float = 14.0,
    gap: float = 10.0,
    measure: Callable[[str], float] = lambda text: 7.0 * len(text),
    most_ticks: int = 8,
) -> TimelinePicture:
    """Places the moments of a timeline.

    Args:
        labels: one for each moment.
        margin: left and right of the axis.
        gap: between two labels of one lane.
        measure: the width of a text.
    """
    start, end = timeline.start, max(timeline.until, timeline.start + DAY)
    shown_until = max([end, *(min(window.end, end + (end - start)) for window in timeline.windows)])
    span = shown_until - start

    def place(at: int) -> float:
        return margin + (width - 2 * margin) * (at - start) / span

    free: list[float] = []  # by lane: from where on it is free
    dots = []
    for number, (moment, label) in enumerate(zip(timeline.moments, labels, strict=True), 1):
        x, length = place(moment.at), measure(label)
        left = max(0.0, min(x - 8.0, width - length))
        lane = next((i for i, taken in enumerate(free) if taken <= left), len(free))
        free[lane : lane + 1] = [left + length + gap]
        dots.append(Dot(number, moment, x, label, left, lane))
    bars = tuple(
        Bar(
            window,
            place(window.start),
            place(min(window.end, shown_until)) - place(window.start),
            window.end > shown_until,
        )
        for window in timeline.windows
    )
    ticks = tuple(
        Tick(place(at), at, span > _LONG and (count == 0 or _is_new_year(at)))
        for count, at in enumerate(_dates(start, shown_until, most_ticks))
    )
    return TimelinePicture(width, tuple(dots), bars, ticks, len(free))


def _dates(start: int, end: int, most: int) -> list[int]:
    """Midnights between two moments, evenly: days, weeks or firsts of months."""
    first = -(-start // DAY)
    for step in _DAY_STEPS:
        if (end - first * DAY) // (step * DAY) < most:
            return [day * DAY for day in range(first, end // DAY + 1, step)]
    began = _EPOCH + timedelta(microseconds=start)
    months = began.year * 12 + began.month  # the month after the first, counted from zero
    for step in _MONTH_STEPS:
        found = [_month(month) for month in range(-(-months // step) * step, months + most * step, step)]
        found = [at for at in found if at <= end]
        if len(found) < most:
            break
    return found


def _is_new_year(at: int) -> bool:
    moment = _EPOCH + timedelta(microseconds=at)
    return (moment.month, moment.day) == (1, 1)


def _month(count: int) -> int:
    first = datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)
    return (first - _EPOCH) // timedelta(microseconds=1)


class Row(NamedTuple):
    """A window of the comparison: everything along an axis from 0 to 100%."""

    share: Share
    low_x: float
    high_x: float
    expected_x: float
    own_x: float


def shares_picture(found: Beside, *, left: float = 0.0, width: float = 480.0) -> tuple[Row, ...]:
    """Places the shares of each window in which something was bought."""
    return tuple(
        Row(
            share,
            *(left + width * share.part(items) for items in (share.low, share.high, share.expected, share.returned)),
        )
        for share in found.shares
        if share.bought
    )

"""The shop's calendar: busy and quiet days, times of day, gift season. Moments are whole seconds since 1970 UTC."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.simulate.chance import Flags, Floats, Ints, pick

DAY = 86_400
HOUR = 3_600

_MONTH = 31  # (month, day) as one number
_BUSY = (  # from, to (month, day, inclusive), factor on orders
    ((11, 20), (11, 24), 1.5),
    ((11, 25), (11, 30), 2.6),
    ((12, 1), (12, 18), 1.8),
    ((12, 19), (12, 26), 0.7),
    ((1, 2), (1, 20), 1.25),
    ((6, 25), (7, 15), 1.2),
)
_SALES = (((1, 2), (1, 25)), ((6, 25), (7, 20)), ((11, 22), (11, 30)))
_GIFTS = ((11, 10), (12, 23))
_PARTIES = (((5, 1), (7, 10)), ((12, 1), (12, 28)))
_WEEKDAYS = (1.02, 0.97, 0.95, 0.96, 0.92, 1.02, 1.16)  # Monday first


@dataclass(frozen=True)
class Calendar:
    """The days of the history: `start` and `end` in seconds (end exclusive), `year_day` (days,) as month * 31 + day."""

    start: int
    end: int
    year_day: Ints
    crowd: Floats  # (days + 1,) orders so far of somebody who places one a day on average over a year

    @classmethod
    def until(cls, last: dt.date, days: int) -> Calendar:
        """`days` days of which `last` is the last."""
        first = last - dt.timedelta(days=days - 1)
        start = (first - dt.date(1970, 1, 1)).days * DAY
        year_day, factor = _days(last, days)
        usual = _days(last, 365)[1].mean()
        crowd = np.concatenate([[0.0], np.cumsum(factor / usual)])
        return cls(start, start + days * DAY, year_day, crowd)

    @property
    def days(self) -> int:
        """Length in days."""
        return len(self.year_day)

    def crowd_at(self, day: Floats) -> Floats:
        """Orders to expect until a moment (days since the start, (n,)) of somebody who orders once a day. (n,)."""
        return np.interp(day, np.arange(self.days + 1), self.crowd)

    def day_of_crowd(self, crowd: Floats) -> Ints:
        """The inverse of `crowd_at`, as whole days since the start. (n,) -> (n,)."""
        day = np.interp(crowd, self.crowd, np.arange(self.days + 1))
        return np.clip(day.astype(np.int64), 0, self.days - 1)

    def day(self, moments: Ints) -> Ints:
        """Days since the start. (n,) -> (n,)."""
        return np.clip((moments - self.start) // DAY, 0, self.days - 1)

    def on_sale(self, moments: Ints) -> Flags:
        """Whether a sale is on. (n,) -> (n,)."""
        return self._within(moments, _SALES)

    def before_christmas(self, moments: Ints) -> Flags:
        """Whether people buy gifts. (n,) -> (n,)."""
        return self._within(moments, (_GIFTS,))

    def party_season(self, moments: Ints) -> Flags:
        """Whether people dress up more than usual. (n,) -> (n,)."""
        return self._within(moments, _PARTIES)

    def _within(self, moments: Ints, spans: tuple[tuple[tuple[int, int], tuple[int, int]], ...]) -> Flags:
        inside = np.zeros(self.days, dtype=np.bool_)
        for low, high in spans:
            inside |= _between(self.year_day, low, high)
        return np.asarray(inside[self.day(moments)])


def _days(last: dt.date, days: int) -> tuple[Ints, Floats]:
    """Of the `days` days until `last`: month and day as one number, and how busy they are."""
    dates = [last - dt.timedelta(days=days - 1 - day) for day in range(days)]
    year_day = np.array([date.month * _MONTH + date.day for date in dates], dtype=np.int64)
    factor = np.array([_WEEKDAYS[date.weekday()] for date in dates])
    for low, high, busy in _BUSY:
        factor[_between(year_day, low, high)] *= busy
    return year_day, factor


def _between(year_day: Ints, low: tuple[int, int], high: tuple[int, int]) -> Flags:
    first, last = low[0] * _MONTH + low[1], high[0] * _MONTH + high[1]
    return np.asarray((year_day >= first) & (year_day <= last))


def weekday(moments: Ints) -> Ints:
    """Day of the week, 0 is Monday (1970-01-01 was a Thursday). (n,) -> (n,)."""
    return (moments // DAY + 3) % 7


def after_christmas(moments: Ints) -> Ints:
    """Midnight of the 27 December that follows each moment. (n,) -> (n,)."""
    years = moments.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    low, high = int(years.min(initial=1970)), int(years.max(initial=1970)) + 1
    dates = [(dt.date(year, 12, 27) - dt.date(1970, 1, 1)).days * DAY for year in range(low, high + 1)]
    return np.array(dates, dtype=np.int64)[years - low]


def online_hours(rng: np.random.Generator, n: int) -> Ints:
    """n local times of day, in seconds, of people at their screens: an evening peak, a noon peak, and some any time."""
    which = pick(rng, (0.5, 0.4, 0.1), n)
    centre, width = np.array([20.3, 13.0, 12.0])[which], np.array([2.2, 2.8, 7.0])[which]
    return (np.mod(rng.normal(centre, width), 24.0) * HOUR).astype(np.int64)


def opening_hours(rng: np.random.Generator, n: int) -> Ints:
    """n local times of day, in seconds, while shops, couriers and warehouses work."""
    return (rng.triangular(8.0, 14.0, 20.0, n) * HOUR).astype(np.int64)


def at_local(midnight: Ints, time_of_day: Ints, hours_ahead: npt.NDArray[np.integer]) -> Ints:
    """Moments from a day's midnight and a local time of day. (n,) each."""
    return midnight + time_of_day - hours_ahead.astype(np.int64) * HOUR

from __future__ import annotations

import datetime as dt

import numpy as np

from pipelines.simulate.calendar import DAY, Calendar, after_christmas, at_local, online_hours, opening_hours, weekday


def seconds(*date: int) -> int:
    return int(dt.datetime(*date, tzinfo=dt.UTC).timestamp())  # type: ignore[arg-type, misc]


def test_the_days_are_counted_back_from_the_last() -> None:
    calendar = Calendar.until(dt.date(2025, 3, 10), 10)
    assert (calendar.start, calendar.end) == (seconds(2025, 3, 1), seconds(2025, 3, 11))
    assert calendar.days == 10
    assert calendar.day(np.array([calendar.start, calendar.end - 1])).tolist() == [0, 9]


def test_busy_days_are_busier() -> None:
    calendar = Calendar.until(dt.date(2025, 12, 31), 365)
    by_day = np.diff(calendar.crowd)
    november = (dt.date(2025, 11, 28) - dt.date(2025, 1, 1)).days
    assert by_day[november] > 1.8 * by_day[november - 21]
    drawn = calendar.day_of_crowd(np.random.default_rng(0).uniform(0, calendar.crowd[-1], 100_000))
    assert abs(calendar.crowd[-1] - 365) < 1e-6  # one order a day
    assert abs((drawn == november).mean() * calendar.crowd[-1] / by_day[november] - 1) < 0.15


def test_seasons() -> None:
    calendar = Calendar.until(dt.date(2025, 12, 31), 365)
    moments = np.array([seconds(2025, 1, 10), seconds(2025, 3, 3), seconds(2025, 12, 1)])
    assert calendar.on_sale(moments).tolist() == [True, False, False]
    assert calendar.before_christmas(moments).tolist() == [False, False, True]
    assert calendar.party_season(moments).tolist() == [False, False, True]


def test_weekday_begins_on_monday() -> None:
    assert weekday(np.array([seconds(2025, 9, 1), seconds(2025, 9, 7, 23)])).tolist() == [0, 6]


def test_after_christmas_is_of_the_same_year() -> None:
    bought = np.array([seconds(2024, 12, 20), seconds(2025, 11, 12)])
    assert after_christmas(bought).tolist() == [seconds(2024, 12, 27), seconds(2025, 12, 27)]
    assert len(after_christmas(bought[:0])) == 0


def test_times_of_day() -> None:
    rng = np.random.default_rng(0)
    online, opening = online_hours(rng, 20_000), opening_hours(rng, 20_000)
    assert online.min() >= 0
    assert online.max() < DAY
    assert opening.min() >= 8 * 3600
    assert opening.max() <= 20 * 3600
    assert at_local(np.array([0]), np.array([7200]), np.array([1])).tolist() == [3600]

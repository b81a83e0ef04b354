"""Days as the law counts them: where the goods went, and to the end of a working day.

Regulation (EEC, Euratom) 1182/71, which Directive 2011/83/EU counts by (recital 41): the day of the delivery does not
count, a period ends with the last hour of its last day, and one that would end on a Saturday, a Sunday or a public
holiday ends with the next working day. What is in doubt counts for the shopper: of the zones of a country, and of the
ledger's own days (UTC), the latest day of a delivery and the earliest of a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE: Final = timedelta(days=1)
_SUNDAY: Final = 6
_SATURDAY: Final = 5
#: Public holidays of nearly all states, as (month, day); Easter Monday is another. Others are not known.
_HOLIDAYS: Final = frozenset(((1, 1), (5, 1), (12, 25), (12, 26)))
#: Names in the tz database, without `Europe/` where they begin so.
_ZONES: Final = {
    "AT": "Vienna", "AX": "Mariehamn", "BE": "Brussels", "BG": "Sofia", "CH": "Zurich", "CY": "Asia/Nicosia",
    "CZ": "Prague", "DE": "Berlin", "DK": "Copenhagen", "EE": "Tallinn", "ES": "Madrid Atlantic/Canary",
    "FI": "Helsinki", "FR": "Paris", "GB": "London", "GF": "America/Cayenne", "GP": "America/Guadeloupe",
    "GR": "Athens", "HR": "Zagreb", "HU": "Budapest", "IE": "Dublin", "IS": "Atlantic/Reykjavik", "IT": "Rome",
    "LI": "Vaduz", "LT": "Vilnius", "LU": "Luxembourg", "LV": "Riga", "MF": "America/Marigot",
    "MQ": "America/Martinique", "MT": "Malta", "NL": "Amsterdam", "NO": "Oslo", "PL": "Warsaw",
    "PT": "Lisbon Atlantic/Azores", "RE": "Indian/Reunion", "RO": "Bucharest", "SE": "Stockholm", "SI": "Ljubljana",
    "SK": "Bratislava", "YT": "Indian/Mayotte",
}  # fmt: skip


def delivery_day(moment: int, country: str) -> date:
    """The day of a delivery (microseconds since 1970 UTC) to a country.

    >>> delivery_day(1_772_406_000_000_000, "DE"), delivery_day(1_772_406_000_000_000, "US")  # 23:00 UTC
    (datetime.date(2026, 3, 2), datetime.date(2026, 3, 1))
    """
    return max(days(moment, country))


def request_day(moment: int, country: str) -> date:
    """The day of a request (microseconds since 1970 UTC) from a country."""
    return min(days(moment, country))


def last_working_day(day: date) -> date:
    """The day itself if it is a working day, else the next one that is.

    >>> last_working_day(date(2026, 12, 25))  # a Friday
    datetime.date(2026, 12, 28)
    """
    while day.weekday() in (_SATURDAY, _SUNDAY) or (day.month, day.day) in _HOLIDAYS or day - _ONE == _easter(day.year):
        day += _ONE
    return day


def years_later(day: date, years: int) -> date:
    """The same day of a later year; 1 March for 29 February where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def days(moment: int, country: str) -> Iterator[date]:
    """Which day it is at a moment: in UTC, and in each zone of the country that is known here."""
    at = _EPOCH + timedelta(microseconds=moment)
    yield at.date()
    for zone in _zones(country):
        yield at.astimezone(zone).date()


@cache
def _zones(country: str) -> tuple[tzinfo, ...]:
    names = _ZONES.get(country, "").split()
    return tuple(ZoneInfo(name if "/" in name else f"Europe/{name}") for name in names)


@cache
def _easter(year: int) -> date:
    """Easter Sunday (Gregorian; the algorithm of Butcher, 1876)."""
    golden, century, rest = year % 19, year // 100, year % 100
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * week) // 451
    month, day = divmod(epact + week - 7 * late + 114, 31)
    return date(year, month, day + 1)

"""How a language writes numbers, money and times. The rules stand in its catalogue, so that a language is one file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_MINUTES: Final = 2  # place of the minutes in `units`
_MINUS: Final = "\N{MINUS SIGN}"


def at_place(moment: int, zone: tzinfo = UTC) -> datetime:
    """A moment (microseconds since 1970 UTC) as the clock of a place shows it."""
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """The fields of `[language]` in a catalogue.

    `name` is the language's own name of itself. `money` has places for `sign` and `amount`, `date` and `short_date` for
    `day`, `month` and (only `date`) `year`, `date_time` for `date` and `time`. `units` are the short names of days,
    hours, minutes and seconds.
    """

    name: str
    decimal: str
    thousands: str
    money: str
    percent: str
    date: str
    short_date: str
    date_time: str
    months: list[str]
    units: list[str]

    def number(self, value: float, places: int = 0) -> str:
        """A number with so many decimals."""
        digits = f"{abs(value):,.{places}f}"
        swapped = digits.replace(",", "\0").replace(".", self.decimal).replace("\0", self.thousands)
        return f"{_MINUS}{swapped}" if value < 0 and any(digit in "123456789" for digit in digits) else swapped

    def money_text(self, minor: int, currency: str | None) -> str:
        """An amount in 1/100 of a currency (ISO 4217)."""
        code = currency or ""
        sign = _SIGNS.get(code)
        whole, cents = divmod(abs(minor), 100)
        amount = f"{self.number(whole)}{self.decimal}{cents:02d}"
        if sign is None:
            text = f"{code}{_NO_BREAK}{amount}" if code else amount
        else:
            text = self.money.format(sign=sign, amount=amount)
        return f"{_MINUS}{text}" if minor < 0 else text

    def percent_text(self, share: float, places: int = 0) -> str:
        """A share of 1 as a percentage."""
        return self.percent.format(number=self.number(share * 100, places))

    def date_text(self, moment: int, zone: tzinfo = UTC) -> str:
        """The day of a moment, with its year."""
        day = at_place(moment, zone)
        return self.date.format(day=day.day, month=self.months[day.month - 1], year=day.year)

    def short_date_text(self, moment: int, zone: tzinfo = UTC) -> str:
        """The day of a moment, without its year."""
        day = at_place(moment, zone)
        return self.short_date.format(day=day.day, month=self.months[day.month - 1])

    def time_text(self, moment: int, zone: tzinfo = UTC) -> str:
        """The time of day of a moment, to the minute."""
        return at_place(moment, zone).strftime("%H:%M")

    def date_time_text(self, moment: int, zone: tzinfo = UTC) -> str:
        """Day and time of a moment."""
        return self.date_time.format(date=self.date_text(moment, zone), time=self.time_text(moment, zone))

    def duration_text(self, microseconds: int) -> str:
        r"""A length of time in its two largest units, without its sign; seconds only where it is less than a minute.

        >>> from serving.texts import texts
        >>> texts("en").writing.duration_text(93_600_000_000)
        '1\xa0d 2\xa0h'
        """
        seconds = abs(microseconds) // 1_000_000
        counts = (seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60, seconds % 60)
        largest = next((place for place, count in enumerate(counts) if count), len(counts) - 1)
        shown = [place for place in (largest, largest + 1) if place <= _MINUTES and counts[place]] or [largest]
        return " ".join(f"{self.number(counts[place])}{_NO_BREAK}{self.units[place]}" for place in shown)

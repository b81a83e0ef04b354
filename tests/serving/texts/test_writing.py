from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from serving.texts import texts

EN, NL = texts("en").writing, texts("nl").writing
MOMENT = 1_772_370_300_000_000  # 2026-03-01 13:05 UTC
S = 1_000_000


@pytest.mark.parametrize(
    ("value", "places", "english", "dutch"),
    [
        (0, 0, "0", "0"),
        (1234567, 0, "1,234,567", "1.234.567"),
        (-1234.5, 1, "−1,234.5", "−1.234,5"),
        (-0.001, 1, "0.0", "0,0"),
        (0.125, 2, "0.12", "0,12"),
    ],
)
def test_numbers(value: float, places: int, english: str, dutch: str) -> None:
    assert (EN.number(value, places), NL.number(value, places)) == (english, dutch)


@pytest.mark.parametrize(
    ("minor", "currency", "english", "dutch"),
    [
        (123456, "EUR", "€1,234.56", "€ 1.234,56"),
        (-5, "GBP", "−£0.05", "−£ 0,05"),
        (100, "SEK", "SEK\xa01.00", "SEK\xa01,00"),
        (100, None, "1.00", "1,00"),
    ],
)
def test_money(minor: int, currency: str | None, english: str, dutch: str) -> None:
    assert (EN.money_text(minor, currency), NL.money_text(minor, currency)) == (english, dutch)


def test_shares() -> None:
    assert (EN.percent_text(0.125, 1), NL.percent_text(0.125, 1)) == ("12.5%", "12,5%")


def test_times_are_those_of_the_place() -> None:
    assert EN.date_time_text(MOMENT) == "1 Mar 2026, 13:05"
    assert NL.date_time_text(MOMENT, ZoneInfo("Europe/Amsterdam")) == "1 mrt 2026, 14:05"
    assert EN.short_date_text(MOMENT) == "1 Mar"
    assert EN.date_text(MOMENT, ZoneInfo("Pacific/Kiritimati")) == "2 Mar 2026"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0, "0 s"),
        (59 * S, "59 s"),
        (60 * S, "1 min"),
        (3_599 * S, "59 min"),
        (3_600 * S, "1 h"),
        (3_700 * S, "1 h 1 min"),
        (86_400 * S, "1 d"),
        (86_460 * S, "1 d"),
        (-93_600 * S, "1 d 2 h"),
        (1_200 * 86_400 * S, "1,200 d"),
    ],
)
def test_durations(duration: int, text: str) -> None:
    assert EN.duration_text(duration).replace("\xa0", " ") == text

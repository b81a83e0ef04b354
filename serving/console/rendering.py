"""Templates of the console: Jinja2 with every value escaped, one environment per language.

Templates have `t` (texts) and these filters: `number`, `percent` (of a share of 1), `money(currency)` (of 1/100),
`when` (date and time), `day`, `clock` (time of day), `duration` and `until` (of microseconds).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from serving.clock import iso
from serving.console.form import Form
from serving.texts import Texts, texts

_FOLDER: Final = Path(__file__).parent / "templates"


@cache
def environment(language: str, time_zone: str) -> Environment:
    """The environment whose texts and filters are those of a language, and whose times are those of a place."""
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    t = texts(language)
    zone = ZoneInfo(time_zone)
    writing = t.writing

    def time_element(moment: int, shown: str) -> Markup:
        full = writing.date_time_text(moment, zone)
        return Markup('<time datetime="{}" title="{} {}">{}</time>').format(iso(moment), full, time_zone, shown)

    made.globals.update(t=t, no_form=Form())
    made.filters.update(
        number=writing.number,
        percent=writing.percent_text,
        money=writing.money_text,
        when=lambda moment: time_element(moment, writing.date_time_text(moment, zone)),
        day=lambda moment: time_element(moment, writing.date_text(moment, zone)),
        short_day=lambda moment: time_element(moment, writing.short_date_text(moment, zone)),
        clock=lambda moment: time_element(moment, writing.time_text(moment, zone)),
        duration=writing.duration_text,
        since=lambda moment, now: time_element(moment, _since(t, moment, now)),
        until=lambda moment, now: time_element(moment, _until(t, moment, now)),
    )
    return made


def rendered(language: str, time_zone: str, template: str, values: dict[str, Any]) -> str:
    """A template with values in it."""
    return environment(language, time_zone).get_template(template).render(values)


def _since(t: Texts, moment: int, now: int) -> str:
    if now - moment < 60_000_000:
        return t("time.just_now")
    return t("time.ago", duration=t.writing.duration_text(now - moment))


def _until(t: Texts, moment: int, now: int) -> str:
    key = "time.in" if moment >= now else "time.overdue"
    return t(key, duration=t.writing.duration_text(moment - now))

"""A simulation as a picture: checks a day, actions, money, and who waits, both policies side by side."""

from __future__ import annotations

import base64
import datetime as dt
import html
import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from serving.policy.costs import ACTIONS
from serving.policy.simulation import Simulation

ENDINGS: Final = (".png", ".svg", ".pdf", ".html")
#: The first policy is the one asked about. Blue and grey differ in lightness, too.
_COLOURS: Final = ("#1a5fb4", "#a0aec0")
_LIMIT: Final = "#c05621"
_WEEK: Final = 7
_MOST: Final = 12  # segments in the picture


def draw(made: Simulation, path: Path) -> None:
    """Write the picture; a page with it, if the name ends in .html.

    Raises:
        OSError: it cannot be written.
    """
    figure = _figure(made)
    ending = path.suffix.lower()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png" if ending == ".html" else ending[1:], metadata=_undated(ending))
    if ending == ".html":
        path.write_text(_page(made, buffer.getvalue()), encoding="utf-8")
    else:
        path.write_bytes(buffer.getvalue())


def _figure(made: Simulation) -> Figure:
    figure = Figure(figsize=(12, 8), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    (days, actions), (money, people) = figure.subplots(2, 2)
    _draw_days(days, made)
    _draw_actions(actions, made)
    _draw_money(money, made)
    _draw_people(people, made)
    figure.suptitle(f"Policy {made.versions[0]} (blue) beside {made.versions[-1]} (grey)")
    return figure


def _draw_days(axes: Any, made: Simulation) -> None:
    first = dt.date(1970, 1, 1) + dt.timedelta(days=made.first_day)
    for days, colour in reversed(list(zip(made.days, _COLOURS, strict=False))):
        dates = [first + dt.timedelta(days=number) for number in range(len(days.checks))]
        axes.plot(dates, days.checks, color=colour, linewidth=0.5, alpha=0.5)
        if len(days.checks) >= _WEEK:
            week = np.convolve(days.checks, np.full(_WEEK, 1 / _WEEK), mode="valid")
            axes.plot(dates[_WEEK - 1 :], week, color=colour, linewidth=1.8)
    capacity = made.days[0].capacity
    axes.axhline(capacity, color=_LIMIT, linestyle="--", linewidth=1)
    place = ("axes fraction", "data")
    axes.annotate(f"staff can make {capacity}", (0.01, capacity), xycoords=place, va="bottom", color=_LIMIT)
    axes.set(ylim=(0, None), ylabel="checks", title="Checks a day, and their mean over a week")
    axes.tick_params(axis="x", rotation=30)


def _draw_actions(axes: Any, made: Simulation) -> None:
    _bars(
        axes,
        [action.replace("_", " ") for action in ACTIONS],
        [[100 * figures.actions[action] for action in ACTIONS] for figures in made.figures],
    )
    axes.set(xlabel="% of returns", title="What is done")


def _draw_money(axes: Any, made: Simulation) -> None:
    names = ("found", "missed", "work", "saved")
    _bars(axes, list(names), [[getattr(figures, name) for name in names] for figures in made.figures])
    axes.set(xlabel=f"{made.currency}, expected", title="Money over the whole stretch")


def _draw_people(axes: Any, made: Simulation) -> None:
    shown = [segment for segment in made.segments if segment.dimension in ("country", "tenure")][:_MOST]
    _bars(
        axes,
        [segment.name.replace("_", " ") for segment in shown],
        [[100 * s.figures[at].put_off / s.figures[at].returns for s in shown] for at in range(len(made.figures))],
    )
    axes.set(xlabel="of 100 returns, expected", title="Honest shoppers whose refund waits for a look")


def _bars(axes: Any, names: list[str], values: list[list[float]]) -> None:
    places = np.arange(len(names))
    height = 0.8 / len(values)
    for at, (row, colour) in enumerate(zip(values, _COLOURS, strict=False)):
        axes.barh(places + (at - (len(values) - 1) / 2) * height, row, height, color=colour)
    axes.set_yticks(places, names)
    axes.invert_yaxis()


def _page(made: Simulation, png: bytes) -> str:
    title = html.escape(f"Policy {made.versions[0]} beside {made.versions[-1]}")
    image = base64.b64encode(png).decode()
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f'<body><h1>{title}</h1>\n<img alt="Checks a day, actions, money and who waits, for both policies" '
        f'style="max-width:100%" src="data:image/png;base64,{image}"></body></html>\n'
    )


def _undated(ending: str) -> dict[str, None]:
    """The same figures give the same bytes."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(ending, {})

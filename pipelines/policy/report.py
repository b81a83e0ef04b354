"""A simulation as tables on a terminal, both policies side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from serving.policy.costs import ACTIONS
from serving.policy.segments import DIMENSIONS
from serving.policy.simulation import Days, Figures, Simulation

_EPOCH: Final = dt.date(1970, 1, 1)


def report_of(made: Simulation) -> RenderableType:
    """Everything that was found out."""
    return Group(*_parts(made))


def _parts(made: Simulation) -> Iterator[RenderableType]:
    yield Text(_rests_on(made))
    yield _overall(made)
    yield _days(made)
    for days, version in zip(made.days, made.versions, strict=True):
        yield Text(proposal(days, version))
    for dimension in DIMENSIONS:
        yield _segments(made, dimension)


def _rests_on(made: Simulation) -> str:
    first, last = (_EPOCH + dt.timedelta(days=day) for day in (made.first_day, made.last_day))
    said = (
        f"{made.figures[0].returns:,} returns from {first} to {last}: {made.answered:,} as they were assessed, "
        f"{made.estimated:,} assessed now by the champion."
    )
    if made.left_out:
        said += f" {made.left_out:,} could not be."
    return f"{said}\nMoney in {made.currency}, with the costs of {made.versions[0]}. Expected: by the risk."


def proposal(days: Days, version: str) -> str:
    """What a policy's capacity asks for, in a sentence."""
    over = f"{days.share_over:.0%} of days have more than {days.capacity} checks"
    now = f"{version}: with least_gain {days.least_gain:.2f}, {over}"
    if days.proposed is None:
        return f"{now}; rules and draws alone ask for more than that on over {days.days_over:.0%} of days."
    if days.proposed == days.least_gain:
        return f"{now}, as it should be (at most {days.days_over:.0%})."
    return f"{now}; {days.proposed:.2f} is the least that keeps it to {days.days_over:.0%} of days."


def _overall(made: Simulation) -> Table:
    table = _table("All returns", made.versions)
    for action in ACTIONS:
        _row(table, action, [f.actions[action] for f in made.figures], "{:.1%}")
    _row(table, "found, expected", [f.found for f in made.figures], "{:,.0f}")
    _row(table, "missed, expected", [f.missed for f in made.figures], "{:,.0f}")
    _row(table, "work of checks", [f.work for f in made.figures], "{:,.0f}")
    _row(table, "saved, expected", [f.saved for f in made.figures], "{:,.0f}")
    _row(table, "honest shoppers put off, expected", [f.put_off for f in made.figures], "{:,.0f}")
    _row(table, "known: looked at", [f.known.looked_at for f in made.figures], "{:,.0f}")
    _row(table, "known: abuse found", [f.known.found for f in made.figures], "{:,.0f}")
    _row(table, "known: money found", [f.known.money for f in made.figures], "{:,.0f}")
    _row(table, "known: honest, put off", [f.known.looked_at - f.known.found for f in made.figures], "{:,.0f}")
    _row(table, "known: abuse passed", [f.known.passed_found for f in made.figures], "{:,.0f}")
    _row(table, "known: money passed", [f.known.passed_money for f in made.figures], "{:,.0f}")
    return table


def _days(made: Simulation) -> Table:
    table = _table("Checks a day", made.versions)
    _row(table, "mean", [days.mean for days in made.days], "{:,.1f}")
    _row(table, "95% of days have at most", [days.high for days in made.days], "{:,.1f}")
    _row(table, "staff can make", [days.capacity for days in made.days], "{:,.0f}")
    _row(table, "days over that", [days.share_over for days in made.days], "{:.1%}")
    return table


def _segments(made: Simulation, dimension: str) -> Table:
    table = Table(title=f"By {dimension}", title_justify="left", title_style="bold")
    table.add_column(dimension)
    table.add_column("returns", justify="right")
    for name in ("looked at", f"found, {made.currency}", "honest put off, per 100"):
        for version in made.versions:
            table.add_column(f"{name}\n{version}", justify="right")
    for segment in made.segments:
        if segment.dimension == dimension:
            cells = [f"{looked_at(f):.1%}" for f in segment.figures]
            cells += [f"{f.found:,.0f}" for f in segment.figures]
            cells += [f"{put_off_per_100(f):.1f}" for f in segment.figures]
            table.add_row(segment.name.replace("_", " "), f"{segment.figures[0].returns:,}", *cells)
    return table


def looked_at(figures: Figures) -> float:
    """Share of returns whose refund waits for a look."""
    return figures.actions["inspect_before_refund"] + figures.actions["staff_review"]


def put_off_per_100(figures: Figures) -> float:
    """Honest shoppers who are expected to wait for a look, of 100 returns."""
    return 100 * figures.put_off / figures.returns


def _table(title: str, versions: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for version in versions:
        table.add_column(version, justify="right")
    table.add_column("difference", justify="right")
    return table


def _row(table: Table, name: str, values: Sequence[float], form: str) -> None:
    first, last = values[0], values[-1]
    difference = form.format(abs(first - last))
    sign = "" if not difference.strip("0.,%") else "+" if first > last else "−"
    table.add_row(name, *(form.format(value) for value in values), f"{sign}{difference}")

"""The drift report as a page: one file that needs nothing else, in the colours that the reader's screen prefers.

Charts are tables with bars in them, so that they can be read aloud and copied; the one line chart is an inline SVG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from training.drift.compare import MODERATE, STRONG
from training.drift.performance import Estimate
from training.drift.random_checks import RandomChecks, Share
from training.drift.report import DriftReport, iso

#: Drifted features whose bins are shown, and months of random checks.
_SHOWN: Final = 12
_MONTHS: Final = 18
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _NAME = 720.0, 215.0, 44.0, 32.0, 24.0, 90.0

#: What each estimated figure means, in the order in which they are shown.
_FIGURES: Final = {
    "precision_at_1": "findings among the riskiest 1%",
    "precision_at_2": "findings among the riskiest 2%",
    "precision_at_5": "findings among the riskiest 5%",
    "recall_at_1": "share of all findings in the riskiest 1%",
    "recall_at_2": "share of all findings in the riskiest 2%",
    "recall_at_5": "share of all findings in the riskiest 5%",
    "base_rate": "findings among all returns",
    "average_precision": "average precision",
    "auc": "AUC",
}


@dataclass(frozen=True)
class Track:
    """A value with its interval and what it was before, as per cent of the width of a row; None is not drawn."""

    value: float
    low: float
    width: float
    before: float | None


@dataclass(frozen=True)
class Line:
    """The chart of the sum: points of a polyline, heights of threshold and ground, places of alarms, in SVG units."""

    points: str
    threshold: float
    ground: float
    alarms: tuple[tuple[float, str], ...]  # place, and the day if there is room for it
    first: str
    last: str
    width: float = _WIDTH
    height: float = _HEIGHT
    left: float = _LEFT


def render(report: DriftReport) -> str:
    """The page as HTML. The same report gives the same bytes."""
    environment = Environment(
        loader=PackageLoader("training.drift", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "day": lambda text: str(text)[:10], "number": _number}
    chart = report.random_checks
    widest = max([*(f.psi for f in report.features), *(f.noise for f in report.features), STRONG]) * 1.02
    text = environment.get_template("page.html").render(
        report=report,
        since=iso(report.window.since),
        until=iso(report.window.until),
        figures=[(_FIGURES[e.name], e, _track(e)) for e in _in_order(report)],
        shown=report.drifted[:_SHOWN],
        width=lambda index: 100 * np.sqrt(index / widest),
        months=_months(chart) if chart else [],
        line=_line(chart) if chart is not None and len(chart.path) else None,
        moderate=MODERATE,
        strong=STRONG,
    )
    return text.rstrip() + "\n"


def _in_order(report: DriftReport) -> list[Estimate]:
    known = {e.name: e for e in report.performance if np.isfinite(e.value)}
    return [known[name] for name in _FIGURES if name in known]


def _track(e: Estimate) -> Track:
    return Track(100 * e.value, 100 * e.low, 100 * (e.high - e.low), None if e.before is None else 100 * e.before)


def _months(chart: RandomChecks) -> list[tuple[str, Share, Track]]:
    latest = chart.months[-_MONTHS:]
    top = max([share.high for _, share in latest] + [chart.tested]) * 1.05
    return [
        (
            name,
            share,
            Track(
                100 * share.share / top,
                100 * share.low / top,
                100 * (share.high - share.low) / top,
                100 * chart.tested / top,
            ),
        )
        for name, share in latest
    ]


def _line(chart: RandomChecks) -> Line:
    """The sum over the number of checks: evenly spaced, because checks and not days carry the evidence."""
    top = max(float(chart.path.max()), chart.threshold) * 1.1
    ground = _HEIGHT - _BOTTOM

    def y(value: float) -> float:
        return round(ground - (ground - _TOP) * value / top, 1)

    def x(position: int) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - 8) * position / max(len(chart.path) - 1, 1), 1)

    where = {int(moment): i for i, moment in enumerate(chart.moments.tolist())}
    kept = np.unique(np.linspace(0, len(chart.path) - 1, min(len(chart.path), 500)).astype(int)).tolist()
    kept = sorted({*kept, *(where[moment] for moment in chart.alarms)})
    alarms: list[tuple[float, str]] = []
    named = -_NAME
    for moment in chart.alarms:
        place = x(where[moment])
        far = place - named >= _NAME  # names that would lie over each other are left out
        named = place if far else named
        alarms.append((place, iso(moment)[:10] if far else ""))
    return Line(
        points=" ".join(f"{x(i)},{y(float(chart.path[i]))}" for i in kept),
        threshold=y(chart.threshold),
        ground=ground,
        alarms=tuple(alarms),
        first=iso(int(chart.moments[0]))[:10],
        last=iso(int(chart.moments[-1]))[:10],
    )


def _percent(value: Any, digits: int = 1) -> str:
    """A share as per cent; a dash for None."""
    return "–" if value is None else f"{100 * float(value):.{digits}f}%"


def _number(value: Any) -> str:
    """A number of any size in few characters; a dash for None."""
    if value is None:
        return "–"
    size = abs(float(value))
    return f"{value:,.0f}" if size >= 1000 or value == int(value) else f"{value:.3g}"

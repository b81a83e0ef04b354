"""Pictures of a drift report, for MLflow."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.drift.compare import MODERATE, STRONG
from training.drift.random_checks import RandomChecks
from training.drift.report import ColumnDrift, DriftReport

_BLUE: Final = "#2b6cb0"
_ORANGE: Final = "#c05621"
_GREY: Final = "#a0aec0"
_DARK: Final = "#4a5568"
_SHOWN: Final = 20


def figures(report: DriftReport) -> dict[str, Figure]:
    """The pictures that the report has something for, by name."""
    out: dict[str, Figure] = {}
    if report.features:
        out["features"] = _features(report.features[:_SHOWN])
    if report.score is not None:
        out["risks"] = _risks(report.score)
    if report.random_checks is not None and len(report.random_checks.path):
        out["random_checks"] = _random_checks(report.random_checks)
    return out


def _axes(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _features(features: tuple[ColumnDrift, ...]) -> Figure:
    figure, axes = _axes(8.0, 1.2 + 0.26 * len(features))
    rows = features[::-1]
    places = range(len(rows))
    axes.barh(places, [f.psi for f in rows], color=[_GREY if f.strength == "none" else _ORANGE for f in rows])
    axes.plot([f.noise for f in rows], places, "|", color=_DARK, markersize=9, label="noise")
    axes.set_xscale("symlog", linthresh=STRONG)  # one feed that breaks off would press all others against the edge
    for limit, text in ((MODERATE, "moderate"), (STRONG, "strong")):
        axes.axvline(limit, color=_DARK, linewidth=0.8, linestyle=":")
        axes.annotate(text, (limit, len(rows) - 0.4), fontsize=7, ha="left", xytext=(2, 0), textcoords="offset points")
    axes.set_yticks(places, [f"{f.name}  ({f.importance:.0%})" for f in rows], fontsize=8)
    axes.set(xlabel="population stability index", title="Drift of features (share of what moves the risks)")
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    return figure


def _risks(score: ColumnDrift) -> Figure:
    figure, axes = _axes(7.5, 3.8)
    used = [i for i, (a, b) in enumerate(zip(score.before, score.now, strict=True)) if a or b]
    places = np.arange(len(used))
    axes.bar(places - 0.2, [score.before[i] for i in used], 0.4, color=_GREY, label="in training")
    axes.bar(places + 0.2, [score.now[i] for i in used], 0.4, color=_BLUE, label="now")
    axes.set_xticks(places, [score.bins[i] for i in used], rotation=40, ha="right", fontsize=7)
    axes.set(ylabel="share of returns", title=f"Risks (PSI {score.psi:.3f})")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _random_checks(chart: RandomChecks) -> Figure:
    figure, axes = _axes(7.5, 3.6)
    times = chart.moments.astype("datetime64[us]")
    axes.plot(times, chart.path, color=_BLUE, linewidth=1.4)
    axes.axhline(chart.threshold, color=_DARK, linestyle="--", linewidth=1, label="threshold")
    for moment in chart.alarms:
        axes.axvline(np.datetime64(moment, "us"), color=_ORANGE, linewidth=1)
    axes.tick_params(axis="x", labelrotation=30, labelsize=8)
    axes.set(ylabel="evidence of a rise (CUSUM)", title="Findings among random checks since training")
    axes.legend(frameon=False, fontsize=8)
    return figure

"""Pictures of a run, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from features.risk_model import RiskModel
from training.evaluation.metrics import CAPACITIES, at_capacity, calibration_curve

Floats = npt.NDArray[np.float64]

_BLUE: Final = "#2b6cb0"
_ORANGE: Final = "#c05621"
_GREY: Final = "#a0aec0"
_FEATURES_SHOWN: Final = 20
_POINTS: Final = 1500


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.7)
    axes.set_axisbelow(True)


def precision_recall(y: Floats, risk: Floats, weight: Floats) -> Figure:
    """Precision over recall, raw and weighted, with the staff's capacities marked on the weighted curve."""
    figure = _figure(6.4, 4.6)
    axes = figure.subplots()
    _tidy(axes)
    for w, label, colour in (
        (np.ones(len(y)), "among checked returns", _GREY),
        (weight, "among all (weighted)", _BLUE),
    ):
        precision, recall, _ = precision_recall_curve(y, risk, sample_weight=w)
        axes.step(recall, precision, where="post", color=colour, label=label)
    for capacity in CAPACITIES:
        p, r = at_capacity(y, risk, weight, capacity)
        axes.plot(r, p, "o", color=_ORANGE, markersize=5)
        axes.annotate(f"{capacity:.0%}", (r, p), xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.set(
        xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.05), title="Precision and recall, test stretch"
    )
    axes.legend(frameon=False, loc="upper right", fontsize=8)
    return figure


def calibration(y: Floats, risk: Floats, weight: Floats) -> Figure:
    """Share found against mean risk in ten groups, both axes logarithmic because risks are small."""
    figure = _figure(5.4, 5.0)
    axes = figure.subplots()
    _tidy(axes)
    tops = [0.01]
    floor = max(float(risk.min()) / 2, 1e-4)
    for w, label, colour in ((np.ones(len(y)), "checked returns", _GREY), (weight, "all returns (weighted)", _BLUE)):
        mean_risk, found, total = calibration_curve(y, risk, w)
        sizes = 20 + 100 * total / total.max()
        axes.scatter(mean_risk, np.maximum(found, floor), s=sizes, color=colour, alpha=0.8, label=label)
        tops += [float(mean_risk.max()), float(found.max())]
    top = min(1.0, max(tops) * 1.3)
    axes.plot([floor, top], [floor, top], color="#4a5568", linewidth=1, linestyle="--")
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(floor * 0.8, top),
        ylim=(floor * 0.8, top),
        xlabel="mean risk of the group",
        ylabel="share found (at the lower edge: none)",
        title="Calibration, test stretch",
    )
    axes.legend(frameon=False, loc="upper left", fontsize=8)
    return figure


def contributions(model: RiskModel, X: Floats) -> Figure:
    """What moves the risk: the features that matter most, each return a point, and the sum of each reason family."""
    rows = X[np.linspace(0, len(X) - 1, min(len(X), _POINTS)).astype(int)]
    parts = model.contributions(rows)
    families = [f.family or "other" for f in model.card.features]
    figure = _figure(11.5, 6.2)
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    _swarm(left, parts, rows, model.features)
    _families(right, parts, families)
    return figure


def _swarm(axes: Any, parts: Floats, rows: Floats, names: Sequence[str]) -> None:
    _tidy(axes)
    top = np.argsort(-np.abs(parts).mean(axis=0), kind="stable")[:_FEATURES_SHOWN][::-1]
    jitter = np.random.default_rng(0).uniform(-0.3, 0.3, len(rows))
    points = None
    for height, i in enumerate(top):
        points = axes.scatter(
            parts[:, i], height + jitter, c=_rank(rows[:, i]), cmap="coolwarm", vmin=0, vmax=1, s=4, linewidths=0
        )
    axes.axvline(0, color="#4a5568", linewidth=0.8)
    axes.set_yticks(range(len(top)), [names[i] for i in top], fontsize=8)
    axes.set(xlabel="contribution to the risk (log-odds)", title="Features that move the risk most")
    if points is not None:
        bar = axes.figure.colorbar(points, ax=axes, ticks=[0, 1], pad=0.01, aspect=40)
        bar.ax.set_yticklabels(["low", "high"], fontsize=8)
        bar.set_label("value of the feature", fontsize=8, labelpad=-6)


def _rank(column: Floats) -> Floats:
    """Values spread evenly over 0 to 1 by rank, unknown ones in the middle."""
    known = ~np.isnan(column)
    values = np.unique(column[known])
    out = np.full(len(column), 0.5)
    if len(values) > 1:
        out[known] = np.searchsorted(values, column[known]) / (len(values) - 1)
    return out


def _families(axes: Any, parts: Floats, families: Sequence[str]) -> None:
    _tidy(axes)
    names = sorted(set(families))
    sums = np.column_stack([parts[:, [f == name for f in families]].sum(axis=1) for name in names])
    up, down = np.maximum(sums, 0).mean(axis=0), np.minimum(sums, 0).mean(axis=0)
    order = np.argsort(up - down, kind="stable")
    axes.barh(range(len(order)), up[order], color=_ORANGE, label="raises")
    axes.barh(range(len(order)), down[order], color=_BLUE, label="lowers")
    axes.axvline(0, color="#4a5568", linewidth=0.8)
    axes.set_yticks(range(len(order)), [names[i] for i in order], fontsize=8)
    axes.set(xlabel="mean contribution (log-odds)", title="By reason family")
    axes.legend(frameon=False, loc="lower right", fontsize=8)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, without the moment it was drawn."""
    figure.savefig(path, metadata={"Software": None})

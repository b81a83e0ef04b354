"""Pictures of a search, drawn without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.search.study import Choice, Trial

_BLUE: Final = "#2b6cb0"
_ORANGE: Final = "#c05621"
_GREY: Final = "#a0aec0"


def _axes(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def history(trials: Sequence[Trial], choice: Choice) -> Figure:
    """Mean of each trial, the best so far, and how sure the lead of the best over the default recipe is."""
    figure, axes = _axes(8.0, 4.6)
    done, pruned = [t for t in trials if not t.pruned], [t for t in trials if t.pruned]
    axes.plot([t.number for t in done], [t.value for t in done], "o", color=_BLUE, markersize=5, label="trial")
    if choice.best is not trials[0]:
        axes.errorbar(
            [choice.best.number],
            [choice.best.value],
            yerr=[choice.error],
            color=_BLUE,
            capsize=4,
            label="standard error of its lead over the default recipe",
        )
    if pruned:
        axes.plot([t.number for t in pruned], [t.value for t in pruned], "x", color=_GREY, label="pruned (mean so far)")
    so_far = np.maximum.accumulate([-np.inf if t.pruned else t.value for t in trials])
    axes.step([t.number for t in trials], so_far, where="post", color=_ORANGE, label="best so far")
    axes.axhline(trials[0].value, color="#4a5568", linewidth=1, linestyle="--", label="default recipe")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel="average precision (weighted), mean over folds", title="What the search tried")
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    return figure


def importance(shares: Mapping[str, float]) -> Figure:
    """How much each parameter decides about the mean: shares that add up to one."""
    figure, axes = _axes(7.0, 4.0)
    names = sorted(shares, key=lambda name: (shares[name], name))
    axes.barh(range(len(names)), [shares[name] for name in names], color=_BLUE)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="share of the importance", title="What decides how good a recipe is")
    if not names:
        axes.text(0.5, 0.5, "all trials were alike", ha="center", transform=axes.transAxes)
    return figure

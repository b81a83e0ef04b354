"""The picture of an explanation report."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_BLUE: Final = "#2b6cb0"
_GREY: Final = "#cbd5e0"


def reasons_figure(by_reason: pd.DataFrame) -> Figure:
    """How often each reason is told first and among the first three, and how often the risk falls without it."""
    figure = Figure(figsize=(8.2, 0.9 + 0.3 * len(by_reason)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    height = np.arange(len(by_reason))[::-1]
    left.barh(height, by_reason["among_three"], color=_GREY, label="among the first three")
    left.barh(height, by_reason["first"], color=_BLUE, height=0.45, label="first")
    left.set_yticks(height, list(by_reason.index), fontsize=8)
    left.set(xlabel="share of flagged returns", title="Told")
    left.legend(frameon=False, fontsize=8, loc="lower right")
    right.plot(by_reason["risk_falls"], height, "o", color=_BLUE, markersize=5)
    right.set(xlabel="share of those told it", title="Risk falls without it", xlim=(0, 1.05))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", color="#e2e8f0", linewidth=0.7)
        axes.set_axisbelow(True)
    return figure

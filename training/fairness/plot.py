"""The picture of a fairness report."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.fairness.frame import Flag
from training.fairness.segments import SEGMENTS

_BLUE: Final = "#2b6cb0"
_ORANGE: Final = "#c05621"
_GREY: Final = "#a0aec0"


def ratios(tables: dict[str, pd.DataFrame], flag: Flag, bound: float) -> Figure:
    """False-positive rate of every group as a multiple of the average, with its interval; grey: too small to judge."""
    lines = [
        (f"{group}  ({int(row['n']):,})", SEGMENTS[segment], row)
        for segment, table in tables.items()
        for group, row in table.iterrows()
        if group != "all"
    ]
    figure = Figure(figsize=(8.2, 1.2 + 0.27 * (len(lines) + len(tables))), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    labels: list[tuple[float, str, bool]] = []
    height, heading = 0.0, ""
    for text, segment, row in lines:
        if segment != heading:
            height, heading = height - 1, segment
            labels.append((height, segment, True))
        height -= 1
        labels.append((height, text, False))
        value, low, high = (row[f"{flag.name}:{name}"] for name in ("ratio", "ratio_low", "ratio_high"))
        if np.isfinite(value):
            above = value > bound and low > 1
            colour = _GREY if row["judged"] != 1 else _ORANGE if above else _BLUE
            axes.plot(value, height, "o", color=colour, markersize=5)
            if np.isfinite(high):
                axes.plot([low, min(high, 4.0)], [height, height], color=colour, linewidth=1.4)
    axes.axvline(1.0, color="#4a5568", linewidth=0.8)
    axes.axvline(bound, color=_ORANGE, linewidth=0.9, linestyle="--")
    axes.annotate(f"bound {bound:g}", (bound, 0), xytext=(3, -2), textcoords="offset points", fontsize=8, color=_ORANGE)
    axes.set_yticks([place for place, _, _ in labels], [text for _, text, _ in labels], fontsize=8)
    for tick, (_, _, is_heading) in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if is_heading else "normal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e2e8f0", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set(
        xlim=(0, 4),
        ylim=(height - 0.7, 0.4),
        xlabel="false-positive rate, as a multiple of the average",
        title=f"Honest returns flagged, by group ({flag.text})",
    )
    return figure

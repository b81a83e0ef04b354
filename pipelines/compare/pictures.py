"""Pictures of two versions, drawn without a display."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.evaluation.metrics import Ranked
from training.evaluation.plots import png

_COLOURS: Final = ("#a0aec0", "#2b6cb0")
_FOUND: Final = "#c05621"
_POINTS: Final = 4_000


def draw_precision(path: Path, champion: Ranked, challenger: Ranked, names: tuple[str, str]) -> None:
    """Share of findings among the riskiest returns, over how many staff look at."""
    figure, axes = _figure(6.4, 4.4)
    shares = np.geomspace(0.005, 1.0, 60)
    for ranking, name, colour in zip((champion, challenger), names, _COLOURS, strict=True):
        axes.plot(shares, ranking.at(shares)[0], color=colour, label=name)
    axes.set(
        xscale="log",
        xlabel="share of the returns that are looked at, the riskiest first",
        ylabel="abuse found among them",
        ylim=(0, None),
        title="What staff would find (weighted)",
    )
    axes.set_xticks(
        [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1], ["0.5%", "1%", "2%", "5%", "10%", "20%", "50%", "100%"]
    )
    axes.minorticks_off()
    axes.legend(frameon=False)
    path.write_bytes(png(figure))


def draw_agreement(path: Path, frame: pd.DataFrame, names: tuple[str, str]) -> None:
    """Risk of one version over that of the other, findings marked; of many assessments, some, evenly over time."""
    figure, axes = _figure(5.4, 5.0)
    some = frame.iloc[np.unique(np.linspace(0, len(frame) - 1, min(len(frame), _POINTS)).astype(int))]
    shown = pd.concat([some[some["label"] != 1], frame[frame["label"] == 1].iloc[:_POINTS]])
    axes.scatter(
        shown["champion"],
        shown["challenger"],
        s=np.where(shown["label"] == 1, 14, 4),
        c=np.where(shown["label"] == 1, _FOUND, _COLOURS[1]),
        alpha=0.6,
        linewidths=0,
    )
    low = max(min(float(shown["champion"].min()), float(shown["challenger"].min())), 1e-5)
    axes.plot([low, 1], [low, 1], color="#4a5568", linewidth=1, linestyle="--")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"risk by {names[0]}",
        ylabel=f"risk by {names[1]}",
        title="The same returns by both (orange: abuse found)",
    )
    path.write_bytes(png(figure))


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes

"""Pictures of a run, drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter
from sklearn.metrics import precision_recall_curve

from features.risk_model import RiskModel
from training.evaluation.intervals import Interval
from training.evaluation.metrics import CAPACITIES, Ranked
from training.evaluation.tables import Cell

Floats = npt.NDArray[np.float64]

_BLUE: Final = "#2b6cb0"
_ORANGE: Final = "#c05621"
_GREY: Final = "#a0aec0"
_DARK: Final = "#4a5568"
#: Colours and dashes of other models, told apart without colour too.
_OTHERS: Final = (("#c05621", "--"), ("#2f855a", "-."), ("#6b46c1", ":"), ("#97266d", (0, (5, 1, 1, 1))))
_FEATURES_SHOWN: Final = 20
_POINTS: Final = 1500
#: The version of the library would be written into each picture otherwise.
_NO_SOFTWARE: Final[dict[str, Any]] = {"Software": None}


def _figure(width: float, height: float, left: float = 0.75, bottom: float = 0.6) -> Figure:
    """A figure with margins, all in inches: finding out which would fit takes longer than drawing."""
    without: Any = "none"  # whatever layout a notebook has set; the library's stubs do not know this one
    figure = Figure(figsize=(width, height), dpi=120, layout=without)
    figure.subplots_adjust(left / width, bottom / height, 1 - 0.2 / width, 1 - 0.4 / height, hspace=0.22)
    FigureCanvasAgg(figure)
    return figure


def _tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.7)
    axes.set_axisbelow(True)


def precision_recall(y: Floats, risk: Floats, weight: Floats, others: Mapping[str, Floats] | None = None) -> Figure:
    """Precision over recall, raw and weighted, with the staff's capacities marked on the weighted curve; the weighted
    curves of `others` (risks by title) beside it."""
    figure = _figure(6.4, 4.6)
    axes = figure.subplots()
    _tidy(axes)

    def curve(w: Floats, of: Floats, label: str, **style: Any) -> None:
        precision, recall, _ = precision_recall_curve(y, of, sample_weight=w)
        axes.step(recall, precision, where="post", label=label, **style)

    for (title, of), (colour, dash) in zip((others or {}).items(), _OTHERS, strict=False):
        curve(weight, of, title, color=colour, linestyle=dash, linewidth=1.1)
    curve(np.ones(len(y)), risk, "This model, checked returns as they are", color=_GREY, linewidth=1.1)
    curve(weight, risk, "This model, all returns (weighted)", color=_BLUE, linewidth=1.8)
    precision, recall, _ = Ranked(y, risk, weight).at(np.array(CAPACITIES))
    axes.plot(recall, precision, "o", color=_BLUE, markersize=5)
    for capacity, p, r in zip(CAPACITIES, precision, recall, strict=True):
        axes.annotate(f"{capacity:.0%}", (r, p), xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.set(
        xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.05), title="Precision and recall, test stretch"
    )
    axes.legend(frameon=False, loc="upper right", fontsize=8)
    return figure


def calibration(raw: Ranked, weighted: Ranked, ranges: Sequence[Interval]) -> Figure:
    """Share found against mean risk in ten groups, both axes logarithmic because risks are small. `ranges` are those of
    the weighted groups."""
    figure = _figure(6.0, 5.2)
    axes = figure.subplots()
    _tidy(axes)
    floor = max(float(raw.risk.min()) / 2, 1e-4)
    tops, left = [0.01], 1.0
    for ranked, label, colour, marker in (
        (raw, "checked returns as they are", _GREY, "s"),
        (weighted, "all returns (weighted), with range", _BLUE, "o"),
    ):
        mean_risk, found, total = ranked.calibration()
        used = total > 0
        axes.plot(
            mean_risk[used], np.maximum(found[used], floor), marker, color=colour, markersize=6, alpha=0.9, label=label
        )
        tops += [float(mean_risk[used].max()), float(found[used].max())]
        left = min(left, float(mean_risk[used].min()))
    mean_risk, _, _ = weighted.calibration()
    known = [i for i, r in enumerate(ranges) if r.known]
    low = np.maximum([ranges[i].low for i in known], floor)
    high = np.maximum([ranges[i].high for i in known], floor)
    axes.fill_between(mean_risk[known], low, high, color=_BLUE, alpha=0.15, linewidth=0)
    axes.vlines(mean_risk[known], low, high, color=_BLUE, linewidth=1, alpha=0.7)
    top = min(1.0, max([*tops, *high.tolist()]) * 1.3)
    axes.plot([floor, top], [floor, top], color=_DARK, linewidth=1, linestyle="--", label="risk = share found")
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(left * 0.8, top),
        ylim=(floor * 0.8, top),
        xlabel="mean risk of the group",
        ylabel="share found (at the lower edge: none)",
        title="Calibration, test stretch",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%"))
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, loc="upper left", fontsize=8)
    return figure


#: Shares of the returns looked at over which the capacity curves run.
SHARES: Final = np.geomspace(0.005, 0.5, 30)


def capacity(
    curves: Mapping[str, tuple[Floats, Floats, Floats]], low: Sequence[Floats], high: Sequence[Floats]
) -> Figure:
    """Precision, recall and value found over the share of returns that is looked at (`SHARES`), one above the other.

    `curves` by title, this model first; `low` and `high` are the ranges of its three curves.
    """
    figure = _figure(6.4, 8.4)
    panels = figure.subplots(3, 1, sharex=True)
    headings = (
        "Precision: of what is looked at, abuse found",
        "Recall: of all abusive returns, found",
        "Value: of all abusive returns' value, found",
    )
    for k, (axes, heading) in enumerate(zip(panels, headings, strict=True)):
        _tidy(axes)
        axes.fill_between(SHARES, low[k], high[k], color=_BLUE, alpha=0.15, linewidth=0)
        for i, (title, values) in enumerate(curves.items()):
            colour, dash = (_BLUE, "-") if i == 0 else _OTHERS[(i - 1) % len(_OTHERS)]
            axes.plot(SHARES, values[k], color=colour, linestyle=dash, linewidth=1.8 if i == 0 else 1.1, label=title)
        if k:
            axes.plot(SHARES, SHARES, color=_GREY, linewidth=1, label="At random")
        for share in CAPACITIES:
            axes.axvline(share, color=_GREY, linewidth=0.7, linestyle=":")
        axes.set(xscale="log", ylim=(0, None))
        axes.set_title(heading, fontsize=10, loc="left")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    panels[1].legend(frameon=False, loc="upper left", fontsize=8)
    panels[2].set_xlabel("share of all returns that is looked at, riskiest first")
    ticks = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    panels[2].set_xticks(ticks, [f"{100 * t:g}%" for t in ticks])
    panels[2].minorticks_off()
    return figure


def kinds(rows: Sequence[Mapping[str, Cell]]) -> Figure:
    """Of each kind of abuse, the share that lies among the riskiest 1, 2 and 5% of all returns (rows of `by_kind`)."""
    figure = _figure(6.4, 1.5 + 0.62 * len(rows), left=1.9, bottom=0.95)
    axes = figure.subplots()
    _tidy(axes)
    shades = ("#1a4971", "#2b6cb0", "#90b8dd")
    height = 0.26
    for i, (share, colour) in enumerate(zip(CAPACITIES, shades, strict=True)):
        cells = [_interval(row[f"recall_at_{share:.0%}".rstrip("%")]) for row in rows]
        at = np.arange(len(rows)) + (i - 1) * height
        values = np.array([c.estimate for c in cells])
        axes.barh(at, values, height=height * 0.92, color=colour, label=f"riskiest {share:.0%}")
        known = np.array([c.known for c in cells])
        axes.hlines(
            at[known],
            [c.low for c in cells if c.known],
            [c.high for c in cells if c.known],
            color=_DARK,
            linewidth=0.9,
        )
    labels = [f"{row['kind']} ({row['positives']}{', few' if row['small'] else ''})" for row in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=9)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="share of this kind's abusive returns (weighted, with range)")
    axes.set_title("Found by kind of abuse (in brackets: how many there are)", fontsize=10, loc="left")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    figure.legend(frameon=False, loc="lower center", ncols=3, fontsize=8)
    return figure


def over_time(rows: Sequence[Mapping[str, Cell]]) -> Figure:
    """Base rate and mean risk, and precision under one cut, by period (rows of `by_group`); those of few positives are
    hollow and without range."""
    figure = _figure(6.4, 5.6, bottom=0.75)
    upper, lower = figure.subplots(2, 1, sharex=True)
    at = np.arange(len(rows))
    for axes, key, label, colour in (
        (upper, "base_rate", "Abuse found (weighted, with range)", _BLUE),
        (lower, "precision", "Precision among the riskiest 5% of all returns", _BLUE),
    ):
        _tidy(axes)
        cells = [_interval(row[key]) for row in rows]
        axes.plot(at, [c.estimate for c in cells], "o-", color=colour, label=label, linewidth=1.4)
        few = [i for i, row in enumerate(rows) if row["small"]]
        axes.plot(few, [cells[i].estimate for i in few], "o", color=colour, markerfacecolor="white")
        known = [i for i, c in enumerate(cells) if c.known and i not in few]
        axes.vlines(known, [cells[i].low for i in known], [cells[i].high for i in known], color=colour, alpha=0.6)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        axes.set_ylim(bottom=0)
    upper.plot(at, [_number(row["mean_risk"]) for row in rows], "s--", color=_ORANGE, label="Mean risk", linewidth=1.2)
    upper.set_title("Over time: how much is found, and how much was expected", fontsize=10, loc="left")
    lower.set_title("Precision under one cut for all periods", fontsize=10, loc="left")
    upper.legend(frameon=False, fontsize=8)
    labels = [f"{row['group']}\n{row['rows']:,} checked\n{row['positives']} found" for row in rows]
    lower.set_xticks(at, labels, fontsize=8 if len(rows) < 9 else 6)
    lower.set_xlim(-0.5, len(rows) - 0.5)
    return figure


def _interval(cell: Cell) -> Interval:
    return cell if isinstance(cell, Interval) else Interval(_number(cell))


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else float("nan")


def contributions(model: RiskModel, X: Floats) -> Figure:
    """What moves the risk: the features that matter most, each return a point, and the sum of each reason family."""
    rows = X[np.linspace(0, len(X) - 1, min(len(X), _POINTS)).astype(int)]
    parts = model.contributions(rows)
    families = [f.family or "other" for f in model.card.features]
    figure = _figure(11.5, 6.2)
    figure.set_layout_engine("constrained")  # names of features have any length
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
    axes.axvline(0, color=_DARK, linewidth=0.8)
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
    axes.axvline(0, color=_DARK, linewidth=0.8)
    axes.set_yticks(range(len(order)), [names[i] for i in order], fontsize=8)
    axes.set(xlabel="mean contribution (log-odds)", title="By reason family")
    axes.legend(frameon=False, loc="lower right", fontsize=8)


def png(figure: Figure) -> bytes:
    """A figure as PNG, without the moment it was drawn."""
    out = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()  # once; `savefig` draws everything twice
    imsave(out, canvas.buffer_rgba(), format="png", metadata=_NO_SOFTWARE, dpi=figure.dpi)
    return out.getvalue()

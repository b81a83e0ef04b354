"""The parts of a model card that break its figures down: random checks, calibration, kinds, segments, time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from features.signals import ModelFeature
from training.evaluation import breakdowns, plots
from training.evaluation.breakdowns import ENOUGH_EFFECTIVE, ENOUGH_POSITIVES, Stretch
from training.evaluation.card import Part, Plot
from training.evaluation.headline import HEADLINE
from training.evaluation.intervals import Band, Interval, calibration_by_chance
from training.evaluation.metrics import CAPACITIES, Ranked, at_share
from training.evaluation.tables import Cell, Column, Table


def random_checks(stretch: Stretch) -> Part:
    """What random checks alone say, beside all checks."""
    found = breakdowns.by_trigger(stretch)
    columns = (
        Column("checks", "checks"),
        Column("rows", "returns", "count"),
        Column("positives", "abuse found", "count"),
        Column("effective_rows", "effective returns", "count"),
        Column("effective_positives", "effective, abuse found", "count"),
        Column("base_rate", "share found", "share"),
        *HEADLINE[:5],
    )
    sentences = [
        "Other checks were made where somebody expected to find something, which flatters raw precision and hides what "
        "nobody looked for. Random checks are few and fair: where the two disagree, believe the random ones as far as "
        "their range allows."
    ]
    if not found[-1]["rows"]:
        sentences.append("No check of this stretch was random: nothing here tells what nobody looked for.")
    return Part(
        "Random checks alone",
        tuple(sentences),
        tables=(Table("random_checks", "By why returns were checked", columns, tuple(found)),),
    )


def calibration(raw: Ranked, weighted: Ranked, error: Interval, band: Band) -> Part:
    """Whether the risks are right; `error` is the weighted calibration error."""
    mean_risk, _, total = weighted.calibration()
    chance = calibration_by_chance(weighted)
    rows: list[dict[str, Cell]] = []
    for i in np.flatnonzero(total > 0):
        inside = weighted.group == i
        rows.append(
            {
                "group": f"{len(rows) + 1}",
                "rows": int(inside.sum()),
                "positives": int(weighted.y[inside].sum()),
                "mean_risk": float(mean_risk[i]),
                "found": band.groups[i],
                "off": bool(band.groups[i].known and not band.groups[i].low <= mean_risk[i] <= band.groups[i].high),
            }
        )
    verdict = (
        "no more than chance alone explains"
        if error.estimate <= chance
        else "more than chance alone explains, so that the risks are off somewhere"
    )
    sentences = (
        f"The mean risk of all returns is {np.average(weighted.risk, weights=weighted.weight):.2%}, the share found "
        f"{np.average(weighted.y, weights=weighted.weight):.2%} (weighted). The calibration error, the mean distance "
        f"between the two over the ten groups, is {error.estimate:.4f}. If every risk were exactly right, as many "
        f"checks would show up to {chance:.4f} in 95 of 100 cases: the error is {verdict}.",
    )
    table = Table(
        "calibration",
        "Ten groups of equal weight, in order of risk (weighted)",
        (
            Column("group", "group"),
            Column("rows", "checked returns", "count"),
            Column("positives", "abuse found", "count"),
            Column("mean_risk", "mean risk", "share"),
            Column("found", "share found", "share"),
            Column("off", "risk outside the range"),
        ),
        tuple(rows),
    )
    picture = Plot(
        "calibration",
        "Share found against mean risk in ten groups. On the dashed line the two are equal; bars and shade are ranges.",
        plots.png(plots.calibration(raw, weighted, band.groups)),
    )
    return Part("Calibration", sentences, tables=(table,), plots=(picture,))


def kinds(stretch: Stretch) -> Part:
    """Which kinds of abuse are found."""
    rows = breakdowns.by_kind(stretch)
    columns = (
        Column("kind", "kind"),
        Column("positives", "found", "count"),
        Column("effective_positives", "effective", "count"),
        Column("share_of_abuse", "of all abuse", "share"),
        Column("mean_value", "mean value", "money"),
        Column("mean_risk", "mean risk", "share"),
        *(Column(at_share("recall", c), f"among riskiest {c:.0%}", "share") for c in CAPACITIES),
    )
    note = "Of each kind's abusive returns, the share that lies among the riskiest of all returns (weighted)."
    picture = Plot("kinds", "Recall by kind of abuse at three capacities.", plots.png(plots.kinds(rows)))
    return Part(
        "By kind of abuse",
        ("What was found, as the verdict names it or, without a verdict, as the finding suggests.",),
        tables=(Table("kinds", "Recall by kind of abuse", columns, tuple(rows), note),),
        plots=(picture,),
    )


_GROUP_COLUMNS: Final = (
    Column("rows", "checked", "count"),
    Column("positives", "abuse found", "count"),
    Column("effective_rows", "effective returns", "count"),
    Column("effective_positives", "effective, abuse found", "count"),
    Column("base_rate", "share found", "share"),
    Column("mean_risk", "mean risk", "share"),
    Column("auc", "AUC", "figure"),
    Column("average_precision", "average precision", "figure"),
    Column("share_looked_at", "of it looked at", "share"),
    Column("precision", "precision of that", "share"),
)
_ONE_CUT: Final = (
    "All groups stand under one cut: the riskiest 5% of all returns are looked at. Shares are weighted. A group with "
    f"fewer than {ENOUGH_POSITIVES} findings, or fewer than {ENOUGH_EFFECTIVE} effective ones, is marked (few); "
    "average precision and AUC are not told for it. Average precision rises with the share found, so compare it within "
    "a group, not between groups. With many groups, one in twenty ranges misses by chance."
)


def segments(stretch: Stretch, features: Sequence[ModelFeature]) -> Part:
    """Figures of each group of each segment."""
    tables = []
    for title, (groups, order) in breakdowns.segments(stretch.rows, features).items():
        found = breakdowns.by_group(stretch, groups, order)
        columns = (Column("group", title), *_GROUP_COLUMNS)
        tables.append(Table(f"by_{title.replace(' ', '_')}", f"By {title}", columns, tuple(found)))
    return Part("By segment", (_ONE_CUT,), tables=tuple(tables))


def over_time(stretch: Stretch) -> Part:
    """Figures of each month or quarter."""
    groups, order = breakdowns.periods(stretch.rows.requested_at)
    found = breakdowns.by_group(stretch, groups, order)
    picture = Plot(
        "over_time",
        "Share found and mean risk by period, and precision under one cut for all periods, with ranges. Hollow: few "
        "findings.",
        plots.png(plots.over_time(found)),
    )
    return Part(
        "Over time",
        (
            "By the month of the request (the quarter, for a long stretch). The first and the last period may be cut "
            "short. A share found that leaves the mean risk behind means that the risks need a new calibration; a "
            "falling AUC, that the model needs to be trained anew.",
        ),
        tables=(Table("over_time", "By period", (Column("group", "period"), *_GROUP_COLUMNS), tuple(found)),),
        plots=(picture,),
    )

"""The results part of a model card: this model beside its rivals, at the staff's capacity, and what it saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from training.evaluation import plots
from training.evaluation.baselines import Rival
from training.evaluation.breakdowns import Stretch
from training.evaluation.card import Part, Plot
from training.evaluation.costs import Costs
from training.evaluation.intervals import Band, Interval, Resampled
from training.evaluation.metrics import CAPACITIES, Ranked, at_share
from training.evaluation.tables import Cell, Column, Table
from training.labels import effective_size

THIS: Final = "this model"
#: Figures that are told with their range wherever models are compared.
HEADLINE: Final = (
    Column("average_precision", "average precision", "figure"),
    Column("auc", "AUC", "figure"),
    Column("precision_at_2", "precision at 2%", "share"),
    Column("recall_at_2", "recall at 2%", "share"),
    Column("value_at_2", "value found at 2%", "share"),
    Column("cost_saved", "saved per 1,000 returns", "money"),
    Column("calibration_error", "calibration error", "small"),
)
#: Figures whose difference to a rival is told.
COMPARED: Final = (
    Column("average_precision", "average precision", "difference"),
    Column("auc", "AUC", "difference"),
    Column("precision_at_2", "precision at 2%, points", "points"),
    Column("value_at_2", "value found at 2%, points", "points"),
    Column("cost_saved", "saved per 1,000 returns", "money_difference"),
)
#: Effective positives below which weighted figures are called rough.
_ROUGH: Final = 30
#: A share of all value found that one return should not have.
_HEAVY: Final = 0.2


def results(
    stretch: Stretch,
    raw: Mapping[str, Resampled],
    weighted: Mapping[str, Resampled],
    differences: Mapping[str, Mapping[str, Interval]],
    rivals: Sequence[Rival],
    rankings: Mapping[str, Ranked],
    band: Band,
    costs: Costs,
) -> Part:
    """Models by name (`THIS` first), their figures raw and weighted, their weighted `rankings`, the `differences` of
    this model to each rival, and the ranges of its curves."""
    rows, weight = stretch.rows, stretch.weight
    titles = {THIS: "This model"} | {r.name: r.title for r in rivals}
    effective = effective_size(weight[rows.y == 1])
    sentences = [
        f"{len(rows):,} checked returns, abuse found in {rows.positives:,}, all later than anything the model learned "
        f"from. The first table estimates the figures among all returns; it rests on as much as {effective:.0f} "
        f"equally weighted findings would tell. The second counts the checked returns as they are.",
        "In brackets: the range in which 95 of 100 resamples of the customers lie.",
    ]
    if effective < _ROUGH:
        sentences.append("That is few: read the weighted figures as ranges, not as numbers.")
    largest = _largest(stretch)
    if largest > _HEAVY:
        sentences.append(
            f"One return alone carries {largest:.0%} of the value of all abusive returns (weighted): figures of value "
            "and money rest on it."
        )
    sentences += [f"Not compared with {r.title.lower()}: {r.note}." for r in rivals if r.risk is None]
    how = "; ".join(f"{r.title.lower()} {r.note}" for r in rivals if r.risk is not None and r.note)
    tables = [
        _models("results_weighted", "Estimated for all returns (weighted)", weighted, titles, f"{how}." if how else ""),
        _models("results_raw", "Among the checked returns, as they are", raw, titles),
        _at_capacities(raw[THIS], weighted[THIS]),
        _costs(weighted, titles, costs),
    ]
    if differences:
        tables.insert(2, _differences(differences, titles))
    curves = {titles[name]: ranked.at(plots.SHARES) for name, ranked in rankings.items()}
    others = {r.title: r.risk for r in rivals if r.risk is not None}
    pictures = (
        Plot(
            "precision_recall",
            "Precision over recall on the test stretch. The dots mark where the riskiest 1, 2 and 5% of all returns "
            "are looked at.",
            plots.png(plots.precision_recall(rows.y, stretch.risk, weight, others)),
        ),
        Plot(
            "capacity",
            "Precision, recall and value found (weighted) over the share of returns that is looked at. Dotted lines: "
            "1, 2 and 5%. The shaded range is that of this model.",
            plots.png(plots.capacity(curves, band.low, band.high)),
        ),
    )
    return Part("Results", tuple(sentences), tables=tuple(tables), plots=pictures)


def _largest(stretch: Stretch) -> float:
    """The largest share that one return has in the weighted value of all abusive returns."""
    worth = stretch.weight * stretch.value * stretch.rows.y
    return float(worth.max() / worth.sum()) if worth.sum() > 0 else 0.0


def _models(
    name: str, caption: str, models: Mapping[str, Resampled], titles: Mapping[str, str], note: str = ""
) -> Table:
    rows: list[dict[str, Cell]] = [
        {"model": titles[key], "strong": key == THIS, **{c.key: one.interval(c.key) for c in HEADLINE}}
        for key, one in models.items()
    ]
    return Table(name, caption, (Column("model", "model"), *HEADLINE), tuple(rows), note[:1].upper() + note[1:])


def _differences(differences: Mapping[str, Mapping[str, Interval]], titles: Mapping[str, str]) -> Table:
    rows: list[dict[str, Cell]] = [
        {"model": titles[name], **of, "reading": reading(of["average_precision"])} for name, of in differences.items()
    ]
    return Table(
        "differences",
        "This model less another, on the same returns (weighted)",
        (Column("model", "other model"), *COMPARED, Column("reading", "average precision is")),
        tuple(rows),
        "Both are judged in the same resamples: a difference can be clear although the ranges of the two figures "
        "overlap.",
    )


def reading(difference: Interval) -> str:
    """A difference in words.

    >>> reading(Interval(0.1, 0.05, 0.2)), reading(Interval(0.1, -0.05, 0.2))
    ('clearly higher', 'not clearly different')
    """
    if difference.known and difference.low > 0:
        return "clearly higher"
    if difference.known and difference.high < 0:
        return "clearly lower"
    return "not clearly different"


def _at_capacities(raw: Resampled, weighted: Resampled) -> Table:
    figures = (("precision", "precision"), ("recall", "recall"), ("value", "value found"))
    columns = [Column("share", "looked at")]
    columns += [Column(f"{key}_weighted", f"{heading}, all returns", "share") for key, heading in figures]
    columns += [Column(key, f"{heading}, checked returns", "share") for key, heading in figures]
    rows: list[dict[str, Cell]] = []
    for capacity in CAPACITIES:
        row: dict[str, Cell] = {"share": f"riskiest {capacity:.0%}"}
        for key, _ in figures:
            row[f"{key}_weighted"] = weighted.interval(at_share(key, capacity))
            row[key] = raw.interval(at_share(key, capacity))
        rows.append(row)
    return Table(
        "capacity",
        "At the staff's capacity",
        tuple(columns),
        tuple(rows),
        "Precision: of what is looked at, abuse found. Recall: of all abusive returns, found. Value found: the same by "
        "the value of the goods.",
    )


def _costs(weighted: Mapping[str, Resampled], titles: Mapping[str, str], costs: Costs) -> Table:
    columns = (
        Column("model", "model"),
        Column("share_checked", "returns checked", "share"),
        Column("cost_saved", "saved against checking nothing", "money"),
        Column("cost_saved_over_random", "saved against as many random checks", "money"),
    )
    rows: list[dict[str, Cell]] = [
        {"model": titles[key], "strong": key == THIS, **{c.key: one.interval(c.key) for c in columns[1:]}}
        for key, one in weighted.items()
    ]
    return Table(
        "costs",
        "Cost saved per 1,000 returns if a check is made wherever it is expected to pay (weighted)",
        columns,
        tuple(rows),
        f"Assumed, in the currency of the orders: a check costs {costs.check:g}; of an abusive return that is paid out "
        f"{costs.loss:.0%} of the goods' value is lost; keeping an honest shopper waiting costs {costs.friction:g}.",
    )

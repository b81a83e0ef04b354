"""The whole model card, and its parts that tell where a model comes from and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.risk_model import ModelCard, RiskModel
from training.dataset import Rows, day
from training.evaluation import plots
from training.evaluation.card import Card, Part, Plot
from training.evaluation.origin import data, labels
from training.evaluation.report import Judged
from training.evaluation.tables import Cell, Column, Kind, Table, shown
from training.section import Section

Floats = npt.NDArray[np.float64]

PURPOSE: Final = Part(
    "What it is for",
    sentences=(
        "The model gives each return request a probability that a careful inspection would confirm abuse. A written "
        "policy turns this risk, the value and the customer's rights into one of four actions, none of which refuses "
        "anything. Only a person can conclude that a return was abusive, with evidence recorded. It is there to verify "
        "rather than to accuse.",
    ),
    points=(
        "For: choosing which returns are worth a check before or after the refund, and in which order staff look at "
        "them.",
        "For: telling staff what speaks for and against a concern, and which check would settle it.",
        "Not for: refusing a return, a refund or an account, or lowering a sum, on the strength of a score.",
        "Not for: judging a person. A risk is about one request, and most requests with a raised risk are in order.",
        "Not for: employees, credit, or any decision other than which check to make.",
        "Not for: another retailer's returns, or a shop whose goods, terms or checks have changed, without training "
        "and measuring it anew.",
    ),
)

LIMITS: Final = Part(
    "Limits",
    points=(
        "It learned from checks, not from the truth. What inspections miss counts as cleared here, and what they see "
        "wrongly counts as found; both make figures look different from what they are.",
        "Returns were not picked evenly for checks. The weighted figures undo that only as far as the odds of the "
        "checks were recorded and were never zero: a kind of return that is never checked is judged by its likeness "
        "to others.",
        "A new kind of abuse is not in it until checks have found some. Only random checks find what the model does "
        "not look for.",
        "Ranges come from resampling customers of one stretch of time. They do not tell what a change of season, "
        "goods, terms or behaviour will do.",
        "A group with few findings is marked (few). Its figures say next to nothing, good or bad.",
        "With a thin history the risk is drawn to the base rate: a new customer is not singled out, and not cleared "
        "either.",
        "The cost saved rests on assumptions that a person wrote down; put in your own before acting on it.",
    ),
)


def training(card: ModelCard, parameters: Mapping[str, object], plot: Plot | None) -> Part:
    """How it was made, in the order in which it happens."""
    if card.prior:
        made = (
            "A prior model: it was not learned from findings but follows weights that a person wrote down "
            "(`training/prior.toml`), at an assumed base rate. It orders returns by how unusual their history is among "
            "the returns of the same ledger. Its risk is no measured probability and no evidence of abuse.",
        )
    else:
        made = (
            "Gradient-boosted trees (LightGBM) on the train and the calibration stretch; where the direction of a "
            "feature is not in doubt the risk can only move that way. How scores become probabilities was learned on "
            "the calibration stretch, from trees of the train stretch alone. All figures are measured on the test "
            "stretch, which is later still. Between two stretches lies a gap as long as labels usually take. The "
            "model that was tested is the model that is registered.",
        )
    thin = card.thin_history
    facts: dict[str, Cell] = {
        "features": len(card.features),
        "calibration": card.calibration.method,
        "base rate": f"{card.base_rate:.2%}{' (assumed)' if card.prior else ''}",
        "elevated from a risk of": f"{card.bands.elevated:.2%}",
        "high from a risk of": f"{card.bands.high:.2%}",
        "thin history": "no rule"
        if thin is None
        else f"under {thin.orders} orders: drawn to the base rate, at most {thin.cap:g} times it",
        **{name.replace("_", " "): str(value) for name, value in parameters.items()},
    }
    table = Table(
        "training",
        "What was chosen and what came out",
        (Column("what", "what"), Column("value", "value")),
        tuple({"what": name, "value": value} for name, value in facts.items()),
    )
    return Part("How it was trained", made, tables=(table,), plots=(plot,) if plot else ())


def contributions_plot(model: RiskModel, X: Floats) -> Plot:
    """What moves the risk of rows (n, k) of the model's features."""
    caption = (
        "What moves the risk. Left: each dot is a return; the further right, the more the feature raises its risk. "
        "Right: the same, added up by reason family."
    )
    return Plot("contributions", caption, plots.png(plots.contributions(model, X)))


def model_card(
    name: str,
    version: str,
    card: ModelCard,
    known: pd.DataFrame,
    stretches: Mapping[str, Rows],
    judged: Judged | None,
    *,
    parameters: Mapping[str, object] | None = None,
    contributions: Plot | None = None,
    notes: tuple[str, ...] = (),
    reasons: Part | None = None,
    fairness: Part | None = None,
) -> Card:
    """The card of a version.

    Args:
        name, version: of the registered model.
        card: what is stored with the model.
        known: labels as `read_labels` gives them.
        stretches: labelled returns by title, in order of time; the last is what it was judged on.
        judged: what was measured; None if there was nothing to measure it on.
        parameters: further facts about the training.
        contributions: plot of what moves the risk.
        notes: sentences about this measurement that a reader must know.
        reasons, fairness: measured elsewhere, if they were.
    """
    facts = [
        ("Model", f"{name}, version {version}"),
        ("Trained on what was known at", f"{card.trained_until[:19]} UTC"),
    ]
    facts.append(("Kind", "prior model, not learned from findings" if card.prior else "learned from findings"))
    facts.append(("Data version", str(card.data.get("digest", "unknown"))))
    test = list(stretches.values())[-1] if stretches else None
    if judged is not None and test is not None:
        facts.append(("Judged on requests", f"{day(int(test.requested_at[0]))} to {day(int(test.requested_at[-1]))}"))
        summary = f"{_OPENING} {verdict(judged, test)}"
    else:
        summary = f"{_OPENING} Nothing is measured here, because there are too few labels to measure it on."
    results = (
        judged.parts if judged is not None else (Part("Results", ("There are too few labels to measure it on.",)),)
    )
    first, *others = results
    return Card(
        title=f"Model card: {name}, version {version}",
        summary=summary,
        facts=tuple(facts),
        before=(
            PURPOSE,
            Part(first.title, (*notes, *first.sentences), first.points, first.tables, first.plots),
            *others,
            data(card),
            labels(known, stretches),
            training(card, parameters or {}, contributions),
        ),
        after=(LIMITS,),
        reasons=reasons,
        fairness=fairness,
    )


_OPENING: Final = "How likely is it that a careful inspection of a return would confirm abuse?"


def verdict(judged: Judged, rows: Rows) -> str:
    """The headline figures in sentences."""

    def told(figure: str, kind: Kind) -> str:
        return shown(judged.ranges[f"{figure}_weighted"], kind)

    return (
        f"On {len(rows):,} later checked returns (abuse found in {rows.positives:,}), estimated for all returns: "
        f"average precision {told('average_precision', 'figure')}, AUC {told('auc', 'figure')}; of the riskiest 2%, "
        f"{told('precision_at_2', 'share')} are abusive, and these hold {told('value_at_2', 'share')} of the value of "
        f"all abusive returns; calibration error {told('calibration_error', 'small')}. In brackets the range in which "
        "95 of 100 resamples of the customers lie."
    )


def part_of(section: Section) -> Part:
    """A section that was measured elsewhere (reasons, fairness) as a part of the card."""
    plots_made = (Plot(name, section.title, plots.png(figure)) for name, figure in section.figures.items())
    tables = (_table(number, section, *table) for number, table in enumerate(section.tables, start=1))
    return Part(section.title, tuple(section.sentences), (), tuple(tables), tuple(plots_made))


def _table(number: int, section: Section, caption: str, frame: pd.DataFrame) -> Table:
    """A frame as a table of the card; whole numbers as counts, others as figures."""
    columns = tuple(Column(str(name), str(name), _kind(frame[name])) for name in frame.columns)
    rows = tuple({str(key): value for key, value in row.items()} for row in frame.to_dict("records"))
    name = f"{Part(section.title).anchor.split('-')[0]}_{number}"
    return Table(name, caption, columns, rows)


def _kind(column: pd.Series[Any]) -> Kind:
    if not pd.api.types.is_numeric_dtype(column):
        return "text"
    known = column.dropna()
    return "count" if (known == known.round()).all() and (known.abs() > 1).any() else "figure"

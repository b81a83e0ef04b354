"""The parts of a model card about what a model comes from: the state of the ledger, and the labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.risk_model import ModelCard
from training.dataset import ESTIMATE_CLIP, TREE_CLIP, Rows, day
from training.evaluation.card import Part
from training.evaluation.tables import Cell, Column, Table
from training.labels import effective_size, weights

Floats = npt.NDArray[np.float64]


def data(card: ModelCard) -> Part:
    """Which state of the ledger it was trained on."""
    rows: list[dict[str, Cell]] = [
        {"what": name.removeprefix("rows_").replace("_", " "), "rows": value}
        for name, value in card.data.items()
        if name.startswith("rows_")
    ]
    latest = card.data.get("recorded_until_us")
    known = f" The latest of it was recorded on {day(int(latest))}." if latest is not None else ""
    return Part(
        "Data",
        sentences=(
            f"The ledger as known at {card.trained_until[:19] or 'an unknown moment'} UTC, data version "
            f"`{card.data.get('digest', 'unknown')}` (epoch {card.data.get('epoch', 'unknown')}: it changes when bulk "
            f"ingest rewrites the past).{known} Every feature has the value that was known at the moment of the "
            "request it belongs to.",
        ),
        tables=(
            Table(
                "data",
                "Rows of the ledger",
                (Column("what", "table"), Column("rows", "rows", "count")),
                tuple(rows),
            ),
        )
        if rows
        else (),
    )


def labels(known: pd.DataFrame, stretches: Mapping[str, Rows]) -> Part:
    """What it learned from and is judged on: `known` as `read_labels` gives it, and the stretches by title."""
    sentences = [
        "Positive: a verdict of abuse that rests on an inspection, a carrier trace or an admission, or without a "
        "verdict a finding of concern. Negative: a verdict that cleared the return, or without one a finding that all "
        "was in order. Everything else is unknown and takes no part.",
        f"A checked return stands for as many as one over the odds of its check, at most {TREE_CLIP:g} when trees are "
        f"fitted and at most {ESTIMATE_CLIP:g} when risks are calibrated and figures are weighted; a check without "
        "recorded odds stands for itself. The effective number says how many equally weighted returns would tell as "
        "much: it is what weighted figures rest on.",
    ]
    if not len(known):
        sentences.append("Nothing has been inspected yet, so that there is no label.")
        return Part("Labels", tuple(sentences))
    return Part("Labels", tuple(sentences), tables=(_by_stretch(stretches), _by_strength(known), _by_trigger(known)))


_COUNTS: Final = (
    Column("returns", "returns", "count"),
    Column("positive", "abuse found", "count"),
    Column("effective", "effective returns", "count"),
    Column("effective_positive", "effective, abuse found", "count"),
)


def _counts(y: Floats, odds: Floats) -> dict[str, Cell]:
    w = weights(odds, clip=ESTIMATE_CLIP)
    return {
        "returns": len(y),
        "positive": int((y == 1).sum()),
        "effective": effective_size(w),
        "effective_positive": effective_size(w[y == 1]),
    }


def _by_stretch(stretches: Mapping[str, Rows]) -> Table:
    rows: list[dict[str, Cell]] = []
    for title, part in stretches.items():
        if not len(part):
            rows.append({"stretch": title, "from": None, "to": None, "returns": 0, "positive": 0})
            continue
        first, last = int(part.requested_at[0]), int(part.requested_at[-1])
        rows.append({"stretch": title, "from": day(first), "to": day(last), **_counts(part.y, part.odds)})
    columns = (Column("stretch", "stretch"), Column("from", "from"), Column("to", "to"), *_COUNTS)
    return Table("stretches", "Stretches of time, by the day of the request", columns, tuple(rows))


def _by_strength(known: pd.DataFrame) -> Table:
    labelled = known["label"].notna()
    rows: list[dict[str, Cell]] = []
    for title, inside in (
        ("a person's verdict, on evidence", labelled & (known["strength"] == "verdict")),
        ("a finding, no verdict", labelled & (known["strength"] != "verdict")),
        ("looked at, still unknown", ~labelled),
    ):
        y = known.loc[inside, "label"]
        rows.append({"rests_on": title, "returns": int(inside.sum()), "positive": int((y == 1).sum())})
    return Table(
        "label_strength",
        "How strong the labels are (all that are known)",
        (Column("rests_on", "rests on"), *_COUNTS[:2]),
        tuple(rows),
    )


def _by_trigger(known: pd.DataFrame) -> Table:
    labelled = known[known["label"].notna()]
    trigger = labelled["trigger"].where(labelled["trigger"].notna(), "not recorded")
    rows: list[dict[str, Cell]] = []
    for name in sorted(set(trigger)):
        part = labelled[trigger == name]
        odds = part["propensity"].to_numpy(dtype=np.float64)
        usual = float(np.median(odds[np.isfinite(odds)])) if np.isfinite(odds).any() else None
        rows.append(
            {
                "why": str(name),
                **_counts(part["label"].to_numpy(dtype=np.float64), odds),
                "odds": usual,
                "without_odds": int((~np.isfinite(odds)).sum()),
            }
        )
    columns = (
        Column("why", "why it was checked"),
        *_COUNTS,
        Column("odds", "usual odds", "share"),
        Column("without_odds", "odds not recorded", "count"),
    )
    return Table("label_triggers", "How the checked returns were picked", columns, tuple(rows))

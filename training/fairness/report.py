"""Is the model as right about one group as about another, within the written bounds?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from features.risk_model import RiskModel
from features.signals import ModelFeature
from training.dataset import ESTIMATE_CLIP, Rows
from training.fairness.bounds import Bounds, read_bounds
from training.fairness.frame import ALL, Flag, Returns, customer_codes, flags_of, group_table
from training.fairness.left_out import LeftOut, read_left_out
from training.fairness.plot import ratios
from training.fairness.segments import SEGMENTS, UNKNOWN, segments
from training.section import Section

_AT_MOST: Final = 100_000
_COLUMNS: Final = {
    "n": "checked returns",
    "effective_honest": "effective number of honest ones",
    "mean_risk": "mean risk",
    "share_found": "share found",
    "calibration_error": "calibration error",
}
_FLAG_COLUMNS: Final = {
    "flag_rate": "flagged",
    "false_positive_rate": "false-positive rate",
    "recall": "recall",
    "ratio": "ratio to all",
}


@dataclass(frozen=True)
class Breach:
    """A bound that a group exceeds beyond noise, in a sentence. `segment` and `group` are empty for what concerns a
    feature; `measure` is `false_positive_ratio`, `calibration_gap` or `left_out`."""

    segment: str
    group: str
    measure: str
    value: float
    sentence: str


@dataclass(frozen=True)
class FairnessReport:
    """Tables by segment (rows: `all` and the groups, columns as in `frame.group_table`, and `judged`), and breaches."""

    flags: tuple[Flag, ...]
    tables: dict[str, pd.DataFrame]
    breaches: tuple[Breach, ...]
    bounds: Bounds
    left_out: LeftOut

    @property
    def fair(self) -> bool:
        """Whether every bound holds."""
        return not self.breaches

    @property
    def metrics(self) -> dict[str, float]:
        """The worst figures among groups that were judged, for the run."""
        out: dict[str, float] = {}
        for flag in self.flags:
            out[f"fairness_worst_ratio_{flag.name}"] = self._worst(f"{flag.name}:ratio")
        out["fairness_worst_gap"] = self._worst("gap_excess")
        out["fairness_breaches"] = float(len(self.breaches))
        return out

    def section(self) -> Section:
        """For the model card: sentences, a table per segment, and a picture of the ratios."""
        return Section(
            title="Fairness: error rates by group",
            sentences=[*self._sentences()],
            tables=[*self._shown(), ("Left out of the model, and why", self._left_out_table())],
            figures={"fairness": ratios(self.tables, self.flags[0], self.bounds.false_positive_ratio)},
        )

    def _worst(self, column: str) -> float:
        judged = [table.loc[table["judged"] == 1, column].abs() for table in self.tables.values()]
        values = pd.concat(judged).dropna()
        return float(values.max()) if len(values) else float("nan")

    def _sentences(self) -> Iterator[str]:
        if self.breaches:
            yield from (breach.sentence for breach in self.breaches)
        else:
            yield "No group exceeds a written bound beyond noise."
        small = [
            f"{group} ({SEGMENTS[segment].lower()})"
            for segment, table in self.tables.items()
            for group in table.index[(table["judged"] == 0) & (table.index != ALL)]
        ]
        if small:
            yield (
                f"Shown but not judged, because fewer than {self.bounds.min_effective_size:g} honest returns "
                f"(effective number) were checked: {', '.join(small)}."
            )
        texts = " and ".join(f"{flag.text} (risk from {flag.from_risk:.3f})" for flag in self.flags)
        yield f"Flagged means {texts}; both are judged."

    def _shown(self) -> Iterator[tuple[str, pd.DataFrame]]:
        flag = self.flags[0]
        for segment, table in self.tables.items():
            shown = table[list(_COLUMNS)].rename(columns=_COLUMNS)
            for column, heading in _FLAG_COLUMNS.items():
                shown[heading] = table[f"{flag.name}:{column}"]
            shown["from"], shown["to"] = table[f"{flag.name}:ratio_low"], table[f"{flag.name}:ratio_high"]
            yield f"{SEGMENTS[segment]} (flagged: {flag.text})", shown.rename_axis(index="group").reset_index()

    def _left_out_table(self) -> pd.DataFrame:
        return pd.DataFrame(
            [(entry.name, entry.reason) for entry in self.left_out.left_out], columns=["left out", "why"]
        )


def assess_fairness(
    rows: Rows,
    features: Sequence[ModelFeature],
    model: RiskModel,
    everyone: Rows | None = None,
    bounds: Bounds | None = None,
) -> FairnessReport:
    """Compare error rates and calibration of a model over groups of returns that it was not fitted on.

    `rows` are labelled (n,), their columns in the order of `features`; they are weighted by the odds of their checks.
    `everyone` are all returns of the same time, checked or not, or an even sample of them; their labels are not looked
    at. With them the figures are far steadier, because how many of each group are flagged then needs no estimate.
    """
    bounds = bounds or read_bounds()
    left_out = read_left_out()
    rows, everyone = _thinned(rows), None if everyone is None else _thinned(everyone)
    checked, others = _returns(rows, everyone, model)
    flags = flags_of(others.risk, others.weight, model.card.bands.high, bounds.flag_share)
    groups, groups_of_all = (segments(part, features) for part in (rows, rows if everyone is None else everyone))
    tables = {}
    for name in SEGMENTS:
        of_rows, of_all = groups[name].to_numpy(dtype=object), groups_of_all[name].to_numpy(dtype=object)
        if (of_rows == UNKNOWN).all():  # nothing is known to tell groups by
            continue
        table = group_table(checked, rows.y, of_rows, others, of_all, flags, bounds.confidence)
        judged = (table["effective_honest"] >= bounds.min_effective_size) & (table.index != ALL)
        tables[name] = table.assign(judged=judged.astype(np.float64))
    breaches = [Breach("", "", "left_out", float("nan"), sentence) for sentence in left_out.found_in(features)]
    for segment, table in tables.items():
        breaches += _breaches(segment, table, flags, bounds)
    return FairnessReport(flags, tables, tuple(breaches), bounds, left_out)


def _thinned(rows: Rows) -> Rows:
    """At most `_AT_MOST` of the rows, evenly over time: more make the figures no better, and Fairlearn slow."""
    return rows if len(rows) <= _AT_MOST else rows.take(np.linspace(0, len(rows) - 1, _AT_MOST).astype(int))


def _returns(rows: Rows, everyone: Rows | None, model: RiskModel) -> tuple[Returns, Returns]:
    """The checked returns, and all of them."""
    risk, weight = model.risk(rows.X), rows.weights(ESTIMATE_CLIP)
    if everyone is None:
        (customer,) = customer_codes(rows.context["customer_id"])
        checked = Returns(risk, weight, customer)
        return checked, checked
    customer, customer_of_all = customer_codes(rows.context["customer_id"], everyone.context["customer_id"])
    return Returns(risk, weight, customer), Returns(model.risk(everyone.X), np.ones(len(everyone)), customer_of_all)


def _breaches(segment: str, table: pd.DataFrame, flags: tuple[Flag, ...], bounds: Bounds) -> Iterator[Breach]:
    """Estimates beyond a bound whose interval lies wholly on the worse side of the average."""
    for group, row in table[table["judged"] == 1].iterrows():
        where = f"{SEGMENTS[segment]}, group {group}"
        flag = max(flags, key=lambda flag: _excess(row, flag, bounds))
        if _excess(row, flag, bounds) > 0:
            ratio, low, high = (row[f"{flag.name}:{name}"] for name in ("ratio", "ratio_low", "ratio_high"))
            rate, usual = (line[f"{flag.name}:false_positive_rate"] for line in (row, table.loc[ALL]))
            yield Breach(
                segment,
                str(group),
                "false_positive_ratio",
                float(ratio),
                f"{where}: {rate:.2%} of honest returns are flagged ({flag.text}), {ratio:.2f} times the {usual:.2%} "
                f"of all; the bound is {bounds.false_positive_ratio:g} ({bounds.confidence:.1%} interval {low:.2f} to "
                f"{high:.2f}).",
            )
        excess, low, high = row["gap_excess"], row["gap_low"], row["gap_high"]
        bound = max(bounds.calibration_gap, bounds.calibration_gap_share * row["share_found"])
        if abs(excess) > bound and low * high > 0:
            yield Breach(
                segment,
                str(group),
                "calibration_gap",
                float(excess),
                f"{where}: the mean risk is {row['mean_risk']:.2%} where {row['share_found']:.2%} were found; beside "
                f"all returns it is {'too high' if excess > 0 else 'too low'} by {abs(excess):.2%}, the bound is "
                f"{bound:.2%} ({bounds.confidence:.1%} interval {low:+.2%} to {high:+.2%}).",
            )


def _excess(row: pd.Series[float], flag: Flag, bounds: Bounds) -> float:
    """By how much the ratio of false-positive rates is beyond the bound; 0 if it is not, or not beyond noise."""
    ratio, low = row[f"{flag.name}:ratio"], row[f"{flag.name}:ratio_low"]
    return float(ratio - bounds.false_positive_ratio) if ratio > bounds.false_positive_ratio and low > 1.0 else 0.0

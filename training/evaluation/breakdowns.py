"""The same figures by kind of abuse, by segment, over time, and from random checks alone.

Groups are judged under one cut for all: the riskiest 5% of all returns are looked at, whichever group they are in. A
group with few positives has wide ranges and no order figures at all, and says so: it is not to be read for much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.risk_model import THIN_FEATURE
from features.signals import ModelFeature
from training.dataset import ESTIMATE_CLIP, Rows
from training.evaluation.intervals import codes, percentiles, resample, resampled_share, resamples
from training.evaluation.metrics import CAPACITIES, Ranked, at_share, looked_at
from training.evaluation.tables import Cell
from training.labels import effective_size

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.object_]

#: Positives, and effective ones, below which a group is marked as small and its order figures are not told.
ENOUGH_POSITIVES: Final = 10
ENOUGH_EFFECTIVE: Final = 5
#: The cut of all groups, as a share of all returns.
CUT: Final = 0.05
#: Groups of one segment that are told apart; what is rarer is put together.
_GROUPS: Final = 8
_UNKNOWN: Final = "unknown"
_NAN: Final = float("nan")
_OTHER: Final = "all others"
_YEAR: Final = 365
_TENURE: Final = ((90, "under 90 days"), (_YEAR, "90 days to a year"), (2 * _YEAR, "one to two years"))
_VALUES: Final = ((20, "under 20"), (50, "20 to 50"), (100, "50 to 100"), (200, "100 to 200"))
#: More months than this are told by quarter.
_MONTHS: Final = 12


@dataclass(frozen=True)
class Stretch:
    """n checked returns and the risk of each, ready to be broken down. `weight` (n,) makes them stand for all."""

    rows: Rows
    risk: Floats
    weight: Floats
    customer: Ints

    @classmethod
    def of(cls, rows: Rows, risk: Floats) -> Stretch:
        """Rows with the risk (n,) that a model gives them."""
        return cls(rows, risk, rows.weights(ESTIMATE_CLIP), codes(rows.context["customer_id"].to_numpy()))

    @property
    def value(self) -> Floats:
        """What was paid for the goods of each return. (n,)."""
        return self.rows.context["value"].to_numpy(dtype=np.float64)


def by_group(stretch: Stretch, groups: Words, order: Sequence[str]) -> list[dict[str, Cell]]:
    """Figures of each group: `groups` (n,) names, in the given order."""
    cut = looked_at(stretch.risk, stretch.weight, CUT)
    return [_group(stretch, cut, groups == name, name) for name in order if (groups == name).any()]


def _group(stretch: Stretch, cut: Floats, inside: npt.NDArray[np.bool_], name: str) -> dict[str, Cell]:
    y, risk, w, part = (a[inside] for a in (stretch.rows.y, stretch.risk, stretch.weight, cut))
    sizes = _sizes(y, w)
    ranked = None if sizes["small"] or y.all() else Ranked(y, risk, w)

    def figures(counts: Floats) -> tuple[float, ...]:
        order = (_NAN, _NAN) if ranked is None else ranked.order_figures(counts)
        return _share(y, w * counts), _share(y, w * counts * part), *order

    estimates = figures(np.ones(len(y)))
    draws = np.array([figures(counts) for counts in resamples(codes(stretch.customer[inside]))])
    base_rate, precision, average_precision, auc = (
        percentiles(estimate, draws[:, i]) for i, estimate in enumerate(estimates)
    )
    return {
        "group": name,
        **sizes,
        "base_rate": base_rate,
        "mean_risk": float(np.average(risk, weights=w)),
        "average_precision": average_precision,
        "auc": auc,
        "share_looked_at": float(np.average(part, weights=w)),
        "precision": precision,
    }


def _sizes(y: Floats, weight: Floats) -> dict[str, Cell]:
    positives, effective = int(y.sum()), effective_size(weight[y == 1])
    return {
        "rows": len(y),
        "positives": positives,
        "effective_rows": effective_size(weight),
        "effective_positives": effective,
        "small": positives < ENOUGH_POSITIVES or effective < ENOUGH_EFFECTIVE,
    }


def _share(hit: Floats, weight: Floats) -> float:
    total = float(weight.sum())
    return float(weight @ hit) / total if total > 0 else _NAN


def segments(rows: Rows, features: Sequence[ModelFeature]) -> dict[str, tuple[Words, list[str]]]:
    """What each return belongs to in each segment (n,), and the order of the groups. Segments whose column the table
    does not have are left out."""
    context, names = rows.context, [f.name for f in features]
    out = {
        title: _commonest(context[column].to_numpy(dtype=object))
        for title, column in (("country", "country"), ("order channel", "channel"), ("kind of request", "kind"))
    }
    if "customer_tenure_days" in names:
        out["customer since"] = _bands(rows.X[:, names.index("customer_tenure_days")], _TENURE, "two years or more")
    if THIN_FEATURE in names:
        orders = np.nan_to_num(rows.X[:, names.index(THIN_FEATURE)], nan=0.0)
        out["history"] = _bands(orders, ((3, "thin: under 3 orders"),), "3 orders or more")
    out["value of the goods"] = _bands(context["value"].to_numpy(dtype=np.float64), _VALUES, "200 or more")
    return out


def _commonest(values: Words) -> tuple[Words, list[str]]:
    named = np.array([_UNKNOWN if v is None else str(v) for v in values], dtype=object)
    found, counts = np.unique(named.astype(str), return_counts=True)
    order = found[np.argsort(-counts, kind="stable")].tolist()
    if len(order) > _GROUPS:
        kept = order[: _GROUPS - 1]
        return np.where(np.isin(named.astype(str), kept), named, _OTHER).astype(object), [*kept, _OTHER]
    return named, order


def _bands(values: Floats, starts: Sequence[tuple[float, str]], last: str) -> tuple[Words, list[str]]:
    labels = [label for _, label in starts] + [last, _UNKNOWN]
    place = np.searchsorted([below for below, _ in starts], np.nan_to_num(values, nan=0.0), side="right")
    place[np.isnan(values)] = len(labels) - 1
    return np.array(labels, dtype=object)[place], labels


def periods(requested_at: Ints) -> tuple[Words, list[str]]:
    """The month of each moment (n,), the quarter where there would be more than twelve months; in order of time."""
    moments = pd.DatetimeIndex(requested_at.astype("datetime64[us]"))
    months = moments.strftime("%Y-%m").to_numpy(dtype=object)
    if len(set(months)) > _MONTHS:
        months = np.array([f"{m.year} Q{m.quarter}" for m in moments], dtype=object)
    return months, sorted(set(months))


def by_kind(stretch: Stretch) -> list[dict[str, Cell]]:
    """Which kinds of abuse are found: of each kind, the share that lies among the riskiest returns. Commonest first."""
    y, weight, risk = stretch.rows.y, stretch.weight, stretch.risk
    kinds, order = _commonest(stretch.rows.context["abuse_type"].to_numpy(dtype=object)[y == 1])
    kind_of = np.full(len(y), "", dtype=object)
    kind_of[y == 1] = kinds
    parts = {capacity: looked_at(risk, weight, capacity) for capacity in CAPACITIES}
    out: list[dict[str, Cell]] = []
    for kind in order:
        inside = kind_of == kind
        w, customer = weight[inside], codes(stretch.customer[inside])
        row: dict[str, Cell] = {
            "kind": kind.replace("_", " "),
            **_sizes(y[inside], w),
            "share_of_abuse": float(w.sum() / weight[y == 1].sum()),
            "mean_value": float(np.average(stretch.value[inside], weights=w)),
            "mean_risk": float(np.average(risk[inside], weights=w)),
        }
        for capacity, part in parts.items():
            row[at_share("recall", capacity)] = resampled_share(part[inside], w, customer)
        out.append(row)
    return out


def by_trigger(stretch: Stretch) -> list[dict[str, Cell]]:
    """Figures from all checks and from random ones alone, each as they are and weighted by the odds of the check."""
    rows = stretch.rows
    random = rows.context["trigger"].to_numpy(dtype=object) == "random"
    everything = np.ones(len(rows), dtype=np.bool_)
    out: list[dict[str, Cell]] = []
    for title, inside in (("all checks", everything), ("random checks alone", random)):
        for how, weight in (("as they are", np.ones(len(rows))), ("weighted", stretch.weight)):
            y, w = rows.y[inside], weight[inside]
            row: dict[str, Cell] = {"checks": f"{title}, {how}", **_sizes(y, w)}
            out.append({**row, **_figures(y, stretch.risk[inside], w, stretch.value[inside], stretch.customer[inside])})
    return out


def _figures(y: Floats, risk: Floats, w: Floats, value: Floats, customer: Ints) -> dict[str, Cell]:
    names = ("base_rate", "average_precision", "auc", "precision_at_2", "recall_at_2", "value_at_2")
    if not 0 < y.sum() < len(y):
        return {}
    one = resample({"": Ranked(y, risk, w, value)}, customer)[""]
    return {name: one.interval(name) for name in names}

"""One model judged on one stretch of later returns: figures with ranges, baselines, breakdowns, and their parts of a
model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.signals import ModelFeature
from training.dataset import Rows
from training.evaluation import groups, plots
from training.evaluation.baselines import Rival
from training.evaluation.breakdowns import Stretch
from training.evaluation.card import Part
from training.evaluation.costs import Costs
from training.evaluation.headline import COMPARED, HEADLINE, THIS, results
from training.evaluation.intervals import Interval, band, resample
from training.evaluation.metrics import Ranked

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """What was measured.

    Attributes:
        figures: of `evaluate`, raw and `_weighted`.
        ranges: the headline figures with their ranges, raw and `_weighted`.
        differences: by rival and figure, this model less the rival on the same returns, weighted.
        rivals: weighted headline figures of each rival.
        parts: results, random checks, calibration, kinds, segments and time, for the card.
    """

    figures: Mapping[str, float]
    ranges: Mapping[str, Interval]
    differences: Mapping[str, Mapping[str, Interval]]
    rivals: Mapping[str, Mapping[str, Interval]]
    parts: tuple[Part, ...]

    def metrics(self) -> dict[str, float]:
        """Flat, for a run: figures, ends of ranges (`_low`, `_high`), rivals by name, differences (`_less_NAME`)."""
        out = dict(self.figures)
        for name, interval in self.ranges.items():
            out |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
        for rival, figures in self.rivals.items():
            out |= {f"{rival}_{name}_weighted": interval.estimate for name, interval in figures.items()}
        for rival, differences in self.differences.items():
            for name, interval in differences.items():
                key = f"{name}_weighted_less_{rival}"
                out |= {key: interval.estimate, f"{key}_low": interval.low, f"{key}_high": interval.high}
        return out


def judge(
    rows: Rows,
    risk: Floats,
    features: Sequence[ModelFeature],
    rivals: Sequence[Rival] = (),
    costs: Costs | None = None,
) -> Judged:
    """Judge a model by the risk (n,) that it gives to later labelled returns, beside rivals on the same returns.

    `features` name the columns of `rows.X`. There must be at least one positive and one negative label.
    """
    costs = costs or Costs()
    stretch = Stretch.of(rows, risk)
    risks = {THIS: risk} | {r.name: r.risk for r in rivals if r.risk is not None}
    ones = np.ones(len(rows))
    rankings = {
        (how, name): Ranked(rows.y, of, weight, stretch.value, costs)
        for how, weight in (("raw", ones), ("weighted", stretch.weight))
        for name, of in risks.items()
    }
    drawn = resample({f"{how} {name}": ranked for (how, name), ranked in rankings.items()}, stretch.customer)
    by_how = {how: {name: drawn[f"{how} {name}"] for name in risks} for how in ("raw", "weighted")}
    raw, weighted = by_how["raw"], by_how["weighted"]
    differences = {
        name: {c.key: weighted[THIS].minus(weighted[name], c.key) for c in COMPARED} for name in risks if name != THIS
    }
    figures = dict(raw[THIS].estimate) | {f"{k}_weighted": v for k, v in weighted[THIS].estimate.items()}
    ranges = {c.key: raw[THIS].interval(c.key) for c in HEADLINE}
    ranges |= {f"{c.key}_weighted": weighted[THIS].interval(c.key) for c in HEADLINE}
    others = {name: {c.key: weighted[name].interval(c.key) for c in HEADLINE} for name in risks if name != THIS}
    own = rankings["weighted", THIS]
    spread = band(own, stretch.customer, plots.SHARES)
    parts = (
        results(
            stretch,
            raw,
            weighted,
            differences,
            rivals,
            {name: rankings["weighted", name] for name in risks},
            spread,
            costs,
        ),
        groups.random_checks(stretch),
        groups.calibration(rankings["raw", THIS], own, ranges["calibration_error_weighted"], spread),
        groups.kinds(stretch),
        groups.segments(stretch, features),
        groups.over_time(stretch),
    )
    return Judged(figures, ranges, differences, others, parts)

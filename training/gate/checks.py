"""The checks of the gate, each by itself: rows and models in, a state with its figures and sentences out.

A check that there is too little to make says so and does not fail: `promote` refuses what is known to be bad, not what
nobody can know yet.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from features.reasons import Places, group_of, group_sums, strongest
from features.risk_model import RiskModel
from features.signals import ModelFeature
from training.dataset import ESTIMATE_CLIP, MIN_PER_STRETCH, Rows, day
from training.evaluation.intervals import Interval, calibration_by_chance, resample
from training.evaluation.metrics import Ranked, at_share
from training.evaluation.tables import Kind, shown
from training.explanation import ExplanationReport
from training.explanation.removal import typical_values
from training.fairness import FairnessReport
from training.gate.bounds import Bounds

Floats = npt.NDArray[np.float64]
Name = Literal["order", "calibration", "fairness", "reasons", "speed"]
State = Literal["held", "failed", "not judged"]

#: The speed is the best of so many medians, each over so many returns: what else the machine does only makes it slower.
_TRIES: Final = 5
_CALLS: Final = 40


@dataclass(frozen=True)
class Check:
    """What came out of one check. `figures` are for the run: names without the prefix of the check."""

    name: Name
    state: State
    sentences: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether it speaks against the version."""
        return self.state == "failed"

    @property
    def text(self) -> str:
        """The sentences in one."""
        return " ".join(self.sentences)


def not_judged(name: Name, why: str) -> Check:
    """A check that could not be made, and why."""
    return Check(name, "not judged", (why,))


def order(rows: Rows, risk: Floats, champion: Floats, rival: str, bounds: Bounds) -> Check:
    """Is a version worse than the champion at putting abusive returns first?

    `rows` (n,) are labelled returns that neither has learned from, `risk` and `champion` (n,) what the two give them,
    `rival` names the champion. Figures are weighted to stand for all returns; a difference is beyond noise if its 95%
    interval (paired bootstrap of customers) lies wholly below zero.
    """
    found, clear = rows.positives, len(rows) - rows.positives
    if min(found, clear) < bounds.min_findings:
        return not_judged(
            "order",
            f"Not compared with {rival}, so that nobody knows which of them is better: among the {len(rows):,} "
            f"labelled returns that neither has learned from, abuse was found in {found:,} and {clear:,} are cleared, "
            f"and it takes {bounds.min_findings} of each.",
        )
    value = rows.context["value"].to_numpy(dtype=np.float64)
    weight = rows.weights(ESTIMATE_CLIP)
    both = resample(
        {"this": Ranked(rows.y, risk, weight, value), "champion": Ranked(rows.y, champion, weight, value)},
        rows.context["customer_id"].to_numpy(dtype=object),
    )
    capacity = bounds.capacity
    compared: tuple[tuple[str, str, Kind], ...] = (
        ("average_precision", "average precision", "figure"),
        (at_share("precision", capacity), f"precision at {capacity:.0%}", "share"),
        (at_share("value", capacity), f"value found at {capacity:.0%}", "share"),
    )
    figures: dict[str, float] = {"rows": float(len(rows)), "positives": float(found)}
    worse, told = [], []
    for key, heading, kind in compared:
        ours, theirs = both["this"].estimate[key], both["champion"].estimate[key]
        less = both["this"].minus(both["champion"], key)
        figures |= {key: ours, f"{key}_champion": theirs, f"{key}_less_champion": less.estimate}
        figures |= {f"{key}_less_champion_low": less.low, f"{key}_less_champion_high": less.high}
        told.append(f"{heading} {shown(ours, kind)} against {shown(theirs, kind)} ({_difference(less, kind)})")
        if less.known and less.high < 0:
            worse.append(told[-1])
    where = (
        f"{len(rows):,} labelled returns that neither has learned from (abuse found in {found:,}; requested "
        f"{day(int(rows.requested_at[0]))} to {day(int(rows.requested_at[-1]))}; weighted to stand for all)"
    )
    if worse:
        return Check("order", "failed", (f"Worse than {rival} beyond noise on {where}: {'; '.join(worse)}.",), figures)
    return Check("order", "held", (f"Not worse than {rival} beyond noise on {where}: {'; '.join(told)}.",), figures)


def _difference(less: Interval, kind: Kind) -> str:
    if not less.known:
        return "no interval"
    points = kind == "share"
    estimate, low, high = (shown(x, "points" if points else "difference") for x in (less.estimate, less.low, less.high))
    return f"difference {estimate}{' points' if points else ''}, 95% interval {low} to {high}"


def calibration(rows: Rows, risk: Floats, bounds: Bounds) -> Check:
    """Are risks what is found, on labelled returns (n,) that the version has not learned from? risk (n,).

    Beyond noise is an error that true risks would stay below 95 times in 100 (`calibration_by_chance`).
    """
    if min(rows.positives, len(rows) - rows.positives) < MIN_PER_STRETCH:
        return not_judged("calibration", f"Calibration was not judged: {_too_few(rows)}.")
    ranked = Ranked(rows.y, risk, rows.weights(ESTIMATE_CLIP))
    figures = ranked.figures()
    error, found = figures["calibration_error"], figures["base_rate"]
    bound = max(bounds.calibration_error, bounds.calibration_error_share * found)
    chance = calibration_by_chance(ranked)
    out = {"error": error, "bound": bound, "by_chance": chance, "mean_risk": figures["mean_risk"], "found": found}
    said = (
        f"calibration error {error:.4f} on {len(rows):,} later labelled returns (mean risk {figures['mean_risk']:.2%}, "
        f"found {found:.2%}); the bound is {bound:.4f}, and chance alone makes it up to {chance:.4f}"
    )
    if error > max(bound, chance):
        return Check("calibration", "failed", (f"Badly calibrated beyond noise: {said}.",), out)
    return Check("calibration", "held", (f"{said[0].upper()}{said[1:]}.",), out)


def _too_few(rows: Rows) -> str:
    return (
        f"among the {len(rows):,} labelled returns later than what it has learned from, abuse was found in "
        f"{rows.positives:,} and {len(rows) - rows.positives:,} are cleared"
    )


def fairness(report: FairnessReport) -> Check:
    """Are the written bounds of fairness held (training/fairness/bounds.toml)?"""
    judged = sum(int(table["judged"].sum()) for table in report.tables.values())
    figures = report.metrics | {"groups_judged": float(judged)}
    figures = {name.removeprefix("fairness_"): value for name, value in figures.items()}
    if report.breaches:
        return Check("fairness", "failed", tuple(breach.sentence for breach in report.breaches), figures)
    if not judged:
        return not_judged("fairness", "Fairness was not judged: too few returns of any group were checked.")
    return Check("fairness", "held", (f"None of {judged} groups exceeds a written bound beyond noise.",), figures)


def reasons(report: ExplanationReport, bounds: Bounds) -> Check:
    """Are reasons true and stable (training/explanation/bounds.toml)?"""
    m = report.metrics
    if m["explained"] < bounds.min_flagged:
        return not_judged(
            "reasons",
            f"Reasons were not judged: it flags {m['explained']:,.0f} returns, and it takes {bounds.min_flagged}.",
        )
    figures = {name: value for name, value in m.items() if not name.startswith("agreement")}
    if report.breaches:
        return Check("reasons", "failed", report.breaches, figures)
    said = (
        f"Of {m['explained']:,.0f} flagged returns the risk falls without the first reason in "
        f"{m['removal_first']:.1%}; near-same ones are told the same first reason in {m['stable_first']:.1%}, and "
        f"{m['stable_overlap']:.1%} of the first three are common."
    )
    return Check("reasons", "held", (said,), figures)


def speed(model: RiskModel, X: Floats, features: Sequence[ModelFeature], bounds: Bounds) -> Check:
    """Is one return assessed within the budget? X (n, k) are returns to try it with (if there are none: a typical
    one), in the order of `features`."""
    if not len(X):
        X = typical_values(model).reshape(1, -1)
    groups = group_of([feature.family for feature in features])
    some = np.linspace(0, len(X) - 1, _CALLS).astype(int)
    rows = [np.ascontiguousarray(X[i : i + 1]) for i in some.tolist()]
    best = 1e3 * min(_median_seconds(model, rows, groups) for _ in range(_TRIES))
    said = (
        f"One return takes {best:.2f} ms (risk, contributions and reasons); the budget is {bounds.one_return_ms:g} ms."
    )
    return Check("speed", "failed" if best > bounds.one_return_ms else "held", (said,), {"ms": best})


def _median_seconds(model: RiskModel, rows: Sequence[Floats], groups: Places) -> float:
    taken = []
    for row in rows:
        started = time.perf_counter()
        model.risk(row)
        strongest(group_sums(model.contributions(row), groups))
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))

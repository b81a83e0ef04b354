"""Are the reasons of flagged returns true, stable and of the right kind?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.reasons import CODES, Places, group_of, group_sums, strongest
from features.risk_model import RiskModel
from features.signals import ModelFeature
from training.dataset import Rows
from training.explanation.agreement import FIRST, Kinds, agreement
from training.explanation.bounds import Bounds, read_bounds
from training.explanation.plot import reasons_figure
from training.explanation.removal import fall
from training.explanation.stability import near_same, overlap, same_first
from training.section import Section

Floats = npt.NDArray[np.float64]

SEED: Final = 20262
#: How often each return is moved a little, and how many returns are looked at.
_REPEATS: Final = 3
_AT_MOST: Final = 5_000
_FOUND_BEFORE: Final = "customer_concerns_lifetime"


@dataclass(frozen=True)
class ExplanationReport:
    """Figures over flagged returns.

    `metrics` holds shares: `removal_first`, `_second`, `_third` and `_first_three` (of the reasons told at that place,
    those without which the risk is lower; `_first` counts a return without any reason as failed), `stable_first` and
    `stable_overlap`, `agreement` (NaN where no kind of abuse is known) and `agreement_by_chance`, and the number
    `explained`. `by_reason` has a row per code, `by_kind` a row per kind of abuse (`agreement.agreement`).
    """

    metrics: dict[str, float]
    by_reason: pd.DataFrame
    by_kind: pd.DataFrame
    breaches: tuple[str, ...]
    bounds: Bounds

    @property
    def true(self) -> bool:
        """Whether every bound holds."""
        return not self.breaches

    def section(self) -> Section:
        """For the model card."""
        tables = [("Reasons of flagged returns", self.by_reason.reset_index())]
        if self.metrics["agreement_known"]:
            tables.append(("Right kind's reason among the first three", self.by_kind.reset_index()))
        return Section(
            title="Reasons: are they true?",
            sentences=[*self.breaches, *self._sentences()],
            tables=tables,
            figures={"reasons": reasons_figure(self.by_reason)},
        )

    def _sentences(self) -> Iterator[str]:
        m = self.metrics
        if not m["explained"]:
            yield "No return was flagged, so no reason was looked at."
            return
        yield (
            f"Of {m['explained']:,.0f} flagged returns the risk falls in {m['removal_first']:.1%} when what the first "
            f"reason names is put to typical values; over each of the first three in {m['removal_first_three']:.1%}."
        )
        yield (
            f"Near-same returns are told the same first reason in {m['stable_first']:.1%}; of the first three reasons "
            f"{m['stable_overlap']:.1%} are common."
        )
        if m["agreement_known"]:
            yield (
                f"Of {m['agreement_known']:,.0f} flagged returns in which abuse was found, {m['agreement']:.1%} are "
                f"told a reason of the right kind among the first three ({m['agreement_by_chance']:.1%} would be by "
                "chance)."
            )


def explain_check(
    model: RiskModel,
    rows: Rows,
    features: Sequence[ModelFeature],
    *,
    kinds: Kinds | None = None,
    acts: Kinds | None = None,
    from_risk: float | None = None,
    bounds: Bounds | None = None,
) -> ExplanationReport:
    """Test the reasons of those of `rows` (n,) that the model flags.

    `kinds` (n,) are kinds of abuse, None for none; by default those that were found. `acts` (n,) are what was done,
    where that is known and has a kind of its own. Flagged is a risk of `from_risk` or more, by default the bands
    `elevated` and `high`; of many flagged returns 5,000 are taken, evenly over time. The same rows and model give the
    same figures.
    """
    bounds = bounds or read_bounds()
    kinds = rows.context["abuse_type"].to_numpy(dtype=object) if kinds is None else kinds
    flagged = np.flatnonzero(model.risk(rows.X) >= (model.card.bands.elevated if from_risk is None else from_risk))
    if len(flagged) > _AT_MOST:
        flagged = flagged[np.linspace(0, len(flagged) - 1, _AT_MOST).astype(int)]
    X, kinds, acts = rows.X[flagged], kinds[flagged], None if acts is None else acts[flagged]
    groups = group_of([feature.family for feature in features])
    reasons = told(model, X, groups)
    falls = fall(model, X, groups, reasons) > 0
    metrics = {
        "explained": float(len(X)),
        **_removal(falls, reasons),
        **_stability(model, X, features, groups, reasons),
    }
    by_kind = agreement(kinds, reasons, _found_before(X, features), acts)
    names = {"n": "_known", "fits": "", "by_chance": "_by_chance", "fits_act": "_with_act"}
    metrics |= {f"agreement{names[str(name)]}": float(value) for name, value in by_kind.iloc[0].items()}
    breaches = tuple(_breaches(metrics, bounds))
    return ExplanationReport(metrics, _by_reason(falls, reasons), by_kind, breaches, bounds)


def told(model: RiskModel, X: Floats, groups: Places) -> Places:
    """The reasons that the service tells of rows (n, k): positions in `features.reasons.CODES`, -1 for none."""
    return strongest(group_sums(model.contributions(X), groups))


def _removal(falls: npt.NDArray[np.bool_], reasons: Places) -> dict[str, float]:
    there = reasons >= 0
    out = {"removal_first": _share(falls[:, 0], np.ones(len(falls), dtype=np.bool_))}
    for place, name in ((1, "second"), (2, "third")):
        out[f"removal_{name}"] = _share(falls[:, place], there[:, place])
    out["removal_first_three"] = _share(falls[:, :FIRST], there[:, :FIRST])
    return out


def _stability(
    model: RiskModel, X: Floats, features: Sequence[ModelFeature], groups: Places, reasons: Places
) -> dict[str, float]:
    rng = np.random.default_rng(SEED)
    firsts, overlaps = [], []
    for _ in range(_REPEATS):
        others = told(model, near_same(X, features, rng), groups)
        firsts.append(same_first(reasons, others))
        overlaps.append(overlap(reasons, others, FIRST))
    everywhere = np.ones(_REPEATS * len(X), dtype=np.bool_)
    return {
        "stable_first": _share(np.concatenate(firsts), everywhere),
        "stable_overlap": float(np.concatenate(overlaps).mean()) if len(X) else float("nan"),
    }


def _share(of: npt.NDArray[np.bool_], where: npt.NDArray[np.bool_]) -> float:
    return float(of[where].mean()) if where.any() else float("nan")


def _found_before(X: Floats, features: Sequence[ModelFeature]) -> npt.NDArray[np.bool_]:
    names = [feature.name for feature in features]
    if _FOUND_BEFORE not in names:
        return np.zeros(len(X), dtype=np.bool_)
    return np.asarray(X[:, names.index(_FOUND_BEFORE)] > 0)


def _by_reason(falls: npt.NDArray[np.bool_], reasons: Places) -> pd.DataFrame:
    """Per code: share of returns that are told it first and among the first three, and of these, how often the risk
    falls without it."""
    n = max(len(reasons), 1)
    records = []
    for group, code in enumerate(CODES):
        among = reasons[:, :FIRST] == group
        records.append((code, (among[:, 0]).sum() / n, among.sum() / n, _share(falls[:, :FIRST], among)))
    return pd.DataFrame(records, columns=["code", "first", "among_three", "risk_falls"]).set_index("code")


def _breaches(metrics: dict[str, float], bounds: Bounds) -> Iterator[str]:
    if metrics["removal_first"] < bounds.removal_first:
        yield (
            f"Without what the first reason names the risk falls in only {metrics['removal_first']:.1%} of flagged "
            f"returns; the bound is {bounds.removal_first:.0%}."
        )
    if metrics["stable_first"] < bounds.stable_first:
        yield (
            f"Near-same returns are told the same first reason in only {metrics['stable_first']:.1%}; the bound is "
            f"{bounds.stable_first:.0%}."
        )
    if metrics["stable_overlap"] < bounds.stable_overlap:
        yield (
            f"Of the first three reasons of near-same returns only {metrics['stable_overlap']:.1%} are common; the "
            f"bound is {bounds.stable_overlap:.0%}."
        )

"""Figures of merit, each with and without the weights that undo the choice of what was inspected.

Raw figures say how good the model is among the returns that were checked. Weighted ones (`_weighted`, by one over the
odds of the check, clipped) estimate the same among all returns: the honest ones, and the noisier ones, wherever random
checks are few. The effective sample size beside them says how noisy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from training.evaluation.costs import Costs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Shares of the returns that staff can look at.
CAPACITIES: Final = (0.01, 0.02, 0.05)
ECE_BINS: Final = 10
#: Money is told for so many returns.
PER_RETURNS: Final = 1000
_ALL_SAVED: Final = "saved by checking all"
#: Figures that are plain averages over returns, in the order of their columns.
_MEANS: Final = (
    "log_loss",
    "brier",
    "base_rate",
    "mean_risk",
    "share_checked",
    "cost_saved",
    _ALL_SAVED,
)
_NAN: Final = float("nan")
_TINY: Final = float(np.finfo(np.float64).eps)


def evaluate(
    y: Floats, risk: Floats, weight: Floats, value: Floats | None = None, costs: Costs | None = None
) -> dict[str, float]:
    """All figures of one stretch: y (n,) 0 or 1, risk (n,) probabilities, weight (n,) inverse odds of the check.

    With `value` (n,), what was paid for the goods, also the value found at capacity and the cost saved. A figure that
    is not defined (no positives, say) is NaN.
    """
    out = Ranked(y, risk, np.ones(len(y)), value, costs).figures()
    weighted = Ranked(y, risk, weight, value, costs).figures()
    return out | {f"{name}_weighted": figure for name, figure in weighted.items()}


def at_share(figure: str, capacity: float) -> str:
    """Name of a figure at a capacity.

    >>> at_share("precision", 0.02)
    'precision_at_2'
    """
    return f"{figure}_at_{capacity:.0%}".rstrip("%")


@dataclass(frozen=True)
class Sums:
    """Running sums of a ranking, from nothing (0) to the end of each group of equal risk, riskiest first: weight,
    weight of what was found, and the value of that. (g + 1,) each; `weight` (n,) is that of each return."""

    weight: Floats
    mass: Floats
    found: Floats
    worth: Floats | None


_AT: Final = {figure: [at_share(figure, c) for c in CAPACITIES] for figure in ("precision", "recall", "value")}


class Ranked:
    """n returns in falling order of risk, ready to be judged again and again with other weights.

    A resample of customers is the same returns counted so many times each: everything that does not depend on that is
    computed once. y (n,) 0 or 1, risk (n,) probabilities, weight (n,), value (n,) or None.
    """

    def __init__(
        self, y: Floats, risk: Floats, weight: Floats, value: Floats | None = None, costs: Costs | None = None
    ) -> None:
        order = np.argsort(-risk, kind="stable")
        self.order: Ints = order.astype(np.int64)
        self.y, self.risk, self.weight = y[order], risk[order], weight[order]
        self.value = None if value is None else value[order]
        self.group = calibration_groups(risk, weight)[order]
        """Group of the calibration curve that each return belongs to, falling."""
        # Sums at the ends of groups of equal risk are sums up to their last return; few returns are positive.
        self._end = np.append(0, np.flatnonzero(np.append(np.diff(self.risk) != 0, True)[: len(risk)]) + 1)
        self._hit = np.flatnonzero(self.y == 1)
        self._hits = np.searchsorted(self._hit, self._end, side="left")
        self._with_hits = np.flatnonzero(np.diff(self._hits)) + 1
        self._cut = np.flatnonzero(np.append(True, np.diff(self.group) != 0)[: len(risk)])
        self._means = self._terms(costs or Costs())

    def __len__(self) -> int:
        return len(self.y)

    def _terms(self, costs: Costs) -> Floats:
        """What is averaged over the returns, a column for each figure of `_MEANS`. (n, m)."""
        sure = np.clip(self.risk, _TINY, 1 - _TINY)
        columns = [
            -np.where(self.y == 1, np.log(sure), np.log1p(-sure)),
            (self.risk - self.y) ** 2,
            self.y,
            self.risk,
        ]
        if self.value is not None:
            checked = costs.worth_checking(self.risk, self.value).astype(np.float64)
            saved = PER_RETURNS * costs.saved(self.y, self.value)
            columns += [checked, checked * saved, saved]
        return np.column_stack(columns)

    def sums(self, times: Floats | None = None) -> Sums:
        """Running sums; `times` (n,), in the order of the input, how often each return counts."""
        w = self.weight if times is None else self.weight * times[self.order]
        hits = w[self._hit]
        mass = np.append(0.0, np.cumsum(w))[self._end]
        found = np.append(0.0, np.cumsum(hits))[self._hits]
        if self.value is None:
            return Sums(w, mass, found, None)
        return Sums(w, mass, found, np.append(0.0, np.cumsum(hits * self.value[self._hit]))[self._hits])

    def figures(self, times: Floats | None = None) -> dict[str, float]:
        """Every figure, for the returns as they are or each counted `times` (n,). What is not defined is NaN."""
        sums = self.sums(times)
        total = float(sums.mass[-1])
        average_precision, auc = self._order_figures(sums)
        out = {"average_precision": average_precision, "auc": auc}
        means = sums.weight @ self._means / total if total > 0 else np.full(self._means.shape[1], _NAN)
        out |= dict(zip(_MEANS, means.tolist(), strict=False))
        out["calibration_error"] = self._calibration_error(sums)
        precision, recall, value = self._at(sums, np.array(CAPACITIES))
        out |= dict(zip(_AT["precision"], precision.tolist(), strict=True))
        out |= dict(zip(_AT["recall"], recall.tolist(), strict=True))
        if self.value is not None:
            out |= dict(zip(_AT["value"], value.tolist(), strict=True))
            out["cost_saved_over_random"] = out["cost_saved"] - out["share_checked"] * out.pop(_ALL_SAVED)
        return out

    def order_figures(self, times: Floats | None = None) -> tuple[float, float]:
        """Average precision and AUC; NaN without positives (AUC: or without negatives)."""
        return self._order_figures(self.sums(times))

    def _order_figures(self, sums: Sums) -> tuple[float, float]:
        """Only groups of equal risk with something found in them add to either."""
        at, positives = self._with_hits, float(sums.found[-1])
        if positives == 0:
            return _NAN, _NAN
        found, mass = sums.found[at], sums.mass[at]
        steps = found - sums.found[at - 1]
        # Precision at the end of each group, weighted by how much recall the group adds.
        precision = np.divide(found, mass, out=np.zeros_like(found), where=mass > 0)
        average_precision = float(steps @ precision) / positives
        # Odds that what was found ranks above what was cleared, ties counting half.
        clear, before = mass - found, sums.mass[at - 1] - sums.found[at - 1]
        cleared = float(sums.mass[-1]) - positives
        auc = float(steps @ (cleared - (clear + before) / 2)) / (positives * cleared) if cleared > 0 else _NAN
        return average_precision, auc

    def at(self, capacities: Floats, times: Floats | None = None) -> tuple[Floats, Floats, Floats]:
        """Precision, recall, and share of the value of all abusive returns, if the riskiest share of the total weight
        is looked at. (c,) -> three times (c,).

        The return on the boundary counts with the part of its weight that fits, and returns of equal risk share alike:
        between the ends of two groups of equal risk everything is a straight line.
        """
        return self._at(self.sums(times), np.asarray(capacities, dtype=np.float64))

    def _at(self, sums: Sums, capacities: Floats) -> tuple[Floats, Floats, Floats]:
        room = capacities * sums.mass[-1]
        nothing = np.full(len(room), _NAN)

        def share(of: Floats | None) -> Floats:
            if of is None or not of[-1] > 0:
                return nothing
            return np.asarray(np.interp(room, sums.mass, of) / of[-1], dtype=np.float64)

        precision = np.interp(room, sums.mass, sums.found) / room if sums.mass[-1] > 0 else nothing
        return precision, share(sums.found), share(sums.worth)

    def calibration(self, times: Floats | None = None) -> tuple[Floats, Floats, Floats]:
        """Mean risk, share found and weight of the groups of the calibration curve, lowest risk first; they stay as
        they are whatever `times` is. A group without weight has NaN for the first two."""
        return self._calibration(self.sums(times))

    def _calibration(self, sums: Sums) -> tuple[Floats, Floats, Floats]:
        w = sums.weight
        if not len(w):
            return w, w, w
        total, risk, found = (np.add.reduceat(part, self._cut)[::-1] for part in (w, w * self.risk, w * self.y))
        full = np.where(total > 0, total, _NAN)
        return risk / full, found / full, total

    def calibration_error(self, times: Floats | None = None) -> float:
        """Expected calibration error: mean distance between risk and share found over the groups."""
        return self._calibration_error(self.sums(times))

    def _calibration_error(self, sums: Sums) -> float:
        risk, found, total = self._calibration(sums)
        used = total > 0
        return float(np.average(np.abs(risk - found)[used], weights=total[used])) if used.any() else _NAN


def at_capacity(y: Floats, risk: Floats, weight: Floats, capacity: float) -> tuple[float, float]:
    """Precision and recall if the riskiest `capacity` (share of the total weight) is looked at.

    >>> at_capacity(np.array([1.0, 0.0, 1.0, 0.0]), np.array([.9, .8, .7, .1]), np.ones(4), 0.5)
    (0.5, 0.5)
    """
    precision, recall, _ = Ranked(y, risk, weight).at(np.array([capacity]))
    return float(precision[0]), float(recall[0])


def looked_at(risk: Floats, weight: Floats, capacity: float) -> Floats:
    """Which part of each return is looked at if the riskiest `capacity` of the total weight is: 1, 0, or what fits of
    those on the boundary, equal risks alike. (n,) -> (n,).

    >>> looked_at(np.array([0.9, 0.5, 0.5, 0.1]), np.ones(4), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    _, tie = np.unique(-risk, return_inverse=True)  # 0: the highest risk
    mass = np.bincount(tie, weight)
    room = capacity * weight.sum() - (np.cumsum(mass) - mass)
    part: Floats = np.clip(np.divide(room, mass, out=np.zeros_like(mass), where=mass > 0), 0.0, 1.0)[tie]
    return part


def calibration_groups(risk: Floats, weight: Floats, bins: int = ECE_BINS) -> Ints:
    """Which of `bins` groups of equal weight, in order of risk, each return belongs to; equal risks stay together.

    >>> calibration_groups(np.array([0.4, 0.1, 0.3, 0.2]), np.ones(4), bins=2).tolist()
    [1, 0, 1, 0]
    """
    order = np.argsort(risk, kind="stable")
    w = weight[order]
    group = np.minimum(((np.cumsum(w) - w / 2) / w.sum() * bins).astype(np.int64), bins - 1)
    group[1:] = np.where(np.diff(risk[order]) == 0, -1, group[1:])
    kept = np.maximum.accumulate(group)
    out = np.empty(len(risk), dtype=np.int64)
    out[order] = np.cumsum(np.append(False, np.diff(kept) != 0)[: len(kept)])
    return out


def calibration_curve(y: Floats, risk: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean risk, share found and weight of ten groups of equal weight in order of risk."""
    return Ranked(y, risk, weight).calibration()


def calibration_error(y: Floats, risk: Floats, weight: Floats) -> float:
    """Expected calibration error: mean distance between risk and share found over ten groups of equal weight."""
    return Ranked(y, risk, weight).calibration_error()

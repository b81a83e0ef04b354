"""Figures of merit, each with and without the weights that undo the choice of what was inspected.

Raw figures say how good the model is among the returns that were checked. Weighted ones (`_weighted`, by one over the
odds of the check, clipped) estimate the same among all returns: the honest ones, and the noisier ones, wherever random
checks are few. The effective sample size beside them says how noisy.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

Floats = npt.NDArray[np.float64]

#: Shares of the returns that staff can look at.
CAPACITIES: Final = (0.01, 0.02, 0.05)
ECE_BINS: Final = 10


def evaluate(y: Floats, risk: Floats, weight: Floats) -> dict[str, float]:
    """All figures of one stretch: y (n,) 0 or 1, risk (n,) probabilities, weight (n,) inverse odds of the check."""
    out = _figures(y, risk, np.ones(len(y)))
    out |= {f"{name}_weighted": value for name, value in _figures(y, risk, weight).items()}
    return out


def _figures(y: Floats, risk: Floats, w: Floats) -> dict[str, float]:
    out = {
        "average_precision": float(sk.average_precision_score(y, risk, sample_weight=w)),
        "auc": float(sk.roc_auc_score(y, risk, sample_weight=w)),
        "log_loss": float(sk.log_loss(y, risk, sample_weight=w, labels=[0, 1])),
        "brier": float(np.average((risk - y) ** 2, weights=w)),
        "calibration_error": calibration_error(y, risk, w),
        "base_rate": float(np.average(y, weights=w)),
        "mean_risk": float(np.average(risk, weights=w)),
    }
    for capacity in CAPACITIES:
        precision, recall = at_capacity(y, risk, w, capacity)
        name = f"{capacity:.0%}".rstrip("%")
        out[f"precision_at_{name}"], out[f"recall_at_{name}"] = precision, recall
    return out


def at_capacity(y: Floats, risk: Floats, weight: Floats, capacity: float) -> tuple[float, float]:
    """Precision and recall if the riskiest `capacity` (share of the total weight) is looked at. The return on the
    boundary counts with the part of its weight that fits, and returns of equal risk share alike.

    >>> at_capacity(np.array([1.0, 0.0, 1.0, 0.0]), np.array([.9, .8, .7, .1]), np.ones(4), 0.5)
    (0.5, 0.5)
    """
    _, tie = np.unique(-risk, return_inverse=True)  # 0: the highest risk
    mass, found = np.bincount(tie, weight), np.bincount(tie, weight * y)
    room = capacity * weight.sum() - (np.cumsum(mass) - mass)
    taken = np.clip(room / mass, 0.0, 1.0)
    hits = float((taken * found).sum())
    total = float(found.sum())
    return hits / float((taken * mass).sum()), hits / total if total else float("nan")


def calibration_curve(y: Floats, risk: Floats, weight: Floats, bins: int = ECE_BINS) -> tuple[Floats, Floats, Floats]:
    """Mean risk, share found and weight of groups of equal weight in order of risk (equal risks stay together)."""
    order = np.argsort(risk, kind="stable")
    y, risk, weight = y[order], risk[order], weight[order]
    group = np.minimum(((np.cumsum(weight) - weight / 2) / weight.sum() * bins).astype(int), bins - 1)
    group[1:] = np.where(np.diff(risk) == 0, -1, group[1:])
    group = np.maximum.accumulate(group)
    total = np.bincount(group, weight, bins)
    used = total > 0
    return (
        np.bincount(group, weight * risk, bins)[used] / total[used],
        np.bincount(group, weight * y, bins)[used] / total[used],
        total[used].astype(np.float64),
    )


def calibration_error(y: Floats, risk: Floats, weight: Floats) -> float:
    """Expected calibration error: mean distance between risk and share found over ten groups of equal weight."""
    mean_risk, found, total = calibration_curve(y, risk, weight)
    return float(np.average(np.abs(mean_risk - found), weights=total))

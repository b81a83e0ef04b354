"""The removal test: put what a reason names to typical values, and the risk must fall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.reasons import Places
from features.risk_model import RiskModel

Floats = npt.NDArray[np.float64]


def fall(model: RiskModel, X: Floats, groups: Places, reasons: Places) -> Floats:
    """By how much the risk of each row (n, k) falls when each of its reasons is removed, one at a time.

    `groups` (k,) gives each feature's group, `reasons` (n, m) the groups to remove, -1 for none. (n, m): risk as it is
    less risk with the group's features at their typical values; NaN where there is no reason.
    """
    typical = typical_values(model)
    risk = model.risk(X)
    out = np.full(reasons.shape, np.nan)
    for group in np.unique(reasons[reasons >= 0]).tolist():
        rows, places = np.nonzero(reasons == group)
        without = np.where(groups == group, typical, X[rows])
        out[rows, places] = risk[rows] - model.risk(without)
    return out


def typical_values(model: RiskModel) -> Floats:
    """The median of each feature in the training data, the commonest code of a categorical one, NaN where most returns
    have no value. (k,)."""
    reference = model.card.reference
    return np.array([reference[name].typical if name in reference else np.nan for name in model.features])

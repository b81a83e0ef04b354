"""How much each checked return counts, so that what was checked speaks for all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def weights(propensity: npt.ArrayLike, *, clip: float) -> npt.NDArray[np.float64]:
    """How many returns each checked one stands for: one over the odds with which it was picked, at most `clip`.

    A check whose odds nobody recorded stands for itself only (1). Clipping trades a little bias for much less noise
    (Ionides, 2008, Truncated importance sampling). (n,) -> (n,).

    >>> weights([0.02, 0.8, float("nan")], clip=20.0).tolist()
    [20.0, 1.25, 1.0]
    """
    odds = np.asarray(propensity, dtype=np.float64)
    known = np.isfinite(odds) & (odds > 0) & (odds <= 1)
    return np.minimum(1.0 / np.where(known, odds, 1.0), clip)


def effective_size(weight: npt.ArrayLike) -> float:
    """Kish's effective sample size: the number of equally weighted rows that would be as informative.

    >>> effective_size([1.0, 1.0, 1.0])
    3.0
    """
    w = np.asarray(weight, dtype=np.float64)
    return float(w.sum() ** 2 / (w**2).sum()) if len(w) else 0.0

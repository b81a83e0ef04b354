"""The share of all returns in which a careful inspection would find abuse, from the few that were checked."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from training.labels.weights import effective_size, weights

Floats = npt.NDArray[np.float64]

#: A kind of check speaks for all returns if the returns that its checks stand for add up to nearly all there are. Some
#: of its odds may not have been written down.
COVERS_FROM: Final = 0.6

#: Abuse comes and goes: a check that is a year older counts half as much.
HALF_LIFE_DAYS: Final = 365.0


def base_rate(
    y: Floats,
    odds: Floats,
    trigger: npt.NDArray[np.object_],
    returns: float,
    *,
    clip: float,
    age: Floats | None = None,
) -> float:
    """Weighted share of positives among `returns` returns of which n were checked. `age` (n,) in days, of any origin:
    what is older counts less (`HALF_LIFE_DAYS`).

    Every kind of check (`trigger`, (n,)) whose odds reach all returns gives an estimate of its own (Hajek, 1971: y (n,)
    weighted by one over the odds, (n,), at most `clip`); they are averaged by their effective sizes. Checks that only
    ever fall on some returns, such as all those above a score, would raise it and are left out: the returns that they
    stand for (the sum of one over the odds) are far fewer than there are. Where no kind of check reaches all, all
    checks are taken together, and those without odds stand for themselves.
    """
    known = np.isfinite(odds) & (odds > 0) & (odds <= 1)
    recent = np.ones(len(y)) if age is None else np.exp2(-age / HALF_LIFE_DAYS)
    total = weight = 0.0
    for kind in sorted({str(t) for t in trigger[known]}):
        of_kind = known & (trigger == kind)
        w = weights(odds[of_kind], clip=clip)
        if w.sum() >= COVERS_FROM * returns:
            w = w * recent[of_kind]
            size = effective_size(w)
            total += size * float(np.average(y[of_kind], weights=w))
            weight += size
    if total:
        return total / weight
    return float(np.average(y, weights=weights(odds, clip=clip) * recent))

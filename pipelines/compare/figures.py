"""Figures of two versions on the same returns, and how far chance alone could part them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.risk_model import Bands
from training.evaluation.intervals import resample
from training.evaluation.metrics import CAPACITIES, Ranked, at_share

Floats = npt.NDArray[np.float64]

#: What versions are compared by, as `training.evaluation.metrics` has them.
FIGURES: Final = (
    "average_precision",
    "auc",
    *(at_share("precision", capacity) for capacity in CAPACITIES),
    "calibration_error",
)
DRAWS: Final = 500
SEED: Final = 20_260_101
#: Share of the assessments that counts as the top when two versions are asked whom they would look at.
TOP: Final = 0.02
BANDS: Final = ("low", "elevated", "high")


@dataclass(frozen=True)
class Difference:
    """A figure of both versions, and challenger minus champion with its 95% interval."""

    champion: float
    challenger: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """Challenger minus champion."""
        return self.challenger - self.champion


def difference(
    champion: Ranked, challenger: Ranked, customers: npt.ArrayLike, *, draws: int = DRAWS, seed: int = SEED
) -> dict[str, Difference]:
    """Each figure of both versions on the same n returns, with the interval of the difference (NaN where too few draws
    of the customers have a finding). customers (n,) ids."""
    both = resample({"champion": champion, "challenger": challenger}, customers, draws, seed)
    out = {}
    for name in FIGURES:
        apart = both["challenger"].minus(both["champion"], name)
        ours, theirs = (both[version].estimate[name] for version in ("champion", "challenger"))
        out[name] = Difference(ours, theirs, apart.low, apart.high)
    return out


@dataclass(frozen=True)
class Agreement:
    """How alike two versions are, whatever was found. `bands` (3, 3): assessments by the champion's and the
    challenger's own risk band."""

    rank_correlation: float
    top_in_common: float
    bands: npt.NDArray[np.int64]

    @property
    def flips(self) -> int:
        """Assessments that change their band."""
        return int(self.bands.sum() - np.trace(self.bands))


def agreement(champion: Floats, challenger: Floats, bands: tuple[Bands, Bands]) -> Agreement:
    """Agreement on n > 0 assessments: risks of both (n,) and the bounds of the bands of both."""
    n = len(champion)
    top = max(1, round(TOP * n))
    best = [set(np.argsort(-risk, kind="stable")[:top].tolist()) for risk in (champion, challenger)]
    cells = np.zeros((3, 3), dtype=np.int64)
    np.add.at(cells, (_band(champion, bands[0]), _band(challenger, bands[1])), 1)
    ranks = [pd.Series(risk).rank().to_numpy(dtype=np.float64) for risk in (champion, challenger)]
    constant = any(np.ptp(rank) == 0 for rank in ranks)
    correlation = float("nan") if constant else float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    return Agreement(correlation, len(best[0] & best[1]) / top, cells)


def _band(risk: Floats, bands: Bands) -> npt.NDArray[np.intp]:
    return np.digitize(risk, [bands.elevated, bands.high])

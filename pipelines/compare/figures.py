"""Figures of two versions on the same returns, and how far chance alone could part them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.risk_model import Bands
from training.evaluation.metrics import CAPACITIES, calibration_error

Floats = npt.NDArray[np.float64]

DRAWS: Final = 500
SEED: Final = 20_260_101
#: Share of the assessments that counts as the top when two versions are asked whom they would look at.
TOP: Final = 0.02
BANDS: Final = ("low", "elevated", "high")


class Ranking:
    """n labelled returns in order of the risk that a version gave them: figures under any weights, sorted once.

    y (n,) 0 or 1, risk (n,) probabilities.
    """

    def __init__(self, y: Floats, risk: Floats) -> None:
        self._order = np.argsort(risk, kind="stable")
        self._y, self._risk = y[self._order], risk[self._order]
        _, self._tie = np.unique(-self._risk, return_inverse=True)  # 0: the highest risk

    def figures(self, weight: Floats) -> dict[str, float]:
        """Average precision, AUC, precision at capacity and calibration error, as `training.evaluation.metrics` has
        them; weight (n,) in the order of the returns, with abuse found in some of them and not in others."""
        w = weight[self._order]
        mass, found = self._groups(w)
        reached, hits = np.cumsum(mass), np.cumsum(found)
        clear = mass - found
        out = {
            "average_precision": float((found * hits / reached).sum() / hits[-1]),
            "auc": float((clear * (hits - found / 2)).sum() / (hits[-1] * clear.sum())),
        }
        for capacity in CAPACITIES:
            out[f"precision_at_{capacity:.0%}".rstrip("%")] = _precision(mass, found, capacity)
        out["calibration_error"] = calibration_error(self._y, self._risk, w)
        return out

    def precision_at(self, weight: Floats, capacity: float) -> float:
        """Share of findings among the riskiest `capacity` of all."""
        return _precision(*self._groups(weight[self._order]), capacity)

    def tells(self, weight: Floats) -> bool:
        """Whether there are returns with and without a finding, so that figures mean anything."""
        mass, found = self._groups(weight[self._order])
        return bool(0 < found.sum() < mass.sum())

    def _groups(self, w: Floats) -> tuple[Floats, Floats]:
        """Weight of the returns of each risk, the highest first, and of the findings among them."""
        mass = np.asarray(np.bincount(self._tie, w), dtype=np.float64)
        found = np.asarray(np.bincount(self._tie, w * self._y), dtype=np.float64)
        return mass[mass > 0], found[mass > 0]


def _precision(mass: Floats, found: Floats, capacity: float) -> float:
    room = capacity * mass.sum() - (np.cumsum(mass) - mass)
    taken = np.clip(room / mass, 0.0, 1.0)
    return float((taken * found).sum() / (taken * mass).sum())


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
    champion: Ranking,
    challenger: Ranking,
    weight: Floats,
    customers: npt.NDArray[np.object_],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Difference]:
    """Each figure of both versions on the same n returns, with the interval of the difference.

    Customers, not returns, are drawn with replacement: returns of one customer are no independent evidence (the
    percentile bootstrap over clusters; Efron and Tibshirani, 1993, chapters 8 and 13). Both versions are measured on
    each draw, so that what makes a draw hard for both cancels out. weight, customers (n,).
    """
    ours, theirs = champion.figures(weight), challenger.figures(weight)
    _, who = np.unique(customers.astype(str), return_inverse=True)
    count = int(who.max()) + 1
    rng = np.random.default_rng(seed)
    apart: dict[str, list[float]] = {name: [] for name in ours}
    for _ in range(draws):
        times = np.bincount(rng.integers(0, count, count), minlength=count)[who] * weight
        if not champion.tells(times):
            continue
        a, b = champion.figures(times), challenger.figures(times)
        for name, values in apart.items():
            values.append(b[name] - a[name])
    bounds = {name: np.percentile(v, (2.5, 97.5)) if v else (np.nan, np.nan) for name, v in apart.items()}
    return {name: Difference(ours[name], theirs[name], *map(float, bounds[name])) for name in ours}


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

"""Day by day: score, look at some, learn later from what was seen."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Final

import lightgbm
import numpy as np
import numpy.typing as npt

from benchmarks.looking.shop import OWN, Returns
from features.clock import DAY
from features.risk_model import probabilities
from features.service import MODEL_FEATURES
from serving.policy.checks import CheckRules
from training.dataset import UNCHECKED_WEIGHT
from training.model import Recipe, fit_trees

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: As `training.model.bands` has it: the riskiest tenth is elevated.
_ELEVATED: Final = 0.10
_RECENT: Final = 56 * DAY
#: Of the returns that nobody looked at about so many are learned from, each for several: the loop learns often.
_UNCHECKED: Final = 8_000
#: The inputs that are made of `OWN`, and their places.
_MADE_OF_OWN: Final = [
    (place, feature)
    for place, feature in enumerate(MODEL_FEATURES)
    if feature.name in (*OWN, "customer_concern_rate_lifetime", "customer_days_since_concern")
]


@dataclass(frozen=True)
class Strategy:
    """Where to look: first by the odds of a draw, then, with what is left of the day, at the highest scores."""

    name: str
    rules: CheckRules
    scores: bool = True


@dataclass(frozen=True)
class Loop:
    """What a strategy did with each of the n returns. `model` numbers the model that scored it (-1: before the start),
    `risk` its risk, `odds` those of the draw."""

    checked: Flags
    drawn: Flags
    odds: Floats
    risk: Floats
    model: Ints


class OwnFindings:
    """What a strategy has found, as the values about the past would show it to the next request."""

    def __init__(self, shop: Returns) -> None:
        self._shop = shop
        self._waiting: list[tuple[int, int]] = []
        customers = int(shop.customer.max()) + 1
        self._checks, self._concerns, self._clean = (np.zeros(customers) for _ in range(3))
        self._last = np.full(customers, np.nan)

    def look_at(self, rows: Ints) -> None:
        """Check these returns; what is seen is known when it is known."""
        for row in rows.tolist():
            heapq.heappush(self._waiting, (int(self._shop.known_at[row]), row))

    def until(self, moment: int) -> None:
        """Take note of what became known before a moment."""
        while self._waiting and self._waiting[0][0] < moment:
            known_at, row = heapq.heappop(self._waiting)
            who, seen = self._shop.customer[row], self._shop.seen[row]
            self._checks[who] += 1
            self._clean[who] += seen == 0
            if seen == 1:
                self._concerns[who] += 1
                self._last[who] = known_at

    def update(self, X: Floats, rows: Ints) -> None:
        """Put into the rows of `X` what is known by now beyond what was known at the start."""
        who = self._shop.customer[rows]
        touched = rows[self._checks[who] > 0]
        if not len(touched):
            return
        who = self._shop.customer[touched]
        values = {name: column[touched].copy() for name, column in self._shop.own.items()}
        values["customer_concerns_365d"] += self._concerns[who]
        values["customer_concerns_lifetime"] += self._concerns[who]
        values["customer_checks_lifetime"] += self._checks[who]
        values["customer_clean_checks_lifetime"] += self._clean[who]
        since = (self._shop.requested_at[touched] - self._last[who]) // 1e6
        latest = values["customer_seconds_since_last_concern"]
        values["customer_seconds_since_last_concern"] = np.fmin(latest, since)
        for place, feature in _MADE_OF_OWN:
            X[touched, place] = feature.value(values)


def learn(shop: Returns, X: Floats, y: Floats, checked: Flags, now: int) -> lightgbm.Booster:
    """A model of what is known at `now`: labels `y` (n,), NaN for none, and returns that nobody looked at."""
    past = shop.requested_at < now
    labelled = past & ~np.isnan(y)
    others = np.flatnonzero(past & ~checked)
    step = max(1, -(-len(others) // _UNCHECKED))
    others = others[::step]
    rows = np.sort(np.concatenate([np.flatnonzero(labelled), others]))
    target = np.where(labelled[rows], np.nan_to_num(y[rows]), 0.0)
    weight = np.where(labelled[rows], 1.0, UNCHECKED_WEIGHT * step)
    text, _ = fit_trees(X[rows], target, weight, MODEL_FEATURES, Recipe())
    return lightgbm.Booster(model_str=text)


def risk_of(model: lightgbm.Booster, X: Floats) -> Floats:
    """The model's risk of rows (n, k) -> (n,), not calibrated."""
    return np.asarray(probabilities(np.asarray(model.predict(X, raw_score=True, num_threads=1))), dtype=np.float64)


def run(
    shop: Returns, strategy: Strategy, first: lightgbm.Booster, *, capacity: float, every_days: int, luck: Floats
) -> Loop:
    """Spend `capacity` of the returns in checks, the same number every day, from the start to the end of the shop.

    `luck` (n,), from 0 to below 1, decides the draws. The model is learned anew every so many days.
    """
    n = len(shop)
    made = Loop(np.zeros(n, bool), np.zeros(n, bool), np.zeros(n), np.full(n, np.nan), np.full(n, -1))
    X, own, model, number = shop.X.copy(), OwnFindings(shop), first, 0
    edges = np.searchsorted(shop.requested_at, np.arange(shop.start, shop.end + 1, DAY))
    a_day = capacity * (edges[-1] - edges[0]) / (len(edges) - 1)
    budget, elevated_from = 0.0, _elevated_from(shop, X, model, shop.start)
    for day, (low, high) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        now = shop.start + day * DAY
        own.until(now)
        if day and day % every_days == 0:
            known = made.checked & (shop.known_at < now)
            model = learn(shop, X, np.where(known, shop.seen, shop.label), shop.checked | made.checked, now)
            number, elevated_from = number + 1, _elevated_from(shop, X, model, now)
        budget += a_day
        if high == low:
            continue
        rows = np.arange(low, high)
        own.update(X, rows)
        made.risk[rows], made.model[rows] = risk_of(model, X[rows]), number
        made.odds[rows] = [strategy.rules.odds(risk, elevated_from) for risk in made.risk[rows].tolist()]
        made.drawn[rows] = luck[rows] < made.odds[rows]
        made.checked[rows] = made.drawn[rows]
        if strategy.scores:
            left = max(0, int(budget) - int(made.drawn[rows].sum()))
            others = rows[~made.drawn[rows]]
            made.checked[others[np.argsort(-made.risk[others], kind="stable")][:left]] = True
        looked = rows[made.checked[rows]]
        budget -= len(looked)
        own.look_at(looked)
    return made


def _elevated_from(shop: Returns, X: Floats, model: lightgbm.Booster, now: int) -> float:
    """The risk from which a return counts as elevated, by those of the last weeks."""
    recent = (shop.requested_at >= now - _RECENT) & (shop.requested_at < now)
    return float(np.quantile(risk_of(model, X[recent]), 1 - _ELEVATED)) if recent.any() else 0.5

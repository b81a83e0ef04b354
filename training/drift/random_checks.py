"""Has the share of findings among random checks risen? A CUSUM chart, from the day the model was trained on.

Checks made at random look where the model does not: a new kind of abuse shows there first, and nowhere else. Each check
adds a log-likelihood ratio to a sum that starts at zero and never falls below it; the sum reaches its threshold when a
rise is far more likely than none (Page, 1954, Continuous inspection schemes; for shares: Reynolds and Stoumbos, 1999, A
CUSUM chart for monitoring a proportion when inspecting continuously). Then an alarm is raised and the sum starts anew.

- *Before* is the share among random checks known when the model was trained, at the upper end of its interval, because
  a share that was estimated too low by chance would raise alarms for ever.
- *Rise* is a doubling: that is what the chart finds quickest. Smaller rises take longer, larger ones less.
- *Odds*: a check made with odds of 1% stands for ten times as many returns as one made with 10%. With weight w (one
  over the odds, relative to the mean) a check adds log(1 + w * lambda * (found - before)). For equal odds that is the
  likelihood ratio itself; for others its expectation without a rise is still at most one, whatever decides the odds
  (Horvitz and Thompson's estimating equation, as a bet on a bounded mean: Waudby-Smith and Ramdas, 2024, JRSS-B 86).
- *False alarms*: the threshold is such that without a rise an alarm comes once in so many checks on average (the
  in-control run length, computed by a Markov chain: Brook and Evans, 1972, Biometrika 59). That number is what three
  years bring at the pace of the shop, and 1,000 at least.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.clock import DAY
from training.labels import effective_size

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: The rise that the chart is tuned to: a doubling.
RISE: Final = 2.0
#: Checks (by effective number) that a share before needs, and that a calm word about the share since needs.
MIN_BEFORE: Final = 100
MIN_SINCE: Final = 30
#: One false alarm in so much time, and in so many checks at least.
YEARS: Final = 3.0
MIN_RUN: Final = 1_000
#: Weights above so many times their mean count as that.
_MOST_WEIGHT: Final = 10.0
#: One-sided 80% for the share before, two-sided 90% for what is shown.
_UPPER_Z: Final = 0.8416
_SHOWN_Z: Final = 1.6449
_STATES: Final = 200


@dataclass(frozen=True)
class Checks:
    """Random checks in the order in which their labels became known: `known_at` (n,) microseconds, `found` (n,) 0 or 1,
    `odds` (n,) with which each was picked, NaN unknown."""

    known_at: Ints
    found: Floats
    odds: Floats

    def __len__(self) -> int:
        return len(self.found)

    @classmethod
    def of(cls, known_at: npt.ArrayLike, found: npt.ArrayLike, odds: npt.ArrayLike) -> Checks:
        """Put into order."""
        known, y, p = (np.asarray(known_at, dtype=np.int64), np.asarray(found, float), np.asarray(odds, float))
        order = np.lexsort((p, y, known))
        return cls(known[order], y[order], p[order])

    def until(self, moment: int) -> tuple[Checks, Checks]:
        """Those known by a moment, and those that became known after it."""
        cut = int(np.searchsorted(self.known_at, moment, side="right"))
        return self._take(slice(cut)), self._take(slice(cut, None))

    def _take(self, which: slice) -> Checks:
        return Checks(self.known_at[which], self.found[which], self.odds[which])


@dataclass(frozen=True)
class Share:
    """A weighted share with its 90% interval (Wilson's, with Kish's effective number of checks)."""

    checks: int
    found: int
    effective: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class RandomChecks:
    """The chart. `before` is None where too few random checks were known: then the share before is `base_rate`.

    `path` holds the sum after each check, `moments` when the label of each became known; `alarms` are the moments of
    alarms. `tested` is the share before that the chart is held against, `run` the number of checks to a false alarm.
    """

    before: Share | None
    since: Share | None
    tested: float
    threshold: float
    run: int
    moments: Ints
    path: Floats
    alarms: tuple[int, ...]
    months: tuple[tuple[str, Share], ...]

    @property
    def enough(self) -> bool:
        """Whether there are so many checks that no alarm means something."""
        return self.since is not None and self.since.effective >= MIN_SINCE


def chart(checks: Checks, trained_until: int, base_rate: float | None) -> RandomChecks | None:
    """The chart of all random checks (`known_at` in microseconds) against those known at `trained_until`.

    Where fewer than `MIN_BEFORE` were known then, the share before is `base_rate`, that of the model. None if there is
    neither, or no check at all.
    """
    if not len(checks):
        return None
    weight = relative_weights(checks.odds)
    old, new = checks.until(trained_until)
    w_old, w_new = weight[: len(old)], weight[len(old) :]
    before = _share(old, w_old)
    if before is not None and before.effective >= MIN_BEFORE:
        tested = _wilson(before.share, before.effective, _UPPER_Z)[1]
    elif base_rate is not None:
        before, tested = None, base_rate
    else:
        return None
    tested = min(max(tested, 1e-3), 0.4)
    run = _run_length(checks)
    gain = gains(w_new, tested)
    threshold = threshold_for(gains(weight, tested), tested, run)
    path, alarms = cusum(np.where(new.found > 0, gain[0], gain[1]), threshold)
    return RandomChecks(
        before=before,
        since=_share(new, w_new),
        tested=tested,
        threshold=threshold,
        run=run,
        moments=new.known_at,
        path=path,
        alarms=tuple(int(new.known_at[i]) for i in alarms),
        months=_months(checks, weight),
    )


def relative_weights(odds: Floats) -> Floats:
    """One over the odds (n,), relative to the mean; a check whose odds nobody wrote down counts like the middle one."""
    known = np.isfinite(odds) & (odds > 0) & (odds <= 1)
    if not known.any():
        return np.ones(len(odds))
    weight = np.where(known, 1.0 / np.where(known, odds, 1.0), np.nan)
    weight = np.where(known, weight, np.nanmedian(weight))
    return np.asarray(np.minimum(weight / weight.mean(), _MOST_WEIGHT), dtype=np.float64)


def gains(weight: Floats, share: float) -> tuple[Floats, Floats]:
    """What a check of each weight (n,) adds to the sum if something was found, and if nothing was."""
    risen = min(RISE * share, (1.0 + share) / 2.0)
    bet = (risen - share) / (share * (1.0 - share))
    w = np.minimum(weight, 0.9 / (bet * share))  # what is under the logarithm stays positive
    return np.log1p(bet * w * (1.0 - share)), np.log1p(-bet * w * share)


def cusum(steps: Floats, threshold: float) -> tuple[Floats, list[int]]:
    """The sum after each step (n,), and at which steps it reached the threshold (and began again from zero)."""
    path, alarms, total = np.empty(len(steps)), [], 0.0
    for i, step in enumerate(steps.tolist()):
        total = max(0.0, total + step)
        path[i] = total
        if total >= threshold:
            alarms.append(i)
            total = 0.0
    return path, alarms


def threshold_for(gain: tuple[Floats, Floats], share: float, run: float) -> float:
    """The threshold at which an alarm without a rise comes once in `run` checks. `gain` as `gains` gives it, for checks
    such as come in (n,)."""
    up, down = (_typical(part) for part in gain)
    steps = np.concatenate([up, down])
    odds = np.concatenate([np.full(len(up), share), np.full(len(down), 1.0 - share)]) / len(up)
    low, high = 0.1, 30.0
    for _ in range(14):
        middle = (low + high) / 2
        if run_length(steps, odds, middle) < run:
            low = middle
        else:
            high = middle
    return high


def run_length(steps: Floats, odds: Floats, threshold: float) -> float:
    """Mean number of checks until the sum reaches the threshold, if each adds one of `steps` (k,) with `odds` (k,).

    The sum is held at `_STATES` levels; a step that ends between two of them is divided between both, so that its mean
    stays what it is.
    """
    width = threshold / _STATES
    chain = np.zeros((_STATES, _STATES))
    state = np.arange(_STATES)
    for step, chance in zip(steps.tolist(), odds.tolist(), strict=True):
        target = np.maximum(state + step / width, 0.0)
        below = np.floor(target).astype(np.int64)
        part = target - below
        for to, share in ((below, 1.0 - part), (below + 1, part)):
            stays = to < _STATES
            np.add.at(chain, (state[stays], to[stays]), chance * share[stays])
    return float(np.linalg.solve(np.eye(_STATES) - chain, np.ones(_STATES))[0])


def _typical(values: Floats) -> Floats:
    """A few values that stand for all: the middles of ten equal parts."""
    if not len(values):
        return np.zeros(1)
    if np.ptp(values) == 0:
        return values[:1]
    return np.quantile(values, np.linspace(0.05, 0.95, 10))


def _run_length(checks: Checks) -> int:
    """Checks in `YEARS` at the pace so far."""
    days = float(checks.known_at[-1] - checks.known_at[0]) / DAY if len(checks) > 1 else 0.0
    return max(MIN_RUN, round(len(checks) / max(days, 1.0) * 365.0 * YEARS)) if days else MIN_RUN


def _share(checks: Checks, weight: Floats) -> Share | None:
    if not len(checks):
        return None
    share, size = float(np.average(checks.found, weights=weight)), effective_size(weight)
    low, high = _wilson(share, size, _SHOWN_Z)
    return Share(len(checks), int(checks.found.sum()), size, share, low, high)


def _wilson(share: float, size: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a share of `size` checks."""
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * math.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _months(checks: Checks, weight: Floats) -> tuple[tuple[str, Share], ...]:
    """The share in each month (UTC) in which labels became known."""
    names = checks.known_at.astype("datetime64[us]").astype("datetime64[M]").astype(str)
    out = []
    for name in np.unique(names).tolist():
        rows = names == name
        found = _share(Checks(checks.known_at[rows], checks.found[rows], checks.odds[rows]), weight[rows])
        if found is not None:
            out.append((name, found))
    return tuple(out)

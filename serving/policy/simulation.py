"""What policies would have done to past returns: checks a day, money found, honest shoppers put off, by segment.

All policies are valued with the costs of the first one, so that a difference between them is one of what they do.
Figures are expectations by the risk; what is known of returns that were looked at stands beside them, counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from serving.policy.checks import LOOKS
from serving.policy.costs import ACTIONS, RANK, Action, CheckCost
from serving.policy.outcomes import CLEARED, FOUND
from serving.policy.past import Past
from serving.policy.policy import EXPECTED_COST, Policy
from serving.policy.segments import segments

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LOOKS_FROM: Final = min(RANK[action] for action in LOOKS)
_AT_A_TIME: Final = 5_000


class Known(NamedTuple):
    """Of the returns that a policy would have looked at: those of which it is known what a look finds. `money` is what
    they would have lost, `passed_money` what the returns did that are known and would not have been looked at."""

    looked_at: int
    found: int
    money: float
    passed: int
    passed_found: int
    passed_money: float


class Figures(NamedTuple):
    """What a policy would have done to some returns. Money in its currency, over the whole stretch.

    `checks` counts looks and, by their odds, draws. `found` is what looks and scans are expected to save, `missed` what
    is expected to be lost all the same, `put_off` the number of honest shoppers whose refund waits for a look, `work`
    what checks cost, `saved` what is found less work and goodwill.
    """

    returns: int
    actions: dict[Action, float]
    checks: float
    found: float
    missed: float
    put_off: float
    work: float
    saved: float
    known: Known


class Days(NamedTuple):
    """Checks a day (days,), how many staff can make, and what `least_gain` would keep days within it: None if what is
    fixed by rules and draws is more already."""

    checks: Floats
    capacity: int
    days_over: float
    least_gain: float
    proposed: float | None

    @property
    def mean(self) -> float:
        """Checks on a day, on average."""
        return float(self.checks.mean())

    @property
    def high(self) -> float:
        """So many or fewer on 95% of days."""
        return float(np.quantile(self.checks, 0.95))

    @property
    def share_over(self) -> float:
        """Share of days on which there are more than staff can make."""
        return float((self.checks > self.capacity).mean())


class Segment(NamedTuple):
    """Some of the returns: along which dimension, which of it, and the figures of each policy."""

    dimension: str
    name: str
    figures: tuple[Figures, ...]


@dataclass(frozen=True)
class Simulation:
    """What each policy would have done; the first is the one asked about."""

    versions: tuple[str, ...]
    currency: str
    figures: tuple[Figures, ...]
    days: tuple[Days, ...]
    segments: tuple[Segment, ...]
    moved: dict[tuple[Action, Action], int]
    answered: int
    estimated: int
    left_out: int
    first_day: int
    last_day: int


@dataclass(frozen=True, eq=False)
class _Run:
    """One policy on all returns. `gain` (n,): what a look would bring more than the best without one; NaN where a rule
    or a restriction decides."""

    actions: Ints
    odds: Floats
    gain: Floats

    @property
    def looks(self) -> Bools:
        return np.asarray(self.actions >= _LOOKS_FROM)

    @property
    def checks(self) -> Floats:
        return np.where(self.looks, 1.0, self.odds)


def simulate(
    policies: Sequence[Policy], past: Past, advance: Callable[[int, int], None] = lambda done, total: None
) -> Simulation:
    """What each of the policies would have done to the returns. `advance` is told how far it is."""
    total = len(past) * len(policies)
    runs = []
    for at, policy in enumerate(policies):
        runs.append(_run(policy, past, partial(_further, advance, at * len(past), total)))
    yardstick = policies[0]
    values = np.array(
        [yardstick.value(*each) / 100 for each in zip(past.asked.values, past.asked.currencies, strict=True)]
    )
    worth = _Worth(yardstick, past, values)
    everything = np.ones(len(past), dtype=bool)
    parts = [
        Segment(dimension, name, tuple(worth.figures(run, among) for run in runs))
        for dimension, name, among in segments(past, values)
    ]
    first, last = runs[0], runs[-1]
    pairs, counts = np.unique(np.stack([last.actions, first.actions]), axis=1, return_counts=True)
    return Simulation(
        versions=tuple(policy.version for policy in policies),
        currency=yardstick.currency,
        figures=tuple(worth.figures(run, everything) for run in runs),
        days=tuple(_days(policy, past, run) for policy, run in zip(policies, runs, strict=True)),
        segments=tuple(parts),
        moved={
            (ACTIONS[before], ACTIONS[after]): int(count)
            for before, after, count in zip(*pairs.tolist(), counts.tolist(), strict=True)
        },
        answered=past.answered,
        estimated=len(past) - past.answered,
        left_out=past.left_out,
        first_day=past.first_day,
        last_day=past.last_day,
    )


def _further(advance: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    advance(before + done, total)


def _run(policy: Policy, past: Past, advance: Callable[[int], None]) -> _Run:
    n = len(past)
    actions, gain = np.zeros(n, dtype=np.int64), np.full(n, np.nan)
    by_cost, asked = policy.by_cost, past.asked
    for number in range(n):
        facts = asked.facts(number, float(past.risks[number]), past.bands[number], past.sufficient[number])
        decision = policy.decide(facts._replace(restricted=past.restricted[number]))
        actions[number] = RANK[decision.action]
        if decision.clause == EXPECTED_COST and not past.restricted[number]:
            value = policy.value(facts.value_minor, facts.currency) / 100
            options = by_cost.options(facts.kind, facts.sufficient, facts.risk, value)
            without = min(option.cost for option in options if option.action not in LOOKS)
            gain[number] = without - min(option.cost for option in options if option.action in LOOKS)
        if number % _AT_A_TIME == 0:
            advance(number)
    advance(n)
    uncertain = past.risks >= policy.checks.uncertain_from * past.elevated_from
    odds = np.where(uncertain, policy.checks.uncertain_rate, policy.checks.random_rate)
    return _Run(actions, odds, gain)


class _Worth:
    """Values what policies do with the costs of one of them."""

    def __init__(self, policy: Policy, past: Past, values: Floats) -> None:
        costs = policy.costs
        self._past = past
        self._claim = np.array([kind == "claim" for kind in past.asked.kinds], dtype=bool)
        self._loss = costs.loss_share * values
        of_goods = (CheckCost(), costs.scan, costs.inspection, costs.review)
        of_claims = (CheckCost(), CheckCost(), CheckCost(), costs.trace)
        self._costs = {
            name: np.array([[getattr(check, name) for check in kind] for kind in (of_goods, of_claims)])
            for name in ("work", "put_off", "finds")
        }

    def figures(self, run: _Run, among: Bools) -> Figures:
        """Of the returns `among` (n,)."""
        past, looks = self._past, run.looks & among
        risk, kind, action = past.risks, self._claim.astype(np.int64), run.actions
        found = risk * self._costs["finds"][kind, action] * self._loss
        work = self._costs["work"][kind, action]
        goodwill = (1.0 - risk) * self._costs["put_off"][kind, action]
        shares = np.bincount(action[among], minlength=len(ACTIONS)) / max(int(among.sum()), 1)
        return Figures(
            returns=int(among.sum()),
            actions=dict(zip(ACTIONS, shares.tolist(), strict=True)),
            checks=float(run.checks[among].sum()),
            found=float(found[among].sum()),
            missed=float((risk * self._loss - found)[among].sum()),
            put_off=float((1.0 - risk)[looks].sum()),
            work=float(work[among].sum()),
            saved=float((found - work - goodwill)[among].sum()),
            known=self._known(looks, among & ~run.looks),
        )

    def _known(self, looked_at: Bools, passed: Bools) -> Known:
        outcomes = self._past.outcomes
        found = outcomes == FOUND
        settled = found | (outcomes == CLEARED)
        return Known(
            looked_at=int((settled & looked_at).sum()),
            found=int((found & looked_at).sum()),
            money=float(self._loss[found & looked_at].sum()),
            passed=int((settled & passed).sum()),
            passed_found=int((found & passed).sum()),
            passed_money=float(self._loss[found & passed].sum()),
        )


def _days(policy: Policy, past: Past, run: _Run) -> Days:
    capacity = policy.capacity
    return Days(
        checks=_by_day(past, run.checks),
        capacity=capacity.checks_a_day,
        days_over=capacity.days_over,
        least_gain=capacity.least_gain,
        proposed=_proposed(past, run, capacity.checks_a_day, capacity.days_over),
    )


def _by_day(past: Past, checks: Floats) -> Floats:
    length = past.last_day - past.first_day + 1
    return np.bincount(past.days - past.first_day, weights=checks, minlength=length).astype(np.float64)


def _proposed(past: Past, run: _Run, capacity: int, days_over: float) -> float | None:
    """The least `least_gain`, in cents, with which no more than a share `days_over` of days is over capacity.

    A higher one never asks for more looks, so it is found by halving.
    """
    decided = ~np.isnan(run.gain)

    def is_enough(cents: int) -> bool:
        looks = np.where(decided, np.nan_to_num(run.gain) > cents / 100, run.looks)
        return bool((_by_day(past, np.where(looks, 1.0, run.odds)) > capacity).mean() <= days_over)

    low, high = 0, int(np.ceil(np.nanmax(run.gain) * 100)) if decided.any() else 0
    high = max(high, 0)
    if not is_enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return low / 100

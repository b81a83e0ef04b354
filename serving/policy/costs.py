"""What checks cost and find, and which handling of a return costs least.

The expected cost of handling a return of risk r and value V with a check that costs `work`, puts an honest shopper off
by `put_off`, and finds the share `finds` of what a careful inspection would find:

    work + (1 - r) * put_off + r * (1 - finds) * loss_share * V

A refund at once costs r * loss_share * V. The least of these wins; of equals, what asks least of the shopper.
Staff have no time for every check that is worth a cent, so a look must gain at least `least_gain` more than what it is
compared with: what the last check of a full day brings (the multiplier of the capacity in a knapsack: Dantzig, 1957).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

Action = Literal["refund_now", "refund_on_scan", "inspect_before_refund", "staff_review"]
#: From what asks least of a shopper to what asks most.
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
RANK: Final[dict[str, int]] = {action: rank for rank, action in enumerate(ACTIONS)}
#: What can only be done with goods that come back.
NEEDS_GOODS: Final = ("refund_on_scan", "inspect_before_refund")


@dataclass(frozen=True, slots=True)
class CheckCost:
    """A kind of check: money in the policy's currency."""

    work: float = 0.0
    put_off: float = 0.0
    finds: float = 0.0


_NO_CHECK: Final = CheckCost()


@dataclass(frozen=True, slots=True)
class Costs:
    """`scan`, `inspection` and `review` are of goods that come back, `trace` is what a review of a claim is."""

    loss_share: float
    scan: CheckCost
    inspection: CheckCost
    review: CheckCost
    trace: CheckCost


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many returns staff can look at in a day, and what a look must bring for that to be enough."""

    checks_a_day: int
    least_gain: float
    days_over: float


class Option(NamedTuple):
    """A possible handling, and what it is expected to cost."""

    action: Action
    cost: float


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """Chooses by expected cost."""

    costs: Costs
    least_gain: float

    def options(self, kind: str, sufficient: bool, risk: float, value: float) -> list[Option]:
        """What may be done about a return, and at what expected cost, `least_gain` left out; `value` in the policy's
        currency. Of a claim nothing comes back; with a thin history nothing goes beyond a look at the item."""
        return [Option(action, self._cost(check, risk, value)) for action, check in self._open(kind, sufficient)]

    def best(self, kind: str, sufficient: bool, risk: float, value: float) -> Action:
        """What costs least, where a look costs `least_gain` more."""
        best: Action = "refund_now"
        least = float("inf")
        for action, check in self._open(kind, sufficient):
            cost = self._cost(check, risk, value)
            if RANK[action] >= _LOOKS_FROM:
                cost += self.least_gain
            if cost < least:
                best, least = action, cost
        return best

    def _open(self, kind: str, sufficient: bool) -> tuple[tuple[Action, CheckCost], ...]:
        costs = self.costs
        if kind == "claim":
            return ("refund_now", _NO_CHECK), ("staff_review", costs.trace)
        gentle: tuple[tuple[Action, CheckCost], ...] = (
            ("refund_now", _NO_CHECK),
            ("refund_on_scan", costs.scan),
            ("inspect_before_refund", costs.inspection),
        )
        return (*gentle, ("staff_review", costs.review)) if sufficient else gentle

    def _cost(self, check: CheckCost, risk: float, value: float) -> float:
        missed = risk * (1.0 - check.finds) * self.costs.loss_share * value
        return check.work + (1.0 - risk) * check.put_off + missed


_LOOKS_FROM: Final = RANK["inspect_before_refund"]

"""What can be varied in the simulated shop, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from features.errors import ReturnwiseError
from features.ledger.vocabulary import ABUSE_TYPES


class SimulationError(ReturnwiseError):
    """A simulation that cannot be made as asked for."""


#: Shares of the kinds among the customers who have a habit of their own (rings and hired refunders come on top).
HABITS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "wardrobing": 0.27,
        "empty_parcel": 0.10,
        "switched_item": 0.14,
        "counterfeit_item": 0.05,
        "fake_tracking": 0.09,
        "false_claim": 0.24,
        "receipt_trick": 0.08,
        "stolen_goods": 0.03,
    }
)


@dataclass(frozen=True)
class SimulationSettings:
    """How the simulated shop behaves. The defaults are those of `returnwise simulate`.

    Attributes:
        orders_per_year: mean orders of an active customer in a year.
        return_level: factor on the rates at which goods honestly come back.
        loss_level: factor on the couriers' losses.
        abuse_level: factor on how often those with a habit abuse, and on lapses.
        habit_share: share of customers with a habit of abusing some of their returns.
        ring_share: share of customers who belong to a ring of accounts.
        hired_share: share of customers who once hire somebody to get them refunds.
        lapse_rate: odds, for an order of anybody else, that it ends in a single abusive return.
        serial_share: share of customers who return nearly everything, which is a matter of policy and not abuse.
        bracketing_share: share of customers who order several sizes of a style.
        abuse_mix: shares of the kinds among those with a habit.
        break_day: day of the history (0 is the first) from which on there is a kind of abuse that nobody committed
            before. None: no break.
        break_kind: that kind. Without a break it is a kind like the others.
        break_share: share of customers who take it up.
        routine_rate: odds of a routine check, for goods of usual categories.
        random_rate: odds of a random check.
        risk_rate: about what share of returns staff pick by their rule of thumb.
        sensitivity: factor on the odds that a check sees abuse that is there.
        late_share: share of deliveries and findings that are recorded hours or days late.
    """

    orders_per_year: float = 9.0
    return_level: float = 1.0
    loss_level: float = 1.0
    abuse_level: float = 1.0
    habit_share: float = 0.036
    ring_share: float = 0.016
    hired_share: float = 0.010
    lapse_rate: float = 0.0017
    serial_share: float = 0.012
    bracketing_share: float = 0.06
    abuse_mix: Mapping[str, float] = field(default_factory=lambda: HABITS)
    break_day: int | None = None
    break_kind: str = "fake_tracking"
    break_share: float = 0.012
    routine_rate: float = 0.03
    random_rate: float = 0.015
    risk_rate: float = 0.04
    sensitivity: float = 1.0
    late_share: float = 0.02

    def __post_init__(self) -> None:
        for name in ("orders_per_year", "return_level", "loss_level", "abuse_level", "sensitivity"):
            _check(name, getattr(self, name), 0.0, 100.0)
        for name in ("routine_rate", "random_rate", "risk_rate", "late_share", "lapse_rate", "bracketing_share"):
            _check(name, getattr(self, name), 0.0, 0.5)
        shares = ("habit_share", "ring_share", "hired_share", "serial_share", "break_share")
        for name in shares:
            _check(name, getattr(self, name), 0.0, 0.15)
        unknown = set(self.abuse_mix) - set(HABITS)
        if unknown or self.break_kind not in HABITS:
            raise SimulationError(
                f"unknown kind of abuse: {min(unknown, default=self.break_kind)}; known are {', '.join(HABITS)}"
            )
        if any(share < 0 for share in self.abuse_mix.values()) or not sum(self.mix().values()):
            raise SimulationError("abuse_mix: shares must not be negative, and some kind must have one")
        if self.break_day is not None and self.break_day < 0:
            raise SimulationError(f"break_day must not be negative, is {self.break_day}")

    def mix(self) -> dict[str, float]:
        """Shares of the kinds among those with a habit: all but the one that only a break brings."""
        return {kind: share for kind, share in self.abuse_mix.items() if kind != self.new_kind}

    @property
    def new_kind(self) -> str | None:
        """The kind that only a break brings, None without a break."""
        return None if self.break_day is None else self.break_kind

    def weights(self) -> list[float]:
        """`mix` by the codes of the vocabulary."""
        mix = self.mix()
        return [mix.get(kind, 0.0) for kind in ABUSE_TYPES]


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SimulationError(f"{name} must be between {low:g} and {high:g}, is {value:g}")

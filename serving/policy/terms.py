"""What the shop grants of its own accord: how long returns may come, on what conditions, what it offers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from serving.policy.conditions import Box, Case

Offer = Literal["exchange", "store_credit", "partial_refund"]


@dataclass(frozen=True, slots=True)
class Fee:
    """What is taken off a refund, in 1/100 of the policy's currency.

    `postage` is the direct cost of sending the goods back, which the law lets a shop leave to the shopper; `restocking`
    is the shop's own.
    """

    postage: int = 0
    restocking: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of returns of some countries, channels and categories.

    Days count from delivery; None is what the law says.
    """

    id: str
    box: Box
    window_days: int
    conditions: tuple[str, ...]
    non_returnable: frozenset[str]
    fee: Fee
    withdrawal_days: int | None
    warranty_days: int | None


@dataclass(frozen=True, slots=True)
class Season:
    """Orders of a stretch of the year, which may come back until a later day of it; (month, day), both included."""

    id: str
    box: Box
    ordered_from: tuple[int, int]
    ordered_to: tuple[int, int]
    until: tuple[int, int]

    def last_day(self, case: Case, ordered_at: int) -> date | None:
        """Until when an order of that moment (microseconds since 1970 UTC) may come back; None if it is of none.

        >>> from serving.policy.conditions import EVERYTHING
        >>> gifts = Season("gifts", EVERYTHING, (11, 1), (12, 31), (1, 31))
        >>> case = Case("return", "low", "enough", "DE", "web", "toys", "gift", 1.0)
        >>> gifts.last_day(case, 1_796_000_000_000_000)
        datetime.date(2027, 1, 31)
        """
        if not self.box.fits(case):
            return None
        day = datetime.fromtimestamp(ordered_at // 1_000_000, UTC).date()
        at = (day.month, day.day)
        over_new_year = self.ordered_from > self.ordered_to
        if not (
            (at >= self.ordered_from or at <= self.ordered_to)
            if over_new_year
            else self.ordered_from <= at <= self.ordered_to
        ):
            return None
        ends = day.year + (over_new_year and at >= self.ordered_from)
        return date(ends + (self.until < self.ordered_to), *self.until)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Something else that a shopper may like as well as a refund; `bonus_percent` on top of store credit."""

    id: str
    box: Box
    offer: Offer
    bonus_percent: int

"""What customers ask for: lines that they want to send back or claim, before these become return requests."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

import numpy as np

from features.ledger import vocabulary as words
from pipelines.simulate.calendar import DAY, at_local, online_hours, opening_hours, weekday
from pipelines.simulate.chance import Codes, Floats, Ints, around_one, happens
from pipelines.simulate.orders import NEVER, Lines, Orders
from pipelines.simulate.shop import COUNTRIES, RETURN_WINDOW_DAYS, STORE

REASON: Final = {reason: code for code, reason in enumerate(words.REASONS)}


class Slot(IntEnum):
    """Lines of an order that are asked for together share a slot, and so become one return."""

    MAIN = 0
    SECOND = 1
    CLAIM = 2
    LATE_DEFECT = 3
    GIFT = 4
    APART = 5  # abusive, goods come back
    APART_CLAIM = 6  # abusive claim


CLAIM_SLOTS: Final = (Slot.CLAIM, Slot.APART_CLAIM)


@dataclass
class Asks:
    """Lines asked for (n,).

    Attributes:
        line: position of the order line.
        slot: which lines of an order go together.
        reason: code.
        quantity: pieces.
        at: when; of the lines that go together the first one's counts.
        kind: kind of abuse, -1 for none.
        act: what is done, -1 for nothing.
    """

    line: Ints
    slot: Codes
    reason: Codes
    quantity: Ints
    at: Ints
    kind: Codes
    act: Codes

    def __len__(self) -> int:
        return len(self.line)

    def take(self, which: Ints) -> Asks:
        """Those at the given positions or, given flags, those that are flagged."""
        return Asks(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def joined(parts: list[Asks]) -> Asks:
    """All of them, one after the other."""
    return Asks(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Asks)})


def honest(line: Ints, slot: int, reason: Codes | int, quantity: Ints, at: Ints) -> Asks:
    """Asks in which nothing is abusive. (n,) each."""
    n = len(line)
    none = np.full(n, -1, dtype=np.int8)
    codes = np.broadcast_to(np.asarray(reason, dtype=np.int8), n).copy()
    return Asks(line, np.full(n, slot, dtype=np.int8), codes, quantity, at, none, none)


def moments(rng: np.random.Generator, orders: Orders, order: Ints, since: Ints, days: Floats) -> Ints:
    """When somebody asks `days` after `since`, at a time of day that people have time. (n,) each -> (n,).

    At least the next day, so never before `since`; `NEVER` where `since` is.
    """
    n = len(order)
    at_a_desk = (orders.channel[order] == STORE) | happens(rng, 0.2, n)
    time_of_day = np.where(at_a_desk, opening_hours(rng, n), online_hours(rng, n))
    ahead = np.array([c.hours for c in COUNTRIES])[orders.country[order]]
    midnight = since // DAY * DAY + np.maximum(np.round(days), 1).astype(np.int64) * DAY
    at = at_local(midnight, time_of_day, ahead)
    at = np.where(at <= since, at + DAY, at)
    return np.where(since >= NEVER, NEVER, at)


def usual_days(rng: np.random.Generator, promptness: Floats) -> Floats:
    """Days from delivery until things are sent back: about a week, most of it within the window. (n,) -> (n,)."""
    n = len(promptness)
    days = 7.5 * promptness * around_one(rng, 0.6, n)
    last = RETURN_WINDOW_DAYS + np.where(happens(rng, 0.05, n), rng.uniform(0.0, 15.0, n), 0.0)
    return np.asarray(np.minimum(days, last))


def after_the_weekend(rng: np.random.Generator, arrived: Ints) -> Floats:
    """Days from delivery until the first days after the next weekend. (n,) -> (n,)."""
    return np.asarray((7 - weekday(arrived)) + np.floor(rng.exponential(0.9, len(arrived))))


def paid_to_usual(lines: Lines, medians: Floats) -> Floats:
    """What was paid for each line against the median price of its category. (m,)."""
    return np.maximum(lines.paid, 100) / (medians[lines.category] * 100)

"""Who buys: customers with their own rates, tastes and habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.ledger import vocabulary as words
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.chance import Codes, Flags, Floats, Ints, around_one, happens, pick
from pipelines.simulate.settings import SimulationSettings
from pipelines.simulate.shop import CHANNEL_SHARES, COUNTRIES, SIZES, TASTE_SHARES

SIZE_RANGES: Final = ("standard", "petite", "plus", "tall")
_SIZE_RANGE_SHARES: Final = (0.76, 0.08, 0.11, 0.05)
_USUAL_SIZES: Final = (0.08, 0.22, 0.32, 0.22, 0.11, 0.05)

#: Codes of kinds of abuse are positions in the vocabulary.
KIND: Final = {kind: code for code, kind in enumerate(words.ABUSE_TYPES)}
_RING_ACTS: Final = ("false_claim", "empty_parcel", "switched_item", "fake_tracking")
_RING_ACT_SHARES: Final = (0.34, 0.25, 0.25, 0.16)
_HIRED_ACTS: Final = ("false_claim", "empty_parcel", "fake_tracking")
_HIRED_ACT_SHARES: Final = (0.5, 0.28, 0.22)
HIRED_WINDOW_DAYS: Final = 70.0


@dataclass
class Customers:
    """Customers (n,), one array per trait.

    Attributes:
        joined, left: days since the start of the history between which they order (joined may lie before it).
        pace: orders a year.
        pickiness: factor on how often things do not please them; mean 1.
        unsureness: factor on how often things do not fit; mean 1.
        promptness: factor on how long they take to send things back.
        taste, country, channel, size, size_range: codes.
        bracketing: odds that a line of clothing or shoes is ordered in several sizes.
        serial: whether nearly everything goes back.
        kind: kind of abuse that may occur, -1 for none; `act` is what is then done (the same but for rings and
            hired refunders).
        intensity: factor on how often.
        from_day, to_day: days since the start between which it may occur.
        ring: number of the ring, -1 for none.
    """

    joined: Floats
    left: Floats
    pace: Floats
    pickiness: Floats
    unsureness: Floats
    promptness: Floats
    taste: Codes
    country: Codes
    channel: Codes
    size: Codes
    size_range: Codes
    bracketing: Floats
    serial: Flags
    kind: Codes
    act: Codes
    intensity: Floats
    from_day: Floats
    to_day: Floats
    ring: Ints

    def __len__(self) -> int:
        return len(self.joined)


def make_customers(rng: np.random.Generator, n: int, calendar: Calendar, settings: SimulationSettings) -> Customers:
    """n customers: a good half were there before the history begins, the others join in the course of it."""
    days = calendar.days
    earlier = happens(rng, 0.55, n)
    joined = np.where(earlier, -rng.exponential(500.0, n), rng.uniform(0.0, days, n))
    stay = rng.exponential(1500.0, n)
    left = np.where(earlier, rng.exponential(1500.0, n), joined + stay)
    size_range = pick(rng, _SIZE_RANGE_SHARES, n)
    hard_to_fit = np.array([1.0, 1.35, 1.5, 1.6])[size_range]
    brackets = happens(rng, np.minimum(settings.bracketing_share * hard_to_fit, 0.9), n)
    made = Customers(
        joined=joined,
        left=left,
        pace=settings.orders_per_year * around_one(rng, 0.75, n),
        pickiness=around_one(rng, 0.65, n),
        unsureness=around_one(rng, 0.45, n) * hard_to_fit,
        promptness=around_one(rng, 0.40, n),
        taste=pick(rng, TASTE_SHARES, n).astype(np.int8),
        country=pick(rng, [country.share for country in COUNTRIES], n).astype(np.int8),
        channel=pick(rng, CHANNEL_SHARES, n).astype(np.int8),
        size=np.clip(pick(rng, _USUAL_SIZES, n) + (size_range == 2) * 2, 0, len(SIZES) - 1).astype(np.int8),
        size_range=size_range.astype(np.int8),
        bracketing=np.where(brackets, rng.beta(3.0, 3.0, n), 0.01),
        serial=np.zeros(n, dtype=np.bool_),
        kind=np.full(n, -1, dtype=np.int8),
        act=np.full(n, -1, dtype=np.int8),
        intensity=rng.gamma(1.6, 1.0 / 1.6, n),
        from_day=np.zeros(n),
        to_day=np.full(n, float(days)),
        ring=np.full(n, -1, dtype=np.int64),
    )
    _give_habits(rng, made, days, settings)
    _form_rings(rng, made, days, settings)
    return made


def _give_habits(rng: np.random.Generator, made: Customers, days: int, settings: SimulationSettings) -> None:
    """Some have a habit of their own, some hire somebody once, some return nearly everything. Groups are disjoint."""
    n = len(made)
    u = rng.random(n)
    ends = np.cumsum(
        [
            settings.habit_share,
            settings.hired_share,
            settings.serial_share,
            settings.break_share if settings.break_day is not None else 0.0,
        ]
    )
    group = np.searchsorted(ends, u, side="right")  # 0 habit, 1 hired, 2 serial, 3 takes up the new kind, 4 nothing
    first = np.maximum(made.joined, 0.0)
    last = np.clip(made.left, first, days)

    habit = np.flatnonzero(group == 0)
    made.act[habit] = made.kind[habit] = pick(rng, settings.weights(), len(habit))
    begins_later = happens(rng, 0.6, len(habit)) * rng.beta(1.0, 2.0, len(habit))
    made.from_day[habit] = first[habit] + begins_later * (last[habit] - first[habit])
    made.pace[habit] *= 1.25

    hired = np.flatnonzero(group == 1)
    made.kind[hired] = KIND["hired_refunder"]
    acts = [KIND[act] for act in _HIRED_ACTS]
    made.act[hired] = np.array(acts)[pick(rng, _without_break(acts, _HIRED_ACT_SHARES, settings), len(hired))]
    made.from_day[hired] = first[hired] + rng.random(len(hired)) * (last[hired] - first[hired])
    made.to_day[hired] = made.from_day[hired] + HIRED_WINDOW_DAYS
    made.intensity[hired] = 1.0

    serial = np.flatnonzero(group == 2)
    made.serial[serial] = True
    made.pace[serial] *= 1.4

    if settings.break_day is not None:
        new = np.flatnonzero(group == 3)
        made.act[new] = made.kind[new] = KIND[settings.break_kind]
        made.from_day[new] = settings.break_day
        made.intensity[new] *= 1.4


def _form_rings(rng: np.random.Generator, made: Customers, days: int, settings: SimulationSettings) -> None:
    """Rings of 3 to 12 accounts that are opened within weeks of each other, order a lot for some months and stop."""
    candidates = rng.permutation(np.flatnonzero((made.kind < 0) & ~made.serial))
    sizes = rng.integers(3, 13, int(len(made) * settings.ring_share) // 3 + 1)
    ends = np.cumsum(sizes)
    ends = ends[ends <= min(round(len(made) * settings.ring_share), len(candidates))]
    if len(ends) == 0:
        return
    rings = len(ends)
    members = candidates[: ends[-1]]
    ring = np.repeat(np.arange(rings), np.diff(np.concatenate([[0], ends])))
    m = len(members)
    acts = [KIND[act] for act in _RING_ACTS]
    act = np.array(acts)[pick(rng, _without_break(acts, _RING_ACT_SHARES, settings), rings)]
    opened = rng.uniform(-90.0, max(days - 20.0, 1.0), rings)
    made.ring[members] = ring
    made.kind[members] = KIND["account_ring"]
    made.act[members] = act[ring]
    made.joined[members] = opened[ring] + rng.exponential(18.0, m)
    made.left[members] = made.joined[members] + rng.uniform(90.0, 330.0, m)
    made.from_day[members] = made.joined[members] + rng.uniform(0.0, 40.0, m)
    made.pace[members] = 20.0 * around_one(rng, 0.4, m)
    made.intensity[members] = rng.gamma(3.0, 1.0 / 3.0, m)
    made.country[members] = pick(rng, [country.share for country in COUNTRIES], rings).astype(np.int8)[ring]
    made.bracketing[members] = 0.01


def _without_break(acts: list[int], shares: tuple[float, ...], settings: SimulationSettings) -> Floats:
    new = None if settings.new_kind is None else KIND[settings.new_kind]
    return np.array([0.0 if act == new else share for act, share in zip(acts, shares, strict=True)])

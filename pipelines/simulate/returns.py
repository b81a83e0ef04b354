"""Honest returns and claims: what is lost, short, wrong, damaged, faulty, does not fit or does not please."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.asks import REASON, Asks, Slot, after_the_weekend, honest, joined, moments, paid_to_usual
from pipelines.simulate.asks import usual_days as days_until
from pipelines.simulate.calendar import DAY, Calendar, after_christmas
from pipelines.simulate.chance import Codes, Flags, Floats, Ints, around_one, happens, pick, pick_by, table
from pipelines.simulate.customers import Customers
from pipelines.simulate.orders import NEVER, Lines, Orders, customers_of
from pipelines.simulate.products import Products
from pipelines.simulate.settings import SimulationSettings
from pipelines.simulate.shop import CATEGORIES, COURIERS, EVENT_WEAR, STORE

_SHORT = 0.0040  # share of lines that the warehouse forgets to pack
_WRONG = 0.0045  # share of lines that it mixes up


@dataclass(frozen=True)
class History:
    """What has been bought by whom: the ground on which returns are drawn."""

    customers: Customers
    products: Products
    orders: Orders
    lines: Lines
    calendar: Calendar
    settings: SimulationSettings


def honest_asks(rng: np.random.Generator, history: History, taken: Flags) -> Asks:
    """What is honestly asked for, of the lines (m,) that are not `taken` already."""
    orders, lines = history.orders, history.lines
    buyer = customers_of(orders, lines.order)
    gone = orders.gone[lines.order]
    open_lines = ~taken & ~gone
    reason = _reasons(rng, history, buyer)
    reason[~open_lines] = -1

    claims = _claims_for_gone(rng, history, np.flatnonzero(gone & ~taken))
    short = np.flatnonzero(reason == REASON["missing_item"])
    soon = moments(rng, orders, lines.order[short], _arrived(history, short), rng.exponential(1.5, len(short)))
    missing = honest(short, Slot.CLAIM, REASON["missing_item"], _pieces(rng, lines.quantity[short], 0.8), soon)

    gifts = np.flatnonzero(reason == REASON["gift"])
    unpacked = np.maximum(after_christmas(orders.at[lines.order[gifts]]), _arrived(history, gifts))
    after = moments(rng, orders, lines.order[gifts], unpacked, 1.0 + rng.gamma(1.6, 5.0, len(gifts)))
    given = honest(gifts, Slot.GIFT, REASON["gift"], lines.quantity[gifts], after)

    rest = np.flatnonzero((reason >= 0) & (reason != REASON["missing_item"]) & (reason != REASON["gift"]))
    back = _sent_back(rng, history, buyer, rest, reason[rest])
    return joined([claims, missing, given, back, _later_rest(rng, history, back)])


def _arrived(history: History, line: Ints) -> Ints:
    return np.asarray(history.orders.arrived[history.lines.order[line]])


def _pieces(rng: np.random.Generator, bought: Ints, all_odds: float) -> Ints:
    """How many pieces of each line: all with these odds, else any number. (n,) -> (n,)."""
    some = 1 + np.floor(rng.random(len(bought)) * bought).astype(np.int64)
    return np.where(happens(rng, all_odds, len(bought)), bought, np.minimum(some, bought))


def _reasons(rng: np.random.Generator, history: History, buyer: Ints) -> Codes:
    """The reason why each line (m,) would be asked for, -1 for what is kept. What is worst counts."""
    customers, products, lines, orders = history.customers, history.products, history.lines, history.orders
    m, level = len(lines), history.settings.return_level
    mood = around_one(rng, 0.45, len(orders))[lines.order]
    dear = np.clip(paid_to_usual(lines, np.array([c.price for c in CATEGORIES])), 0.2, 5.0) ** 0.2
    sent = orders.courier[lines.order]
    rough = np.where(sent >= 0, np.array([c.damage for c in COURIERS])[sent], 0.0)
    fragile = np.array([c.fragile for c in CATEGORIES])[lines.category]

    thoughts = np.minimum(products.second_thoughts[lines.style] * customers.pickiness[buyer] * mood * dear, 0.7)
    thoughts[customers.serial[buyer]] = 0.55
    thoughts[orders.channel[lines.order] == STORE] *= 0.6
    misfit = np.minimum(products.misfit[lines.style] * customers.unsureness[buyer] * mood, 0.8)
    tried = _tried_sizes(rng, lines)
    gift = history.calendar.before_christmas(orders.at[lines.order]) & happens(rng, 0.22, m)
    late = (orders.arrived[lines.order] - orders.expected[lines.order]) > 2 * DAY

    reason = np.full(m, -1, dtype=np.int8)
    fickle = happens(rng, thoughts * level, m)
    reason[fickle] = _why_not_wanted(rng, lines.category[fickle])
    reason[happens(rng, misfit * level, m) & (lines.size >= 0)] = REASON["size_fit"]
    reason[late & happens(rng, 0.05 * level, m)] = REASON["arrived_late"]
    reason[gift] = -1
    reason[gift & happens(rng, 0.15 * level, m)] = REASON["gift"]
    reason[tried] = REASON["size_fit"]
    faulty = happens(rng, products.defects[lines.style] * 0.8, m)
    reason[faulty] = np.where(happens(rng, 0.75, m), REASON["defective"], REASON["not_as_described"])[faulty]
    reason[happens(rng, rough * fragile, m)] = REASON["damaged_in_transit"]
    reason[(sent >= 0) & happens(rng, _WRONG, m)] = REASON["wrong_item_sent"]
    reason[(sent >= 0) & happens(rng, _SHORT, m)] = REASON["missing_item"]
    return reason


def _tried_sizes(rng: np.random.Generator, lines: Lines) -> Flags:
    """Of the sizes of a bracketed style one stays, sometimes none; the others go back with few exceptions."""
    m = len(lines)
    inside = lines.bracket >= 0
    chosen = np.zeros(m, dtype=np.bool_)
    lead = np.flatnonzero(inside & (lines.bracket == np.arange(m)))
    count = np.bincount(np.maximum(lines.bracket, 0), weights=inside.astype(np.float64), minlength=m)[lead]
    keeps = happens(rng, 0.82, len(lead))
    best = lead + np.floor(rng.random(len(lead)) * count).astype(np.int64)
    chosen[best[keeps]] = True
    return inside & ~chosen & happens(rng, 0.94, m)


def _why_not_wanted(rng: np.random.Generator, category: Codes) -> Codes:
    codes = [REASON[name] for name in ("changed_mind", "size_fit", "not_as_described", "defective", "other")]
    sized = [code for code, c in enumerate(CATEGORIES) if c.sized]
    shares = table(
        len(CATEGORIES), [(code, (0.50, 0.24, 0.14, 0.04, 0.08)) for code in sized], (0.58, 0.0, 0.21, 0.09, 0.12)
    )
    return np.asarray(np.array(codes, dtype=np.int8)[pick_by(rng, shares, category)])


def _claims_for_gone(rng: np.random.Generator, history: History, gone: Ints) -> Asks:
    """Nearly everybody whose parcel never came says so, some days after it should have come (or was left there)."""
    orders, lines = history.orders, history.lines
    order = lines.order[gone]
    n = len(orders)
    says_so, wait = happens(rng, 0.93, n), 1.0 + rng.gamma(2.0, 2.2, n)
    since = np.where(orders.lost, orders.expected, np.maximum(orders.expected, orders.arrived))
    at = moments(rng, orders, order, since[order], wait[order])
    claims = honest(gone, Slot.CLAIM, REASON["not_received"], lines.quantity[gone], at)
    return claims.take(np.flatnonzero(says_so[order]))


def _sent_back(rng: np.random.Generator, history: History, buyer: Ints, line: Ints, reason: Codes) -> Asks:
    """Goods that come back: most of an order together, some later, defects sometimes much later."""
    customers, orders, lines = history.customers, history.orders, history.lines
    order, who = lines.order[line], buyer[line]
    n = len(line)
    days_of_order = days_until(rng, np.ones(len(orders)))
    dressed = np.zeros(len(orders), dtype=np.bool_)
    dressed[lines.order[lines.category == EVENT_WEAR]] = True
    weekend = dressed & happens(rng, 0.35, len(orders))
    soon = np.where(
        weekend[order],
        after_the_weekend(rng, np.where(orders.lost, 0, orders.arrived))[order],
        days_of_order[order] * customers.promptness[who],
    )
    faulty = (reason == REASON["defective"]) & happens(rng, 0.35, n)
    second = happens(rng, 0.10, n)
    slot = np.where(faulty, Slot.LATE_DEFECT, np.where(second, Slot.SECOND, Slot.MAIN))
    days = np.where(faulty, rng.gamma(1.5, 40.0, n), np.where(second, soon + rng.exponential(6.0, n), soon))
    at = moments(rng, orders, order, orders.arrived[order], days)
    asks = honest(line, 0, reason, _pieces(rng, lines.quantity[line], 0.6), at)
    asks.slot = slot.astype(np.int8)
    return asks


def _later_rest(rng: np.random.Generator, history: History, back: Asks) -> Asks:
    """Of lines that came back in part, the remaining pieces sometimes follow."""
    lines = history.lines
    rest = lines.quantity[back.line] - back.quantity
    again = np.flatnonzero((rest > 0) & (back.slot == Slot.MAIN) & happens(rng, 0.15, len(back)))
    at = back.at[again] + (DAY * rng.uniform(1.0, 12.0, len(again))).astype(np.int64)
    asks = honest(back.line[again], Slot.SECOND, 0, _pieces(rng, rest[again], 0.7), at)
    asks.reason = back.reason[again]
    return asks


def reasons_mixed_up(rng: np.random.Generator, reason: Codes, odds: Floats) -> Codes:
    """Stated reasons of which some were ticked at random, with these odds. (n,) each -> (n,)."""
    ticked = pick(rng, (6, 3, 2, 1, 0.5, 0.5, 0.5), len(reason))
    names = ("changed_mind", "other", "not_as_described", "defective", "damaged_in_transit", "wrong_item_sent", "gift")
    codes = np.array([REASON[name] for name in names], dtype=np.int8)
    return np.where(happens(rng, odds, len(reason)), codes[ticked], reason)


def never(at: Ints) -> Flags:
    """Which moments never come. (n,) -> (n,)."""
    return np.asarray(at >= NEVER)


def spent(history: History) -> Floats:
    """What was paid for each line against the usual of its category. (m,)."""
    return paid_to_usual(history.lines, np.array([c.price for c in CATEGORIES]))

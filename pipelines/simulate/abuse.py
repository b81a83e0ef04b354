"""Abusive returns and claims. Those who abuse do so in a minority of their returns; the rest of what they do is drawn
with everybody else's.

`kind` is what a reviewer would call it, `act` what is done: for rings and hired refunders the two differ. Lapses are
single abusive returns of people without any habit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.ledger import vocabulary as words
from pipelines.simulate.asks import REASON, Asks, Slot, after_the_weekend, moments, usual_days
from pipelines.simulate.calendar import DAY, weekday
from pipelines.simulate.chance import Codes, Flags, Floats, Ints, happens, pick, pick_by, table
from pipelines.simulate.customers import KIND
from pipelines.simulate.orders import NEVER, Orders, customers_of
from pipelines.simulate.returns import History, spent
from pipelines.simulate.shop import CATEGORIES, EVENT_WEAR, STORE

_KINDS: Final = len(words.ABUSE_TYPES)
_FALSE_CLAIM: Final = KIND["false_claim"]

#: How well goods lend themselves to each act, by category.
_FITNESS: Final = table(
    _KINDS,
    [
        (KIND["wardrobing"], (0.65, 2.20, 0.75, 0.50, 0.12, 0.02, 0.08, 0.60)),
        (KIND["empty_parcel"], (0.80, 0.80, 0.90, 1.35, 0.65, 0.90, 0.65, 0.80)),
        (KIND["switched_item"], (0.65, 0.60, 0.85, 1.50, 0.60, 0.40, 0.70, 0.70)),
        (KIND["counterfeit_item"], (1.10, 1.10, 1.50, 0.60, 0.10, 1.10, 0.30, 0.50)),
        (KIND["fake_tracking"], (1.10, 1.00, 1.10, 1.00, 0.70, 0.70, 0.70, 0.90)),
        (KIND["receipt_trick"], (1.20, 0.80, 1.10, 1.00, 0.80, 0.70, 0.80, 0.90)),
        (KIND["stolen_goods"], (1.00, 0.70, 1.00, 1.30, 0.40, 1.30, 0.80, 0.70)),
    ],
    np.zeros(len(CATEGORIES)),
)
#: How often an act happens to a fitting line (a false claim: to an order) of somebody with the habit.
_OFTEN: Final = {
    "wardrobing": 0.23,
    "empty_parcel": 0.155,
    "switched_item": 0.155,
    "counterfeit_item": 0.15,
    "fake_tracking": 0.125,
    "false_claim": 0.145,
    "receipt_trick": 0.14,
    "stolen_goods": 0.15,
}
_HIRED_OFTEN: Final = 4.0
_RING_OFTEN: Final = 1.15
_LAPSES: Final = {"wardrobing": 0.50, "false_claim": 0.30, "switched_item": 0.10, "receipt_trick": 0.10}
_LAPSES_IN_STORES: Final = {"wardrobing": 0.75, "switched_item": 0.1, "receipt_trick": 0.15}
#: Proof of delivery puts false claims off: none, scan, photo, signature.
_PROOF_FACTORS: Final = (1.5, 1.1, 0.55, 0.40)

#: Stated reasons: what people honestly say of goods without and with sizes, and how each act leans.
_STATED: Final = (
    "changed_mind",
    "size_fit",
    "not_as_described",
    "defective",
    "damaged_in_transit",
    "wrong_item_sent",
    "arrived_late",
    "other",
)
_USUALLY_STATED: Final = np.array(
    [(0.40, 0.0, 0.17, 0.20, 0.07, 0.06, 0.02, 0.08), (0.20, 0.60, 0.09, 0.05, 0.01, 0.02, 0.01, 0.02)]
)
_LEANINGS: Final = table(
    _KINDS,
    [
        (KIND["wardrobing"], (1.2, 1.0, 1.3, 0.6, 0.2, 0.4, 1.2, 1.2)),
        (KIND["switched_item"], (0.9, 0.9, 1.3, 1.3, 0.6, 1.3, 0.7, 0.9)),
        (KIND["fake_tracking"], (1.2, 1.0, 1.0, 0.6, 0.4, 0.6, 1.0, 1.0)),
        (KIND["stolen_goods"], (1.2, 1.0, 0.7, 0.5, 0.2, 0.3, 0.4, 1.6)),
    ],
    (1.1, 1.0, 1.0, 0.9, 0.6, 0.8, 0.8, 1.1),
)
_STATED_SHARES: Final = (_LEANINGS[:, None, :] * _USUALLY_STATED).reshape(2 * _KINDS, -1)


@dataclass(frozen=True)
class Planned:
    """What will be abused: lines (k,) with kind and act, and the orders placed from a refunder's device."""

    line: Ints
    kind: Codes
    act: Codes
    refunder_orders: Ints


def plan(rng: np.random.Generator, history: History) -> Planned:
    """Which lines will be asked for abusively."""
    orders, lines = history.orders, history.lines
    kind, act, often = _inclinations(history)
    is_lapse = (kind < 0) & happens(rng, history.settings.lapse_rate * history.settings.abuse_level, len(orders))
    is_lapse &= ~history.customers.serial[orders.customer] & ~orders.gone
    act[is_lapse] = _lapse_acts(rng, orders, is_lapse, history.settings.new_kind)
    kind[is_lapse] = act[is_lapse]

    line_act, line_kind = act[lines.order], kind[lines.order]
    fit = _fit(history, line_act)
    goods = happens(rng, fit * often[lines.order], len(lines)) & (line_act != _FALSE_CLAIM)
    goods |= _best_line(rng, fit, lines.order, is_lapse & (act != _FALSE_CLAIM))
    claimed = (act == _FALSE_CLAIM) & (happens(rng, often * _claim_factor(history), len(orders)) | is_lapse)
    claimed &= orders.channel != STORE
    chosen = np.flatnonzero((goods | claimed[lines.order]) & (line_kind >= 0))

    clients = kind == KIND["hired_refunder"]
    device = np.flatnonzero(clients & (orders.device >= 0) & happens(rng, 0.6, len(orders)))
    return Planned(chosen, line_kind[chosen], line_act[chosen], device)


def _inclinations(history: History) -> tuple[Codes, Codes, Floats]:
    """Of each order (n,): kind and act that its customer is inclined to at that time (-1: none), and how often."""
    orders, customers = history.orders, history.customers
    who = orders.customer
    day = (orders.at - history.calendar.start) / DAY
    inclined = (customers.kind[who] >= 0) & ~orders.gone
    inclined &= (day >= customers.from_day[who]) & (day <= customers.to_day[who])
    kind = np.where(inclined, customers.kind[who], -1).astype(np.int8)
    act = np.where(inclined, customers.act[who], -1).astype(np.int8)
    base = np.zeros(_KINDS + 1)
    for name, rate in _OFTEN.items():
        base[KIND[name]] = rate
    factor = np.ones(_KINDS + 1)
    factor[KIND["hired_refunder"]], factor[KIND["account_ring"]] = _HIRED_OFTEN, _RING_OFTEN
    often = np.asarray(base[act] * factor[kind] * customers.intensity[who] * history.settings.abuse_level)
    return kind, act, often


def _lapse_acts(rng: np.random.Generator, orders: Orders, lapses: Flags, new_kind: str | None) -> Codes:
    """What is done in each lapse (n,)."""
    in_store = (orders.channel[lapses] == STORE).astype(np.int64)
    weights = np.array([_by_code(_LAPSES), _by_code(_LAPSES_IN_STORES)])
    if new_kind is not None:
        weights[:, KIND[new_kind]] = 0.0
    return pick_by(rng, weights, in_store)


def _by_code(shares: Mapping[str, float]) -> list[float]:
    return [shares.get(kind, 0.0) for kind in words.ABUSE_TYPES]


def _fit(history: History, act: Codes) -> Floats:
    """How well each line (m,) lends itself to its act: by category, price, channel, and for clothes the weekday."""
    orders, lines = history.orders, history.lines
    suits = np.where(act >= 0, _FITNESS[act, lines.category], 0.0)
    fit = np.asarray(suits * np.clip(spent(history), 0.15, 6.0) ** 0.4)
    store = orders.channel[lines.order] == STORE
    at_the_till = (act == KIND["receipt_trick"]) | (act == KIND["stolen_goods"])
    fit *= np.where(at_the_till, np.where(store, 2.6, 0.55), np.where(store, 0.7, 1.0))
    fit[store & (act == KIND["fake_tracking"])] = 0.0
    worn = act == KIND["wardrobing"]
    before_weekend = np.isin(weekday(orders.arrived[lines.order]), (2, 3, 4))
    fit *= np.where(worn, np.where(before_weekend, 1.35, 0.6), 1.0)
    fit[worn & (lines.bracket >= 0)] *= 0.5
    return fit


def _claim_factor(history: History) -> Floats:
    """How tempting a false claim is for each order (n,): by value and by proof of delivery."""
    orders, lines = history.orders, history.lines
    value = np.bincount(lines.order, weights=lines.paid.astype(np.float64), minlength=len(orders))
    return np.asarray(np.clip(value / 9_000.0, 0.3, 3.0) ** 0.45 * _proof_factor(orders))


def _proof_factor(orders: Orders) -> Floats:
    """Proof of delivery puts false claims off; no scan at all invites them. (n,)."""
    unseen = orders.scanned >= NEVER
    return np.where(unseen, 2.0, np.array(_PROOF_FACTORS)[orders.proof])


def _best_line(rng: np.random.Generator, fit: Floats, order: Ints, wanted: Flags) -> Flags:
    """One line of each wanted order, fitting ones more often; none where nothing fits. Lines are by order."""
    lines = np.flatnonzero(wanted[order] & (fit > 0))
    chosen = np.zeros(len(order), dtype=np.bool_)
    ranked = lines[np.lexsort((rng.exponential(1.0, len(lines)) / fit[lines], order[lines]))]
    chosen[ranked[_first_of_each(order[ranked])]] = True
    return chosen


def abusive_asks(rng: np.random.Generator, history: History, planned: Planned) -> tuple[Asks, Flags]:
    """The asks that follow from the plan, and which lines (m,) nothing else can be asked for."""
    orders, lines = history.orders, history.lines
    line, act = planned.line, planned.act
    order = lines.order[line]
    n = len(line)
    claim = act == _FALSE_CLAIM
    short = happens(rng, 0.38, len(orders))[order]  # says that an item is missing, not the parcel
    dearest = _dearest(lines.paid, lines.order)[line]
    kept = ~claim | ~short | dearest
    whole = np.zeros(len(orders), dtype=np.bool_)
    whole[order[claim & ~short]] = True
    taken = whole[lines.order]
    taken[line[kept]] = True

    reason = np.array([REASON[name] for name in _STATED], dtype=np.int8)[
        pick_by(rng, _STATED_SHARES, 2 * act.astype(np.int64) + (lines.size[line] >= 0))
    ]
    reason[claim] = np.where(short, REASON["missing_item"], REASON["not_received"])[claim]
    together = happens(rng, 0.35, n)
    slot = np.where(claim, Slot.APART_CLAIM, np.where(together, Slot.MAIN, Slot.APART)).astype(np.int8)
    asks = Asks(line, slot, reason, lines.quantity[line], _when(rng, history, line, act, short), planned.kind, act)
    return asks.take(np.flatnonzero(kept)), taken


def _dearest(paid: Ints, order: Ints) -> Flags:
    """Whether each line is the dearest of its order (the first of several). Lines are by order."""
    ranked = np.lexsort((-paid, order))
    first = np.zeros(len(paid), dtype=np.bool_)
    first[ranked[_first_of_each(order[ranked])]] = True
    return first


def _first_of_each(groups: Ints) -> Flags:
    """Whether each entry (n,) begins a stretch of equal ones."""
    first = np.ones(len(groups), dtype=np.bool_)
    first[1:] = groups[1:] != groups[:-1]
    return first


def _when(rng: np.random.Generator, history: History, line: Ints, act: Codes, short: Flags) -> Ints:
    orders, lines = history.orders, history.lines
    order = lines.order[line]
    n = len(line)
    arrived = orders.arrived[order]
    days = usual_days(rng, history.customers.promptness[customers_of(orders, order)])
    how = pick(rng, (0.50, 0.22, 0.28), n)  # after the weekend, at the end of the window, at any time
    clothes = lines.category[line] == EVENT_WEAR
    how[clothes & (how == 2) & happens(rng, 0.4, n)] = 0
    worn = act == KIND["wardrobing"]
    days = np.where(worn & (how == 0), after_the_weekend(rng, arrived), days)
    days = np.where(worn & (how == 1), rng.uniform(18.0, 30.0, n), days)
    days = np.where(act == KIND["fake_tracking"], 1.0 + rng.gamma(1.6, 2.0, n), days)
    claim = act == _FALSE_CLAIM
    days = np.where(claim, np.where(short, rng.exponential(2.0, n), 1.0 + rng.gamma(1.6, 2.4, n)), days)
    return moments(rng, orders, order, arrived, days)

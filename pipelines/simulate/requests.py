"""Return requests: lines of an order that are asked for together, with how the money is wanted back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.ledger import vocabulary as words
from pipelines.simulate.asks import CLAIM_SLOTS, REASON, Asks
from pipelines.simulate.chance import Codes, Flags, Floats, Ints, happens, pick_by, table
from pipelines.simulate.customers import KIND
from pipelines.simulate.returns import History, never, reasons_mixed_up
from pipelines.simulate.shop import STORE

_KINDS: Final = len(words.ABUSE_TYPES)
_HONEST: Final = _KINDS  # row of what is not abusive in the tables below

#: Channel of a return (web, app, store, marketplace, phone), by the order's.
_CHANNELS: Final = (
    (0.70, 0.10, 0.14, 0.0, 0.06),
    (0.14, 0.72, 0.10, 0.0, 0.04),
    (0.03, 0.02, 0.93, 0.0, 0.02),
    (0.16, 0.06, 0.04, 0.70, 0.04),
    (0.20, 0.08, 0.12, 0.0, 0.60),
)
#: Refund, exchange, store credit, by kind of abuse; honest ones last.
_RESOLUTIONS: Final = table(
    _KINDS + 1,
    [
        (KIND["wardrobing"], (0.84, 0.08, 0.08)),
        (KIND["receipt_trick"], (0.66, 0.16, 0.18)),
        (KIND["stolen_goods"], (0.58, 0.14, 0.28)),
        (_HONEST, (0.78, 0.14, 0.08)),
    ],
    (0.85, 0.10, 0.05),
)
#: Odds of wanting the money on another tender, and of having no proof of purchase, by kind of abuse; honest ones last.
_OTHER_TENDER: Final = table(
    _KINDS + 1,
    [(KIND["receipt_trick"], (0.28,)), (KIND["stolen_goods"], (0.34,)), (_HONEST, (0.028,))],
    (0.06,),
)[:, 0]
_NO_PROOF: Final = table(
    _KINDS + 1,
    [(KIND["receipt_trick"], (0.34,)), (KIND["stolen_goods"], (0.52,)), (_HONEST, (0.025,))],
    (0.035,),
)[:, 0]


@dataclass
class Requests:
    """Return requests (n,) in order of time, and their lines (k,) by request.

    Attributes:
        order, customer: positions.
        at: when it was asked for.
        claim: whether money is wanted without goods coming back.
        kind, act: of the abuse, -1 for none.
        value: cents paid for what is asked for.
        channel, resolution, tender: codes, -1 where not stated.
        proof: 1, 0, or -1 where not stated.
        reason: of its first line.
        lines: the asks, of which `of` is the request.
    """

    order: Ints
    customer: Ints
    at: Ints
    claim: Flags
    kind: Codes
    act: Codes
    value: Ints
    channel: Codes
    resolution: Codes
    tender: Codes
    proof: Codes
    reason: Codes
    lines: Asks
    of: Ints

    def __len__(self) -> int:
        return len(self.at)


def make_requests(rng: np.random.Generator, history: History, asks: Asks) -> Requests:
    """Puts asks together and leaves out what lies after the end of the history."""
    orders, lines = history.orders, history.lines
    asks = asks.take(np.flatnonzero(~never(asks.at)))
    asks = asks.take(np.lexsort((asks.line, asks.slot, lines.order[asks.line])))
    slots = lines.order[asks.line] * 16 + asks.slot
    leads = np.concatenate([[True], slots[1:] != slots[:-1]]) if len(slots) else np.zeros(0, dtype=np.bool_)
    start = np.flatnonzero(leads)
    group = np.cumsum(leads) - 1

    at = asks.at[start]
    in_time = at < history.calendar.end
    rank = np.full(len(start), -1, dtype=np.int64)
    by_time = np.flatnonzero(in_time)[np.argsort(at[in_time], kind="stable")]
    rank[by_time] = np.arange(len(by_time))
    of = rank[group]
    kept = np.flatnonzero(of >= 0)
    kept = kept[np.argsort(of[kept], kind="stable")]
    first = start[by_time]
    n = len(by_time)

    asks.reason = reasons_mixed_up(rng, asks.reason, np.where(np.isin(asks.slot, CLAIM_SLOTS), 0.0, 0.04))
    kind, act = _highest(asks.kind, start, len(asks))[by_time], _highest(asks.act, start, len(asks))[by_time]
    asks_kept, of_kept = asks.take(kept), of[kept]
    order = lines.order[asks.line[first]]
    paid = lines.paid[asks_kept.line] * asks_kept.quantity // lines.quantity[asks_kept.line]
    made = Requests(
        order=order,
        customer=orders.customer[order],
        at=at[by_time],
        claim=np.isin(asks.slot[first], CLAIM_SLOTS),
        kind=kind,
        act=act,
        value=np.bincount(of_kept, weights=paid.astype(np.float64), minlength=n).astype(np.int64),
        channel=pick_by(rng, _CHANNELS, orders.channel[order]),
        resolution=np.zeros(n, dtype=np.int8),
        tender=np.zeros(n, dtype=np.int8),
        proof=np.ones(n, dtype=np.int8),
        reason=asks.reason[first],
        lines=asks_kept,
        of=of_kept,
    )
    _say_how(rng, made)
    return made


def _highest(codes: Codes, start: Ints, n: int) -> Codes:
    """The highest code of each stretch of `codes` (n,) that begins at `start`."""
    return np.maximum.reduceat(codes, start) if n else codes


def _say_how(rng: np.random.Generator, made: Requests) -> None:
    """Resolution, tender and proof of purchase; some say nothing about them."""
    n = len(made)
    row = np.where(made.kind >= 0, made.kind, _HONEST)
    made.resolution = pick_by(rng, _RESOLUTIONS, row)
    size = (made.reason == REASON["size_fit"]) & (made.kind < 0) & happens(rng, 0.22, n)
    made.resolution[size] = words.RESOLUTIONS.index("exchange")
    gift = made.reason == REASON["gift"]
    made.resolution[gift & happens(rng, 0.45, n)] = words.RESOLUTIONS.index("store_credit")
    in_store = made.channel == STORE
    other = np.where(gift, 0.22, _OTHER_TENDER[row] * np.where(in_store, 2.0, 1.0))
    made.tender = happens(rng, np.minimum(other, 0.6), n).astype(np.int8)
    without = np.where(gift, 0.30, _NO_PROOF[row] * np.where(in_store, 2.2, 0.6))
    made.proof = 1 - happens(rng, np.minimum(without, 0.7), n).astype(np.int8)
    made.proof[happens(rng, 0.06, n)] = -1
    made.tender[happens(rng, 0.02, n)] = -1
    made.resolution[happens(rng, 0.01, n)] = -1


def value_factor(made: Requests) -> Floats:
    """Value of each request against 60 of the currency. (n,)."""
    return np.maximum(made.value, 50) / 6_000.0

"""Checks: which returns are looked at, why and with what odds, and what is seen.

Random and routine checks have fixed odds. Staff pick others by a rule of thumb of their own: value, claims, many
recent returns, what is odd about the request, and what was found at earlier checks of the same customer. `propensity`
is the odds with which its trigger picked the return, where these were written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.ledger import vocabulary as words
from pipelines.simulate.asks import REASON
from pipelines.simulate.calendar import DAY, opening_hours
from pipelines.simulate.chance import Codes, Flags, Floats, Ints, earlier_within, happens, pick_by, table
from pipelines.simulate.customers import KIND
from pipelines.simulate.orders import NEVER, customers_of
from pipelines.simulate.requests import Requests, value_factor
from pipelines.simulate.returns import History
from pipelines.simulate.shop import CATEGORY_NAMES

ROUTINE, RISK, RANDOM = (words.TRIGGERS.index(name) for name in ("routine", "risk", "random"))
FINDING: Final = {finding: code for code, finding in enumerate(words.FINDINGS)}
_CONCERNS: Final = np.isin(np.arange(len(words.FINDINGS)), [FINDING[name] for name in words.CONCERN_FINDINGS])

_ROUTINE_FACTORS: Final = {"electronics": 2.0, "event_wear": 1.6, "beauty": 0.5}

#: Odds that a check sees each act, and what it then sees (positions in the vocabulary of findings).
_SEEN: Final = {
    "wardrobing": (0.72, {"worn": 1.0}),
    "empty_parcel": (0.94, {"empty_package": 0.6, "missing_item": 0.4}),
    "switched_item": (0.80, {"wrong_item": 1.0}),
    "counterfeit_item": (0.66, {"counterfeit": 0.85, "wrong_item": 0.15}),
    "fake_tracking": (0.78, {"empty_package": 1.0}),
    "false_claim": (0.80, {"delivery_shown": 1.0}),
    "receipt_trick": (0.70, {"wrong_item": 1.0}),
    "stolen_goods": (0.50, {"wrong_item": 1.0}),
}
_HONEST_GOODS: Final = {
    "as_described": 0.938,
    "damaged": 0.040,
    "worn": 0.0085,
    "wrong_item": 0.004,
    "missing_item": 0.0055,
    "empty_package": 0.0005,
    "counterfeit": 0.0005,
    "not_arrived": 0.003,
}
_HONEST_DAMAGED: Final = {"as_described": 0.36, "damaged": 0.62, "worn": 0.012, "missing_item": 0.008}
_HONEST_WRONG: Final = {"as_described": 0.90, "wrong_item": 0.08, "damaged": 0.02}
_HONEST_CLAIM: Final = {"not_arrived": 0.975, "delivery_shown": 0.025}
_HONEST_SCANNED: Final = {
    "not_arrived": 0.86,
    "delivery_shown": 0.14,
}  # a scan shows a delivery that never reached them


@dataclass
class Inspections:
    """Checks (n,) in order of time.

    Attributes:
        request: position of the request.
        at: when.
        finding, trigger: codes.
        propensity: odds that the trigger picked it, NaN where not recorded.
        recorded: when it was recorded, 0 where at once.
        line: position of the order line that was looked at, -1 for the whole return.
    """

    request: Ints
    at: Ints
    finding: Codes
    trigger: Codes
    propensity: Floats
    recorded: Ints
    line: Ints

    def __len__(self) -> int:
        return len(self.at)

    @property
    def concern(self) -> Flags:
        """Whether something was found that speaks for abuse."""
        return np.asarray(_CONCERNS[self.finding])

    @property
    def known(self) -> Ints:
        """From when it was known."""
        return np.maximum(self.at, self.recorded)


def make_inspections(rng: np.random.Generator, history: History, requests: Requests) -> Inspections:
    """The checks that were made and recorded before the end of the history."""
    settings, n = history.settings, len(requests)
    finding, at, recorded = looked_at(rng, history, requests)
    known = np.maximum(at, recorded)

    routine_odds = settings.routine_rate * _routine_factor(history, requests)
    random_odds = np.full(n, settings.random_rate)
    random = happens(rng, random_odds, n)
    routine = happens(rng, routine_odds, n) & ~random
    luck = rng.random(n)
    score = _rule_of_thumb(rng, history, requests)
    risk_odds = _odds(score, settings.risk_rate)
    picked = random | routine | (luck < risk_odds)
    # What these checks found makes staff look again at the same customers.
    bad = np.flatnonzero(picked & _CONCERNS[finding])
    before = earlier_within(requests.customer[bad], known[bad], requests.customer, requests.at, 730 * DAY)
    risk_odds = _odds(score + 1.3 * np.minimum(before, 3), settings.risk_rate)
    risk = (luck < risk_odds) & ~random & ~routine

    trigger = np.where(random, RANDOM, np.where(routine, ROUTINE, RISK))
    propensity = np.where(
        random,
        random_odds,
        np.where(routine, routine_odds * (1 - random_odds), risk_odds * (1 - random_odds) * (1 - routine_odds)),
    )
    propensity[(trigger == RISK) & happens(rng, 0.25, n)] = np.nan
    done = np.flatnonzero((random | routine | risk) & (known < history.calendar.end))
    done = done[np.argsort(at[done], kind="stable")]
    return Inspections(
        request=done,
        at=at[done],
        finding=finding[done],
        trigger=trigger[done].astype(np.int8),
        propensity=np.maximum(np.round(propensity[done], 4), 0.0001).astype(np.float64),
        recorded=recorded[done],
        line=_line_looked_at(rng, requests, done),
    )


def looked_at(rng: np.random.Generator, history: History, requests: Requests) -> tuple[Codes, Ints, Ints]:
    """What a check of each request would see, when it would be made, and when recorded (0: at once). (n,) each."""
    n = len(requests)
    finding = _findings(rng, history, requests)
    wait = np.where(requests.claim, 0.5 + rng.gamma(1.8, 1.8, n), 2.0 + rng.gamma(2.2, 2.2, n))
    at = (requests.at + np.minimum(wait, 21.0) * DAY).astype(np.int64) // DAY * DAY + opening_hours(rng, n)
    at = np.maximum(at, requests.at + 3_600)
    late = happens(rng, 2 * history.settings.late_share, n)
    return finding, at, np.where(late, at + (DAY * rng.exponential(1.2, n)).astype(np.int64) + 1_800, 0)


def finding_odds(act: str, *, claim: bool, reason: str, scanned: bool) -> dict[str, float]:
    """Odds of each finding at a check of one return, as `looked_at` draws them.

    `act` is that of the truth (empty: honest); `scanned`: a delivery is on record that never reached the customer.
    """
    if claim:
        honest = _HONEST_SCANNED if scanned else _HONEST_CLAIM
    elif reason in ("defective", "damaged_in_transit"):
        honest = _HONEST_DAMAGED
    else:
        honest = _HONEST_WRONG if reason == "wrong_item_sent" else _HONEST_GOODS
    if not act:
        return dict(honest)
    seen_odds, seen = _SEEN.get(act, (0.0, {}))
    missed = dict(honest)
    if act == "fake_tracking":
        missed = {finding: 0.4 * share for finding, share in honest.items()}
        missed["not_arrived"] = missed.get("not_arrived", 0.0) + 0.6
    names = dict.fromkeys([*seen, *missed])
    return {name: seen_odds * seen.get(name, 0.0) + (1 - seen_odds) * missed.get(name, 0.0) for name in names}


def days_to_check(rng: np.random.Generator, claim: bool) -> float:
    """Days from a request to its check: until goods arrive, or until a carrier has answered."""
    wait = 0.5 + rng.gamma(1.8, 1.8) if claim else 2.0 + rng.gamma(2.2, 2.2)
    return float(min(wait, 21.0))


def _line_looked_at(rng: np.random.Generator, requests: Requests, done: Ints) -> Ints:
    """Some checks name the line: of returns of a single line only, so that none speaks for another."""
    lines_of = np.bincount(requests.of, minlength=len(requests))
    first = np.searchsorted(requests.of, np.arange(len(requests)))
    names_it = (lines_of[done] == 1) & ~requests.claim[done] & happens(rng, 0.4, len(done))
    return np.where(names_it, requests.lines.line[first[done]], -1)


def _routine_factor(history: History, requests: Requests) -> Floats:
    factors = np.array([_ROUTINE_FACTORS.get(name, 1.0) for name in CATEGORY_NAMES])
    first = np.searchsorted(requests.of, np.arange(len(requests)))
    by_category = factors[history.lines.category[requests.lines.line[first]]]
    return np.asarray(np.where(requests.claim, 2.5, by_category))


def _rule_of_thumb(rng: np.random.Generator, history: History, requests: Requests) -> Floats:
    """What makes staff look: not foolish, and far from all that could be known."""
    n = len(requests)
    recent = earlier_within(requests.customer, requests.at, requests.customer, requests.at, 90 * DAY)
    claims = np.flatnonzero(requests.claim)
    claimed = earlier_within(requests.customer[claims], requests.at[claims], requests.customer, requests.at, 365 * DAY)
    orders = history.orders
    young = requests.at - _first_order(history)[customers_of(orders, requests.order)] < 60 * DAY
    return np.asarray(
        0.65 * np.log(value_factor(requests))
        + 0.14 * np.minimum(recent, 8)
        + 0.7 * np.minimum(claimed, 3)
        + 1.2 * requests.claim
        + 0.8 * (requests.proof == 0)
        + 0.8 * (requests.tender == 1)
        + 0.3 * young
        + rng.normal(0.0, 0.9, n)
    )


def _first_order(history: History) -> Ints:
    first = np.full(len(history.customers), NEVER, dtype=np.int64)
    np.minimum.at(first, history.orders.customer, history.orders.at)
    return first


def _odds(score: Floats, rate: float) -> Floats:
    """Odds that staff pick a return, about `rate` for the usual score; never less than a tenth of that."""
    if rate == 0:
        return np.zeros(len(score))
    usual = np.log(rate / (1 - rate)) - 1.1
    return np.asarray(np.clip(1.0 / (1.0 + np.exp(-(usual + score))), rate / 10, 0.9))


def _findings(rng: np.random.Generator, history: History, requests: Requests) -> Codes:
    """What a check of each request would see. (n,)."""
    n = len(requests)
    reason = requests.reason
    damaged = (reason == REASON["defective"]) | (reason == REASON["damaged_in_transit"])
    row = np.where(damaged, 1, np.where(reason == REASON["wrong_item_sent"], 2, 0))
    orders = history.orders
    misled = (orders.gone & (orders.scanned < NEVER))[requests.order]
    row = np.where(requests.claim, np.where(misled, 4, 3), row)
    honest = (_HONEST_GOODS, _HONEST_DAMAGED, _HONEST_WRONG, _HONEST_CLAIM, _HONEST_SCANNED)
    finding = pick_by(rng, [_shares(shares) for shares in honest], row)
    seen_odds, seen = _seen_tables(history.settings.sensitivity)
    abusive = requests.act >= 0
    sees = abusive & happens(rng, seen_odds[requests.act], n)
    finding[sees] = pick_by(rng, seen, requests.act[sees])
    missed = abusive & ~sees & (requests.act == KIND["fake_tracking"]) & happens(rng, 0.6, n)
    finding[missed] = FINDING["not_arrived"]
    return finding


def _shares(shares: dict[str, float]) -> list[float]:
    return [shares.get(finding, 0.0) for finding in words.FINDINGS]


def _seen_tables(sensitivity: float) -> tuple[Floats, Floats]:
    """By act: the odds that it is seen, and shares of what is seen."""
    rows = [(KIND[act], _shares(found)) for act, (_, found) in _SEEN.items()]
    odds = np.zeros(len(words.ABUSE_TYPES) + 1)
    for act, (seen, _) in _SEEN.items():
        odds[KIND[act]] = min(seen * sensitivity, 1.0)
    return odds, table(len(words.ABUSE_TYPES), rows, _shares({"wrong_item": 1.0}))

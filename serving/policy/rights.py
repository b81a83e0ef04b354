"""What a customer is entitled to, whatever the risk and whatever a policy says.

What the law gives stands here, in code: no policy file can take any of it away, only add to it. This is how Returnwise
applies the rules, and no legal advice.

- Directive 2011/83/EU, articles 9 to 16: 14 days to withdraw from a distance sale, without a reason and without a fee
  but the postage. Over-use may lower the sum; it does not end the right. The refund is due 14 days after the
  withdrawal, and may wait for the goods until then. It holds in the European Economic Area, and in the parts of member
  states that have country codes of their own. How days count: `serving.policy.days`.
- What article 16 exempts (a broken seal of hygiene goods, made to measure) is not taken off: what came back has to be
  seen for that, and nothing has come back yet. A person who sees it concludes.
- Directive (EU) 2019/771: two years for what does not conform to the contract, without any fee.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple

from serving.policy.conditions import Case
from serving.policy.countries import WITHDRAWAL
from serving.policy.days import delivery_day, last_working_day, request_day, years_later
from serving.policy.terms import Fee, Season, Terms

WITHDRAWAL_DAYS: Final = 14
WARRANTY_YEARS: Final = 2
#: The least that a policy can say; the law's two years are a day longer over a 29 February.
WARRANTY_DAYS: Final = 730
#: The refund of a withdrawal is due: what is looked at must have been looked at by then.
REFUND_DAYS: Final = 14
#: Everything else is a distance sale, an order whose channel is not known too.
NO_DISTANCE: Final = frozenset(("store",))
WARRANTY_REASONS: Final = frozenset(
    ("defective", "not_as_described", "damaged_in_transit", "wrong_item_sent", "not_received", "missing_item")
)
_MAY_REFUSE: Final = False  # nothing may be refused on the strength of a score

Basis = Literal["withdrawal", "warranty", "policy"]


class Purchase(NamedTuple):
    """What rights depend on, beside the case; microseconds since 1970 UTC."""

    requested_at: int
    ordered_at: int
    delivered_at: int | None


class Right(NamedTuple):
    """What a return rests on.

    `until` is the last day, None while nothing was delivered: the time has not begun to run. `clause` names the law
    (`withdrawal`, `warranty`), or the entry of the policy. `covered` says whether the request is within it; where it is
    not, a person may still grant it, and no answer refuses it.
    """

    basis: Basis
    until: str | None
    clause: str
    covered: bool = True
    conditions: tuple[str, ...] = ()
    fee: Fee = Fee()

    def told(self) -> dict[str, Any]:
        """The right as the answer of an assessment begins to say it; `may_refuse` is always false."""
        return {
            "basis": self.basis,
            "until": self.until,
            "may_refuse": _MAY_REFUSE,
            "clause": self.clause,
            "covered": self.covered,
        }


def by_law(country: str, channel: str) -> int:
    """Days of withdrawal that the law gives."""
    return WITHDRAWAL_DAYS if country in WITHDRAWAL and channel not in NO_DISTANCE else 0


def rights(case: Case, purchase: Purchase, terms: Terms, seasons: tuple[Season, ...]) -> Right:
    """What the return rests on: the strongest right that it is within, else the policy."""
    asked = request_day(purchase.requested_at, case.country)
    # while nothing was delivered no time has begun to run: as if it came today
    delivered = asked if purchase.delivered_at is None else delivery_day(purchase.delivered_at, case.country)
    right = _by_right(case, terms, asked, delivered) or _granted(case, purchase, terms, seasons, asked, delivered)
    return right._replace(until=None) if purchase.delivered_at is None else right


def _by_right(case: Case, terms: Terms, asked: date, delivered: date) -> Right | None:
    """What the law gives, or the policy gives like it; None where that is over."""
    own_fault = case.reason in WARRANTY_REASONS  # the shop's: nothing is taken off for it
    law = by_law(case.country, case.channel)
    by_terms = terms.withdrawal_days
    if law and asked <= (ends := last_working_day(_after(delivered, law))):
        until, clause = max(ends, _after(delivered, by_terms or 0)), "withdrawal"
    elif by_terms is not None and asked <= (ends := _after(delivered, by_terms)):
        until, clause = ends, terms.id
    elif own_fault:
        ends = years_later(delivered, WARRANTY_YEARS)
        until = max(ends, _after(delivered, terms.warranty_days or 0))
        return (
            Right("warranty", until.isoformat(), "warranty" if asked <= ends else terms.id) if asked <= until else None
        )
    else:
        return None
    fee = Fee() if own_fault or case.kind == "claim" else Fee(postage=terms.fee.postage)
    return Right("withdrawal", until.isoformat(), clause, fee=fee)


def _granted(
    case: Case, purchase: Purchase, terms: Terms, seasons: tuple[Season, ...], asked: date, delivered: date
) -> Right:
    """What the shop grants; of the days that terms and seasons give, the latest."""
    until, clause = _after(delivered, terms.window_days), terms.id
    if purchase.delivered_at is not None:
        for season in seasons:
            day = season.last_day(case, purchase.ordered_at)
            if day is not None and day > until:
                until, clause = day, season.id
    right = Right("policy", until.isoformat(), clause, case.category not in terms.non_returnable and asked <= until)
    if case.kind == "claim":  # nothing comes back that could keep to conditions, or be sent
        return right
    return right._replace(conditions=terms.conditions, fee=terms.fee)


def _after(day: date, days: int) -> date:
    return day + timedelta(days=days)

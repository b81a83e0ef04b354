"""What a customer is entitled to, whatever the risk and whatever a policy says.

What the law gives stands here, in code: no policy file can take any of it away, only add to it. This is how Returnwise
applies the rules, and no legal advice.

- Directive 2011/83/EU, articles 9 to 16: 14 days to withdraw from a distance sale, without a reason and without a fee
  but the postage. Over-use may lower the sum; it does not end the right. The refund is due 14 days after the
  withdrawal, and may wait for the goods until then.
- Directive (EU) 2019/771: two years for what does not conform to the contract, without any fee.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from features.clock import DAY
from serving.clock import iso_date
from serving.policy.conditions import Case
from serving.policy.countries import EU
from serving.policy.terms import Fee, Season, Terms

WITHDRAWAL_DAYS: Final = 14
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
    return WITHDRAWAL_DAYS if country in EU and channel not in NO_DISTANCE else 0


def rights(case: Case, purchase: Purchase, terms: Terms, seasons: tuple[Season, ...]) -> Right:
    """What the return rests on: the strongest right that it is within, else the policy."""
    own_fault = case.reason in WARRANTY_REASONS  # the shop's: nothing is taken off for it
    law = by_law(case.country, case.channel)
    withdrawal = max(law, terms.withdrawal_days or 0)
    if withdrawal and _within(purchase, withdrawal):
        clause = "withdrawal" if law and _within(purchase, law) else terms.id
        fee = Fee() if own_fault or case.kind == "claim" else Fee(postage=terms.fee.postage)
        return Right("withdrawal", _last(purchase, withdrawal), clause, fee=fee)
    warranty = max(WARRANTY_DAYS, terms.warranty_days or 0)
    if own_fault and _within(purchase, warranty):
        clause = "warranty" if _within(purchase, WARRANTY_DAYS) else terms.id
        return Right("warranty", _last(purchase, warranty), clause)
    return _granted(case, purchase, terms, seasons)


def _granted(case: Case, purchase: Purchase, terms: Terms, seasons: tuple[Season, ...]) -> Right:
    """What the shop grants; of the days that terms and seasons give, the latest."""
    until, clause = _last(purchase, terms.window_days), terms.id
    if until is not None:
        for season in seasons:
            day = season.last_day(case, purchase.ordered_at)
            if day is not None and day.isoformat() > until:
                until, clause = day.isoformat(), season.id
    covered = case.category not in terms.non_returnable and (until is None or iso_date(purchase.requested_at) <= until)
    if case.kind == "claim":  # nothing comes back that could keep to conditions, or be sent
        return Right("policy", until, clause, covered)
    return Right("policy", until, clause, covered, terms.conditions, terms.fee)


def _within(purchase: Purchase, days: int) -> bool:
    delivered = purchase.delivered_at
    return delivered is None or purchase.requested_at // DAY <= delivered // DAY + days


def _last(purchase: Purchase, days: int) -> str | None:
    return None if purchase.delivered_at is None else iso_date(purchase.delivered_at + days * DAY)

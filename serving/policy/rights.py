"""What a customer is entitled to, whatever the risk."""

from __future__ import annotations

from typing import Any, Final

from features.clock import DAY
from serving.clock import iso_date
from serving.policy.policy import RightsRules


def rights(
    rules: RightsRules,
    *,
    requested_at: int,
    delivered_at: int | None,
    order_channel: str | None,
    country: str | None,
    reason: str,
) -> dict[str, Any]:
    """Basis and last day of the customer's right; times in microseconds since 1970 UTC.

    `until` is None while nothing was delivered: the time has not begun to run. `may_refuse` is always False.
    """
    distance_sale = order_channel not in rules.store_channels
    if (
        distance_sale
        and country in rules.withdrawal_countries
        and _within(requested_at, delivered_at, rules.withdrawal_days)
    ):
        return _answer("withdrawal", delivered_at, rules.withdrawal_days)
    if reason in rules.warranty_reasons and _within(requested_at, delivered_at, rules.warranty_days):
        return _answer("warranty", delivered_at, rules.warranty_days)
    return _answer("policy", delivered_at, rules.policy_days)


_NEVER: Final = False  # nothing may be refused on the strength of a score


def _within(requested_at: int, delivered_at: int | None, days: int) -> bool:
    return delivered_at is None or requested_at // DAY <= delivered_at // DAY + days


def _answer(basis: str, delivered_at: int | None, days: int) -> dict[str, Any]:
    until = None if delivered_at is None else iso_date(delivered_at + days * DAY)
    return {"basis": basis, "until": until, "may_refuse": _NEVER}

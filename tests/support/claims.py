"""Claims as a case has them, for tests that need no ledger."""

from __future__ import annotations

from typing import Any

from features.clock import DAY
from serving.cases.claim import Claim, ClaimedLine, Delivery

AT = 20_600 * DAY


def line(category: str | None = "apparel", *, line_id: str = "1", value: int = 4999, quantity: int = 1) -> ClaimedLine:
    return ClaimedLine(line_id, f"sku-{line_id}", category, quantity, quantity, value * 100, False, value)


def claim(*categories: str | None, **changes: Any) -> Claim:
    """A return of a line of each category."""
    lines = tuple(line(category, line_id=str(n)) for n, category in enumerate(categories or ("apparel",), 1))
    values: dict[str, Any] = {
        "return_id": "r1",
        "requested_at": AT,
        "kind": "return",
        "reason": "changed_mind",
        "resolution": "refund",
        "return_channel": "web",
        "tender": "original",
        "proof_of_purchase": True,
        "customer_id": "c1",
        "bought_by_other": False,
        "order_id": "o1",
        "ordered_at": AT - 9 * DAY,
        "order_channel": "web",
        "country": "NL",
        "currency": "EUR",
        "courier": "k1",
        "lines": lines,
        "lines_kept": 0,
        "deliveries": (Delivery(AT - 6 * DAY, "scan"),),
    }
    return Claim(**values | changes)

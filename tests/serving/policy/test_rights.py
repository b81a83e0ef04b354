from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from serving.policy.policy import default_policy
from serving.policy.rights import rights


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def of(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "requested_at": us("2026-03-10T12:00:00"),
        "delivered_at": us("2026-03-01T23:00:00"),
        "order_channel": "web",
        "country": "DE",
        "reason": "changed_mind",
    }
    return rights(default_policy().rights, **(facts | changes))


def test_withdrawal_lasts_to_the_end_of_the_fourteenth_day() -> None:
    assert of() == {"basis": "withdrawal", "until": "2026-03-15", "may_refuse": False}
    assert of(requested_at=us("2026-03-15T23:59:59"))["basis"] == "withdrawal"
    assert of(requested_at=us("2026-03-16T00:00:00"))["basis"] == "policy"


def test_not_delivered_yet() -> None:
    assert of(delivered_at=None) == {"basis": "withdrawal", "until": None, "may_refuse": False}


@pytest.mark.parametrize(
    ("changes", "basis"),
    [
        ({"order_channel": "phone"}, "withdrawal"),
        ({"order_channel": None}, "withdrawal"),
        ({"order_channel": "store"}, "policy"),
        ({"order_channel": "store", "reason": "defective"}, "warranty"),
        ({"country": "US"}, "policy"),
        ({"country": None}, "policy"),
        ({"country": "US", "reason": "damaged_in_transit"}, "warranty"),
        ({"requested_at": us("2027-03-10T12:00:00"), "reason": "defective"}, "warranty"),
        ({"requested_at": us("2028-03-10T12:00:00"), "reason": "defective"}, "policy"),
    ],
)
def test_basis(changes: dict[str, Any], basis: str) -> None:
    assert of(**changes)["basis"] == basis
    assert of(**changes)["may_refuse"] is False


def test_the_european_union() -> None:
    assert len(default_policy().rights.withdrawal_countries) == 27

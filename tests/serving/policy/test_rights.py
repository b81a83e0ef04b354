from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from serving.policy.countries import ALL, EU
from serving.policy.policy import Facts, Policy
from serving.policy.rights import Purchase
from serving.policy.source import default_policy
from tests.support.policies import policy_of, replaced


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def of(policy: Policy | None = None, **changes: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "requested_at": us("2026-03-10T12:00:00"),
        "ordered_at": us("2026-02-25T12:00:00"),
        "delivered_at": us("2026-03-01T23:00:00"),
        "channel": "web",
        "country": "DE",
        "reason": "changed_mind",
        "kind": "return",
        "category": "shoes",
    } | changes
    policy = policy or default_policy()
    purchase = Purchase(asked.pop("requested_at"), asked.pop("ordered_at"), asked.pop("delivered_at"))
    facts = Facts(**asked, risk=0.1, band="low", sufficient=True, value_minor=5_000)
    return policy.right_told(policy.right(facts, purchase), facts.country)


def test_withdrawal_lasts_to_the_end_of_the_fourteenth_day() -> None:
    assert of() == {
        "basis": "withdrawal",
        "until": "2026-03-15",
        "may_refuse": False,
        "clause": "withdrawal",
        "covered": True,
        "conditions": [],
        "fees": [],
    }
    assert of(requested_at=us("2026-03-15T23:59:59"))["basis"] == "withdrawal"
    assert of(requested_at=us("2026-03-16T00:00:00"))["basis"] == "policy"


def test_not_delivered_yet() -> None:
    assert of(delivered_at=None) | {"basis": "withdrawal", "until": None} == of(delivered_at=None)


@pytest.mark.parametrize(
    ("changes", "basis", "clause"),
    [
        ({"channel": "phone"}, "withdrawal", "withdrawal"),
        ({"channel": None}, "withdrawal", "withdrawal"),
        ({"channel": "store"}, "policy", "store"),
        ({"channel": "store", "reason": "defective"}, "warranty", "warranty"),
        ({"country": "US"}, "policy", "usual"),
        ({"country": None}, "policy", "usual"),
        ({"country": "GB"}, "withdrawal", "withdrawal-beyond-the-eu"),
        ({"country": "GB", "channel": "store"}, "policy", "store"),
        ({"country": "US", "reason": "damaged_in_transit"}, "warranty", "warranty"),
        ({"requested_at": us("2027-03-10T12:00:00"), "reason": "defective"}, "warranty", "warranty"),
        ({"requested_at": us("2028-03-10T12:00:00"), "reason": "defective"}, "policy", "usual"),
    ],
)
def test_basis_and_what_gives_it(changes: dict[str, Any], basis: str, clause: str) -> None:
    right = of(**changes)
    assert (right["basis"], right["clause"]) == (basis, clause)
    assert right["may_refuse"] is False


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({"requested_at": us("2026-03-31T23:00:00")}, True),
        ({"requested_at": us("2026-04-01T00:00:00")}, False),
        ({"requested_at": us("2026-03-20T00:00:00"), "category": "beauty"}, False),
        ({"category": "beauty"}, True),  # the law knows no categories of a shop's own
    ],
)
def test_what_the_shop_grants_covers(changes: dict[str, Any], covered: bool) -> None:
    assert of(**changes)["covered"] is covered


@pytest.mark.parametrize(
    ("ordered", "until", "clause"),
    [
        ("2025-10-31", "2025-12-05", "usual"),
        ("2025-11-01", "2026-01-31", "winter-gifts"),
        ("2025-12-26", "2026-01-31", "winter-gifts"),
        ("2025-12-27", "2026-01-31", "usual"),
        ("2026-01-01", "2026-02-05", "usual"),
    ],
)
def test_a_season_gives_longer(ordered: str, until: str, clause: str) -> None:
    at = us(f"{ordered}T10:00:00")
    right = of(ordered_at=at, delivered_at=at + 5 * 86_400_000_000, requested_at=at + 25 * 86_400_000_000)
    assert (right["basis"], right["until"], right["clause"]) == ("policy", until, clause)


def test_a_season_never_takes_away() -> None:
    at = us("2025-12-31T10:00:00")
    right = of(ordered_at=at, delivered_at=at + 20 * 86_400_000_000, requested_at=at + 50 * 86_400_000_000)
    assert (right["until"], right["clause"]) == ("2026-02-19", "usual")


def test_a_season_may_lie_over_new_year() -> None:
    policy = policy_of(
        replaced(
            "ordered_from: 11-01\n    ordered_to: 12-31\n    until: 01-31",
            "ordered_from: 12-20\n    ordered_to: 01-06\n    until: 02-28",
        )
    )
    for ordered in ("2025-12-20", "2026-01-06"):
        at = us(f"{ordered}T10:00:00")
        right = of(policy, ordered_at=at, delivered_at=at, requested_at=at + 25 * 86_400_000_000)
        assert right["until"] == "2026-02-28"
    at = us("2026-01-07T10:00:00")
    assert of(policy, ordered_at=at, delivered_at=at, requested_at=at + 25 * 86_400_000_000)["until"] == "2026-02-06"


class TestAPolicyMayGiveMore:
    policy = policy_of(replaced("  - id: usual\n", "  - id: usual\n    withdrawal_days: 30\n    warranty_days: 1095\n"))

    def test_days_of_withdrawal_for_everybody(self) -> None:
        late = us("2026-03-20T00:00:00")
        for country in ("DE", "US"):
            right = of(self.policy, requested_at=late, country=country)
            assert (right["basis"], right["until"], right["clause"]) == ("withdrawal", "2026-03-31", "usual")
        assert of(self.policy)["clause"] == "withdrawal"

    def test_years_of_warranty(self) -> None:
        right = of(self.policy, requested_at=us("2028-12-01T00:00:00"), reason="defective")
        assert (right["basis"], right["clause"]) == ("warranty", "usual")


class TestFees:
    policy = policy_of(replaced("  - id: usual\n", "  - id: usual\n    fee: {postage: 4.5, restocking: 3}\n"))

    @pytest.mark.parametrize(
        ("changes", "fees"),
        [
            ({}, ["postage"]),  # the law lets the shopper pay the postage, and nothing else
            ({"reason": "wrong_item_sent"}, []),
            ({"requested_at": us("2026-03-20T00:00:00")}, ["postage", "restocking"]),
            ({"requested_at": us("2026-03-20T00:00:00"), "reason": "defective"}, []),
            ({"requested_at": us("2026-03-20T00:00:00"), "kind": "claim"}, []),
            ({"channel": "store"}, []),
        ],
    )
    def test_only_those_that_are_lawful(self, changes: dict[str, Any], fees: list[str]) -> None:
        assert [fee["kind"] for fee in of(self.policy, **changes)["fees"]] == fees


def test_the_countries() -> None:
    assert len(EU) == 27
    assert len(set(ALL)) == len(ALL) == 249
    assert set(ALL) >= EU

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from serving.policy.countries import ALL, EU, WITHDRAWAL
from serving.policy.days import days, last_working_day
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
        "until": "2026-03-16",  # 23:00 UTC of 1 March is 2 March in Berlin
        "may_refuse": False,
        "clause": "withdrawal",
        "covered": True,
        "conditions": [],
        "fees": [],
    }
    assert of(requested_at=us("2026-03-16T23:59:59"))["basis"] == "withdrawal"
    assert of(requested_at=us("2026-03-17T00:00:00"))["basis"] == "policy"


@pytest.mark.parametrize(
    ("country", "delivered", "until", "last", "over"),
    [
        # the day of the delivery does not count, whenever on it the parcel came
        ("NL", "2026-06-02T06:00:00", "2026-06-16", "2026-06-16T23:59:59", "2026-06-17T00:00:00"),
        ("NL", "2026-06-02T21:59:00", "2026-06-16", "2026-06-16T23:59:59", "2026-06-17T00:00:00"),
        # midnight of a shop's own clock is the evening before in UTC
        ("NL", "2026-06-01T22:00:00", "2026-06-16", "2026-06-16T23:59:59", "2026-06-17T00:00:00"),
        ("FI", "2026-06-01T21:00:00", "2026-06-16", "2026-06-16T23:59:59", "2026-06-17T00:00:00"),
        # west of Greenwich the last day ends later than in UTC; of two zones the one that is better for the shopper
        ("PT", "2026-01-13T12:00:00", "2026-01-27", "2026-01-28T00:59:59", "2026-01-28T01:00:00"),
        ("MQ", "2026-06-02T12:00:00", "2026-06-16", "2026-06-17T03:59:59", "2026-06-17T04:00:00"),
        # a Saturday, a Sunday and a holiday go on to the next working day
        ("DE", "2026-06-06T12:00:00", "2026-06-22", "2026-06-22T21:59:59", "2026-06-23T00:00:00"),
        ("DE", "2026-06-07T12:00:00", "2026-06-22", "2026-06-22T21:59:59", "2026-06-23T00:00:00"),
        ("DE", "2026-12-11T12:00:00", "2026-12-28", "2026-12-28T21:59:59", "2026-12-29T00:00:00"),
        ("DE", "2026-03-22T12:00:00", "2026-04-07", "2026-04-07T21:59:59", "2026-04-08T00:00:00"),  # Easter
        # the EEA, and parts of member states with codes of their own
        ("NO", "2026-06-02T12:00:00", "2026-06-16", "2026-06-16T21:59:59", "2026-06-17T00:00:00"),
        ("AX", "2026-06-02T12:00:00", "2026-06-16", "2026-06-16T20:59:59", "2026-06-17T00:00:00"),
    ],
)
def test_withdrawal_at_its_edges(country: str, delivered: str, until: str, last: str, over: str) -> None:
    asked: dict[str, Any] = {"country": country, "delivered_at": us(delivered)}
    right = of(requested_at=us(last), **asked)
    assert (right["basis"], right["clause"], right["until"]) == ("withdrawal", "withdrawal", until)
    assert of(requested_at=us(over), **asked)["basis"] == "policy"


def test_every_country_of_the_law_has_a_clock() -> None:
    noon = us("2026-06-02T12:00:00")
    assert {country for country in WITHDRAWAL if len(list(days(noon, country))) < 2} == set()
    assert len(WITHDRAWAL - EU) == 10


@pytest.mark.parametrize(("year", "month", "day"), [(2024, 4, 1), (2025, 4, 21), (2026, 4, 6), (2038, 4, 26)])
def test_easter_monday_is_no_working_day(year: int, month: int, day: int) -> None:
    assert last_working_day(date(year, month, day)) == date(year, month, day + 1)


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
        ({"requested_at": us("2028-03-02T12:00:00"), "reason": "defective"}, "warranty", "warranty"),  # 731 days
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
        ({"requested_at": us("2026-04-01T21:00:00")}, True),
        ({"requested_at": us("2026-04-02T00:00:00")}, False),
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
        for country, last in (("DE", "2026-04-01"), ("US", "2026-03-31")):
            right = of(self.policy, requested_at=late, country=country)
            assert (right["basis"], right["until"], right["clause"]) == ("withdrawal", last, "usual")
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

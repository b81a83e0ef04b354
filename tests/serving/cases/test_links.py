"""Linked accounts: what counts, what does not, and that a household is never more than that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.clock import DAY
from features.ledger.append import append_rows
from features.ledger.store import Ledger
from features.settings import Settings
from serving.cases import links
from serving.cases.links import Account, Links, Shared, Strength

NOW = 20_600 * DAY
KEYS = ("email", "payment", "device", "address")


class Shop:
    """A ledger that orders are put into."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.made = 0

    def order(self, customer: str, *, days_ago: int = 10, times: int = 1, **keys: str) -> None:
        self.put("orders", [self._row(customer, days_ago, keys) for _ in range(times)])

    def _row(self, customer: str, days_ago: int, keys: dict[str, str]) -> dict[str, Any]:
        self.made += 1
        named = {f"{kind}_id": keys.get(kind, f"own {kind} of {customer}") for kind in KEYS}
        at = NOW - days_ago * DAY + self.made
        return {"order_id": f"o{self.made}", "customer_id": customer, "ordered_at": at, **named}

    def put(self, table: str, rows: list[dict[str, Any]]) -> None:
        with self.ledger.write() as conn:
            done = append_rows(conn, table, rows, live=False, now_us=NOW + DAY, hasher=self.ledger.hasher)
            assert not done.rejects, done.rejects[:2]

    def links(self, customer: str = "me", at: int = NOW) -> Links:
        with self.ledger.read() as conn:
            return links.of_customer(conn, customer, at=at)

    def only(self) -> Account:
        (account,) = self.links().accounts
        return account


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    ledger = Ledger.open(Settings(home=tmp_path, database_url="", hash_key="a key for tests"))
    yield Shop(ledger)
    ledger.close()


def test_nobody_shares_anything(shop: Shop) -> None:
    shop.order("me")
    shop.order("other")
    assert shop.links() == Links((), 0, ())
    assert shop.links("nobody") == Links((), 0, ())


@pytest.mark.parametrize(
    "shared", [("address",), ("payment",), ("address", "payment"), ("address", "device", "payment")]
)
def test_what_a_household_shares_is_a_household(shop: Shop, shared: tuple[str, ...]) -> None:
    for who in ("me", "other", "third"):
        shop.order(who, times=5, **dict.fromkeys(shared, "ours"))
    found = shop.links()
    assert [account.sums for account in found.accounts] == ["household", "household"]
    assert found.household


def test_two_strong_links_that_do_not_depend_on_each_other(shop: Shop) -> None:
    for who in ("me", "other"):
        shop.order(who, times=2, payment="card", device="phone")
    account = shop.only()
    assert (account.sums, account.household) == ("two_strong", False)
    assert [(link.kind, link.strength) for link in account.shared] == [("payment", "strong"), ("device", "strong")]


def test_card_and_device_at_one_address_are_one_link_and_an_email_is_another(shop: Shop) -> None:
    home = {"payment": "card", "device": "tablet", "address": "home"}
    for who in ("me", "other"):
        shop.order(who, times=2, **home)
    assert shop.only().sums == "household"
    for who in ("me", "other"):
        shop.order(who, times=2, email="same", **home)
    assert (shop.only().sums, shop.only().household) == ("two_strong", True)


def test_one_strong_link(shop: Shop) -> None:
    for who in ("me", "other"):
        shop.order(who, times=2, device="phone")
    assert shop.only().sums == "one_strong"


@pytest.mark.parametrize(("mine", "theirs", "strength"), [(1, 1, "moderate"), (2, 1, "moderate"), (2, 2, "strong")])
def test_used_once_is_less_than_used_again(shop: Shop, mine: int, theirs: int, strength: Strength) -> None:
    shop.order("me", times=mine, device="phone")
    shop.order("other", times=theirs, device="phone", days_ago=4)
    (link,) = shop.only().shared
    assert link == Shared("device", strength, 2, mine, theirs, link.last_at)
    assert link.last_at > NOW - 5 * DAY


def test_long_ago_is_weak(shop: Shop) -> None:
    for who in ("me", "other"):
        shop.order(who, times=3, device="phone", email="same", days_ago=500)
        shop.order(who)
    assert {link.strength for link in shop.only().shared} == {"weak"}
    assert shop.only().sums == "weak"


def test_what_many_use_is_no_link(shop: Shop) -> None:
    for n in range(links.MANY_ACCOUNTS):
        shop.order(f"c{n}", address="pick-up point", device="till", times=3)
    found = shop.links("c0")
    assert found.accounts == ()
    assert {(busy.kind, busy.accounts, busy.at_least) for busy in found.busy} == {
        ("address", 8, False),
        ("device", 8, False),
    }


def test_a_flat_with_some_accounts_is_weak(shop: Shop) -> None:
    for n in range(links.HOUSEHOLD + 1):
        shop.order(f"c{n}", address="a shared house", times=3)
    found = shop.links("c0")
    assert {account.sums for account in found.accounts} == {"weak"}
    assert not found.household


def test_only_what_was_known_then_counts(shop: Shop) -> None:
    for who in ("me", "other"):
        shop.order(who, times=2, device="phone", days_ago=3)
    assert shop.links(at=NOW - 5 * DAY).accounts == ()


def test_what_is_known_of_the_others(shop: Shop) -> None:
    shop.order("me", email="same")
    shop.order("other", email="same", days_ago=30)
    shop.put("order_lines", [{"order_id": "o2", "line_id": "1", "sku": "s", "quantity": 2, "unit_price_e4": 10_000}])
    asked = {"order_id": "o2", "line_id": "1", "quantity": 1, "reason": "other"}
    shop.put("returns", [{"return_id": f"r{n}", "requested_at": NOW - n * DAY, **asked} for n in (8, 9)])
    shop.put("inspections", [{"return_id": "r8", "inspected_at": NOW - 7 * DAY, "finding": "worn"}])
    account = shop.only()
    assert (account.orders, account.returns, account.concerns) == (1, 2, 1)


def test_the_strongest_come_first_and_the_rest_is_counted(shop: Shop) -> None:
    for n in range(14):
        shop.order("me", device=f"d{n}", email=f"e{n}" if n == 7 else "own", times=2)
        shop.order(f"c{n:02}", device=f"d{n}", email=f"e{n}" if n == 7 else "own too", times=2)
    found = shop.links()
    assert found.accounts[0].customer_id == "c07"
    assert found.accounts[0].sums == "two_strong"
    assert len(found.accounts) == links.MOST_SHOWN
    assert found.more == 2


def test_a_busy_key_takes_no_time(shop: Shop) -> None:
    rows = [shop._row(f"c{n}", 5, {"address": "pick-up point"}) for n in range(20_000)]
    shop.put("orders", rows)
    shop.order("me", address="pick-up point")
    began = time.perf_counter()
    found = shop.links()
    took = time.perf_counter() - began
    assert [(busy.kind, busy.accounts, busy.at_least) for busy in found.busy] == [("address", 500, True)]
    assert took < 1.0


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("payment", "device", "address")),
            st.sampled_from(("weak", "moderate", "strong")),
            st.integers(2, links.HOUSEHOLD),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_people_who_live_together_are_never_two_strong_links(made: list[tuple[Any, Any, int]]) -> None:
    shared = [Shared(kind, strength, accounts, 3, 3, NOW) for kind, strength, accounts in made]
    shared.append(Shared("address", "moderate", 2, 3, 3, NOW))
    assert links._sums(shared) == ("household", True)

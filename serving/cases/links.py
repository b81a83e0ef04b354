"""Accounts that share an address, a card, a device or an e-mail address with this customer, and how much that means.

Sharing is mostly innocent: people live together, use a pick-up point, order from the office. So a key that many
accounts use is no link at all; what people of one household share counts once, however much of it they share; and
only two strong links that do not depend on each other are called that.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.sql import marks, rows
from features.ledger.vocabulary import CONCERN_FINDINGS

KINDS: Final = ("email", "payment", "device", "address")
#: From so many accounts on a key is one of a place or a machine that many use: no link.
MANY_ACCOUNTS: Final = 8
#: People of one household: at most so many accounts share what it shares.
HOUSEHOLD: Final = 4
#: A link whose latest use by either side is older is weak, whatever it is.
RECENT: Final = 365 * DAY
#: Most accounts that are shown, most keys of a kind that are followed, most orders of a key that are looked at.
MOST_SHOWN: Final = 10
_MOST_KEYS: Final = 12
_MOST_ORDERS: Final = 500
_OWN_ORDERS: Final = 200

Kind = Literal["email", "payment", "device", "address"]
Strength = Literal["weak", "moderate", "strong"]
Sums = Literal["two_strong", "one_strong", "household", "weak"]


class Shared(NamedTuple):
    """A key that both accounts use; `orders` of the other one with it, `last_at` the latest (microseconds)."""

    kind: Kind
    strength: Strength
    accounts: int  # that use it at all
    own_orders: int
    orders: int
    last_at: int


class Account(NamedTuple):
    """A linked account, what it shares, and what that comes to."""

    customer_id: str
    sums: Sums
    household: bool  # may well be one: shares what people who live together share
    shared: tuple[Shared, ...]
    orders: int
    returns: int
    concerns: int  # checks of its returns that found something


class Busy(NamedTuple):
    """A key of this customer that is no link, because many use it; `at_least` if they were not all counted."""

    kind: Kind
    accounts: int
    at_least: bool


@dataclass(frozen=True, slots=True)
class Links:
    """The linked accounts, strongest first; `more` of them are not shown."""

    accounts: tuple[Account, ...]
    more: int
    busy: tuple[Busy, ...]

    @property
    def household(self) -> bool:
        """Whether any of the accounts may be of one household."""
        return any(account.household for account in self.accounts)


class _Use(NamedTuple):
    kind: Kind
    key: str
    own: int
    last_at: int


def of_customer(conn: Connection, customer_id: str, *, at: int) -> Links:
    """The accounts linked to a customer by orders placed before `at` (microseconds since 1970 UTC).

    Reads a bounded number of rows, whatever uses a key: of the customer the latest 200 orders, of each kind the 12 keys
    used latest, of each key the latest 500 orders.
    """
    found: dict[str, list[Shared]] = defaultdict(list)
    busy = []
    for use in _uses(conn, customer_id, at):
        users, at_least = _users(conn, use, at)
        accounts = len(users.keys() | {customer_id})
        if accounts >= MANY_ACCOUNTS:
            busy.append(Busy(use.kind, accounts, at_least))
            continue
        for other, (orders, last_at) in users.items():
            if other != customer_id:
                strength = _strength(use, accounts, orders, min(use.last_at, last_at), at)
                found[other].append(Shared(use.kind, strength, accounts, use.own, orders, last_at))
    judged = [(other, *_sums(shared), tuple(sorted(shared, key=_order))) for other, shared in found.items()]
    judged.sort(key=lambda each: (_SUMS.index(each[1]), -max(link.last_at for link in each[3]), each[0]))
    history = _history(conn, [other for other, *_ in judged[:MOST_SHOWN]], at)
    return Links(
        tuple(Account(other, sums, home, shared, *history[other]) for other, sums, home, shared in judged[:MOST_SHOWN]),
        max(0, len(judged) - MOST_SHOWN),
        tuple(busy),
    )


_SUMS: Final[tuple[Sums, ...]] = ("two_strong", "one_strong", "household", "weak")
_STRENGTHS: Final[tuple[Strength, ...]] = ("weak", "moderate", "strong")


def _strength(use: _Use, accounts: int, orders: int, last_at: int, at: int) -> Strength:
    """How much a shared key means by itself.

    An address never more than moderate: it is a place. The others are strong where few use them, both more than once or
    it is an e-mail address, and of late.
    """
    if at - last_at > RECENT:
        return "weak"
    if use.kind == "address":
        return "moderate" if accounts <= HOUSEHOLD else "weak"
    if accounts > HOUSEHOLD:
        return "weak"
    again = use.own > 1 and orders > 1
    return "strong" if again or use.kind == "email" else "moderate"


def _sums(shared: list[Shared]) -> tuple[Sums, bool]:
    """What the links with an account come to, and whether it may be of the same household.

    People who live together share the address, and often a card or a device: with a shared address, all three of them
    count as one link. An e-mail address is one person's own.
    """
    kinds = {link.kind for link in shared}
    strong = {link.kind for link in shared if link.strength == "strong"}
    together = {"address", "payment", "device"}
    home = "address" in kinds or kinds <= {"payment"}
    home = home and all(link.accounts <= HOUSEHOLD for link in shared if link.kind in together)
    independent = len(strong & {"email"}) + (bool(strong & together) if "address" in kinds else len(strong & together))
    if independent >= 2:
        return "two_strong", home
    if home and "email" not in strong:
        return "household", True
    return ("one_strong" if independent else "weak"), home


def _order(link: Shared) -> tuple[int, int]:
    return -_STRENGTHS.index(link.strength), KINDS.index(link.kind)


def _uses(conn: Connection, customer_id: str, at: int) -> list[_Use]:
    """The customer's own keys with how often and until when they were used, of each kind those used latest."""
    own = rows(
        conn,
        "SELECT ordered_at, email_id, payment_id, device_id, address_id FROM orders WHERE customer_id = ?"
        " AND ordered_at < ? ORDER BY ordered_at DESC LIMIT ?",
        (customer_id, at, _OWN_ORDERS),
    )
    uses: list[_Use] = []
    for place, kind in enumerate(_AS_READ, 1):
        seen: dict[str, tuple[int, int]] = {}
        for row in own:
            if row[place] is not None:
                count, last_at = seen.get(row[place], (0, row[0]))
                seen[row[place]] = count + 1, last_at
        uses += [_Use(kind, key, count, last_at) for key, (count, last_at) in list(seen.items())[:_MOST_KEYS]]
    return uses


_AS_READ: Final[tuple[Kind, ...]] = ("email", "payment", "device", "address")


def _users(conn: Connection, use: _Use, at: int) -> tuple[dict[str, tuple[int, int]], bool]:
    """By account, its orders with a key and the moment of the latest; and whether there may be more of them."""
    found = rows(
        conn,
        f"SELECT customer_id, ordered_at FROM orders WHERE {use.kind}_id = ? AND ordered_at < ?"
        " ORDER BY order_no DESC LIMIT ?",
        (use.key, at, _MOST_ORDERS),
    )
    users: dict[str, tuple[int, int]] = {}
    for customer_id, ordered_at in found:
        count, last_at = users.get(customer_id, (0, 0))
        users[customer_id] = count + 1, max(last_at, ordered_at)
    return users, len(found) == _MOST_ORDERS


def _history(conn: Connection, customers: list[str], at: int) -> dict[str, tuple[int, int, int]]:
    """By account: orders, returns, and checks that found something, before `at`."""
    if not customers:
        return {}
    among = marks(len(customers))
    orders = dict(
        rows(
            conn,
            f"SELECT customer_id, COUNT(*) FROM orders WHERE customer_id IN {among} AND ordered_at < ?"
            " GROUP BY customer_id",
            (*customers, at),
        )
    )
    returns = dict(
        rows(
            conn,
            "SELECT o.customer_id, SUM(r.leads) FROM orders o JOIN returns r ON r.order_no = o.order_no"
            f" WHERE o.customer_id IN {among} AND r.requested_at < ? GROUP BY o.customer_id",
            (*customers, at),
        )
    )
    concerns = dict(
        rows(
            conn,
            "SELECT o.customer_id, COUNT(*) FROM orders o JOIN inspections i ON i.order_no = o.order_no"
            f" WHERE o.customer_id IN {among} AND i.inspected_at < ? AND i.finding IN {marks(len(CONCERN_FINDINGS))}"
            " GROUP BY o.customer_id",
            (*customers, at, *CONCERN_FINDINGS),
        )
    )
    return {who: (orders.get(who, 0), int(returns.get(who, 0)), concerns.get(who, 0)) for who in customers}

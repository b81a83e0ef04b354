"""The addresses, means of payment, devices and e-mails that customers order with, and who shares them with whom.

Numbers stand for ids; they become opaque text when they are written. Households share an address and sometimes more;
strangers share pick-up points; the accounts of a ring share some things in part; hired refunders order for their
clients from a device of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.chance import Flags, Floats, Ints, happens, pick
from pipelines.simulate.customers import KIND, Customers

_CLIENTS_OF_A_REFUNDER = 8
_USERS_OF_A_PICKUP_POINT = 45


@dataclass
class Identities:
    """What each customer (n,) orders with: a first and a second of each, and how often the second (0: never).

    Attributes:
        household: number of the household, by which its people share an address; `household_size`: how many they are.
        addresses, payments, devices, emails: (n, 2) numbers of ids.
        second_address, second_payment, second_device, second_email: (n,) odds of the second.
        pickup: whether the second address is a pick-up point.
        refunder_device: device of the hired refunder whose client the customer may be.
    """

    household: Ints
    household_size: Ints
    addresses: Ints
    payments: Ints
    devices: Ints
    emails: Ints
    second_address: Floats
    second_payment: Floats
    second_device: Floats
    second_email: Floats
    pickup: Flags
    refunder_device: Ints


def make_identities(rng: np.random.Generator, customers: Customers) -> Identities:
    """Identities for all customers."""
    n = len(customers)
    own = np.arange(n, dtype=np.int64)
    household, household_size = _households(rng, customers)
    pickup = happens(rng, 0.14, n)
    moves = happens(rng, 0.07, n) & ~pickup
    made = Identities(
        household=household,
        household_size=household_size,
        addresses=np.column_stack([household, n + own]),
        payments=np.column_stack([own, n + own]),
        devices=np.column_stack([own, n + own]),
        emails=np.column_stack([own, n + own]),
        second_address=np.where(pickup, rng.uniform(0.4, 0.95, n), np.where(moves, 0.4, 0.03)),
        second_payment=np.where(happens(rng, 0.35, n), rng.uniform(0.1, 0.6, n), 0.0),
        second_device=np.where(happens(rng, 0.50, n), rng.uniform(0.1, 0.7, n), 0.02),
        second_email=np.where(happens(rng, 0.03, n), 0.4, 0.0),
        pickup=pickup,
        refunder_device=3 * n + _refunder_of(rng, customers),
    )
    points = max(1, int(pickup.sum()) // _USERS_OF_A_PICKUP_POINT)
    chosen = 2 * n + pick(rng, 1.0 / np.arange(1.0, points + 1.0) ** 0.5, n)
    made.addresses[pickup, 1] = chosen[pickup]

    shares_card = happens(rng, 0.30, n)
    shares_device = happens(rng, 0.22, n)
    made.payments[shares_card, 0] = household[shares_card]
    made.devices[shares_device, 1] = household[shares_device]
    made.second_device[shares_device] = rng.uniform(0.15, 0.6, n)[shares_device]
    _share_in_rings(rng, customers, made)
    return made


def _refunder_of(rng: np.random.Generator, customers: Customers) -> Ints:
    """Number of the hired refunder whose client each customer is or, for most, nobody in particular."""
    clients = np.flatnonzero(customers.kind == KIND["hired_refunder"])
    refunder = np.zeros(len(customers), dtype=np.int64)
    refunder[rng.permutation(clients)] = np.arange(len(clients)) // _CLIENTS_OF_A_REFUNDER
    return refunder


def _households(rng: np.random.Generator, customers: Customers) -> tuple[Ints, Ints]:
    """Household of each customer (named by one of its people), and how many customers it has. One to four people."""
    n = len(customers)
    starts = np.cumsum(pick(rng, (0.64, 0.24, 0.08, 0.04), n) + 1)
    seat = np.searchsorted(starts, np.arange(n), side="right")
    order = rng.permutation(n)
    household = np.empty(n, dtype=np.int64)
    household[order] = order[np.searchsorted(seat, seat, side="left")]
    at_home = customers.ring < 0  # people who live together live in one country; a ring has its own
    customers.country[at_home] = customers.country[household[at_home]]
    size = np.bincount(household, minlength=n)[household]
    return household, size.astype(np.int64)


def _share_in_rings(rng: np.random.Generator, customers: Customers, made: Identities) -> None:
    """Each account of a ring takes over some of the ring's two addresses, two cards and two devices, seldom all."""
    n = len(customers)
    members = np.flatnonzero(customers.ring >= 0)
    ring = customers.ring[members]
    m = len(members)
    made.household[members] = members  # a ring is not a household
    made.household_size[members] = 1
    made.addresses[members, 0] = members
    for ids, odds in ((made.addresses, 0.60), (made.payments, 0.45), (made.devices, 0.55), (made.emails, 0.08)):
        takes = happens(rng, odds, m)
        ids[members[takes], 0] = (4 * n + 2 * ring + rng.integers(0, 2, m))[takes]
    for second in (made.second_address, made.second_payment, made.second_device):
        second[members] = np.maximum(second[members], 0.2)
    made.second_email[members] = 0.0

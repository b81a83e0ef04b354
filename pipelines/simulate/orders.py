"""What is ordered when, and how it reaches the customer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.calendar import DAY, Calendar, at_local, online_hours, opening_hours
from pipelines.simulate.chance import Codes, Flags, Floats, Ints, around_one, happens, pick, pick_by
from pipelines.simulate.customers import Customers
from pipelines.simulate.identities import Identities
from pipelines.simulate.products import Products
from pipelines.simulate.settings import SimulationSettings
from pipelines.simulate.shop import (
    CATEGORIES,
    CHANNEL_SHARES,
    COUNTRIES,
    COURIERS,
    EVENT_WEAR,
    LINES_PER_ORDER,
    MARKETPLACE,
    SIZES,
    STORE,
    TASTES,
    TOYS,
)

NEVER = np.iinfo(np.int64).max // 4
_TAKEN = (0.008, 0.0025, 0.003, 0.0)  # share of parcels taken from the doorstep, by proof: none, scan, photo, signature


@dataclass
class Orders:
    """Orders (n,) in order of time.

    Attributes:
        customer: number of the customer.
        at: when it was placed.
        channel, country: codes.
        address, payment, device, email: numbers of ids, -1 where the order has none.
        courier: code, -1 where nothing is sent (bought in a store).
        arrived: when the customer had the goods in hand; `NEVER` for a lost parcel.
        expected: when they should have had them.
        scanned: when the delivery was scanned (a lost parcel may be, a delivered one may not), `NEVER` if it was not.
        proof: code.
        lost: whether the parcel never arrived.
        gone: whether the goods never came into the customer's hands: lost, or taken from the doorstep.
    """

    customer: Ints
    at: Ints
    channel: Codes
    country: Codes
    address: Ints
    payment: Ints
    device: Ints
    email: Ints
    courier: Codes
    arrived: Ints
    expected: Ints
    scanned: Ints
    proof: Codes
    lost: Flags
    gone: Flags

    def __len__(self) -> int:
        return len(self.at)


@dataclass
class Lines:
    """Order lines (m,) by order.

    Attributes:
        order: position of the order.
        number: from 1 within the order.
        style: position in the products.
        category: code.
        size: code, -1 for goods without sizes.
        quantity: pieces.
        price: of one piece, in cents of the order's currency.
        discount: off the whole line, in cents.
        bracket: position of the first line of a set of sizes of one style, -1 outside such a set.
    """

    order: Ints
    number: Ints
    style: Ints
    category: Codes
    size: Codes
    quantity: Ints
    price: Ints
    discount: Ints
    bracket: Ints

    def __len__(self) -> int:
        return len(self.order)

    @property
    def paid(self) -> Ints:
        """Cents paid for each line."""
        return self.quantity * self.price - self.discount


def make_orders(
    rng: np.random.Generator,
    customers: Customers,
    identities: Identities,
    calendar: Calendar,
    settings: SimulationSettings,
) -> Orders:
    """The orders of all customers: a Poisson process each, busy days in proportion for everybody."""
    first = np.clip(customers.joined, 0.0, calendar.days)
    low = calendar.crowd_at(first)
    high = calendar.crowd_at(np.clip(customers.left, first, calendar.days))
    count = rng.poisson((high - low) * customers.pace / 365.0)
    customer = np.repeat(np.arange(len(customers), dtype=np.int64), count)
    n = len(customer)
    day = calendar.day_of_crowd(low[customer] + rng.random(n) * (high - low)[customer])

    general = pick(rng, CHANNEL_SHARES, n).astype(np.int8)
    channel = np.where(happens(rng, 0.75, n), customers.channel[customer], general)
    country = customers.country[customer]
    ahead = np.array([c.hours for c in COUNTRIES])[country]
    time_of_day = np.where(channel == STORE, opening_hours(rng, n), online_hours(rng, n))
    at = at_local(calendar.start + day * DAY, time_of_day, ahead)
    at = np.where(at < calendar.start, at + DAY, at)

    order = np.argsort(at, kind="stable")
    customer, at, channel, country = customer[order], at[order], channel[order], country[order]
    made = Orders(
        customer=customer,
        at=at,
        channel=channel,
        country=country,
        address=_one_of(rng, identities.addresses, identities.second_address, customer),
        payment=_one_of(rng, identities.payments, identities.second_payment, customer),
        device=_one_of(rng, identities.devices, identities.second_device, customer),
        email=_one_of(rng, identities.emails, identities.second_email, customer),
        courier=np.full(n, -1, dtype=np.int8),
        arrived=at.copy(),
        expected=at.copy(),
        scanned=np.full(n, NEVER, dtype=np.int64),
        proof=np.zeros(n, dtype=np.int8),
        lost=np.zeros(n, dtype=np.bool_),
        gone=np.zeros(n, dtype=np.bool_),
    )
    _leave_out_ids(rng, made)
    _deliver(rng, made, calendar, settings)
    return made


def _one_of(rng: np.random.Generator, ids: Ints, second: Floats, customer: Ints) -> Ints:
    takes_second = rng.random(len(customer)) < second[customer]
    return np.asarray(np.where(takes_second, ids[customer, 1], ids[customer, 0]))


def _leave_out_ids(rng: np.random.Generator, orders: Orders) -> None:
    """Guests leave no device, stores no address, and cash no means of payment."""
    n = len(orders)
    store, marketplace = orders.channel == STORE, orders.channel == MARKETPLACE
    orders.device[store | marketplace | happens(rng, 0.06, n)] = -1
    orders.address[store & happens(rng, 0.75, n)] = -1
    orders.email[store & happens(rng, 0.40, n)] = -1
    orders.payment[(store & happens(rng, 0.30, n)) | happens(rng, 0.01, n)] = -1


def _deliver(rng: np.random.Generator, orders: Orders, calendar: Calendar, settings: SimulationSettings) -> None:
    sent = np.flatnonzero(orders.channel != STORE)
    m = len(sent)
    country = orders.country[sent]
    courier = pick_by(rng, [c.couriers for c in COUNTRIES], country)
    usual = np.array([c.days for c in COUNTRIES])[country] * np.array([c.pace for c in COURIERS])[courier]
    days = 1 + np.floor(usual * around_one(rng, 0.45, m)).astype(np.int64)
    ahead = np.array([c.hours for c in COUNTRIES])[country]
    midnight = orders.at[sent] // DAY * DAY
    arrived = at_local(midnight + days * DAY, opening_hours(rng, m), ahead)
    loss = np.array([c.loss for c in COURIERS])[courier] * np.array([c.loss for c in COUNTRIES])[country]
    lost = happens(rng, np.minimum(loss * _bad_spells(rng, courier, midnight, calendar) * settings.loss_level, 0.5), m)
    misscanned = happens(rng, np.array([c.misscans for c in COURIERS])[courier], m)
    scanned = np.where(lost, misscanned, ~happens(rng, 0.05, m))

    orders.courier[sent] = courier
    orders.lost[sent] = lost
    orders.expected[sent] = midnight + (1 + np.ceil(usual).astype(np.int64)) * DAY + 18 * 3_600
    orders.arrived[sent] = np.where(lost, NEVER, arrived)
    orders.scanned[sent] = np.where(scanned, arrived, NEVER)
    proof = pick_by(rng, [c.proofs for c in COURIERS], courier)
    orders.proof[sent] = np.where(lost & (proof > 1) & happens(rng, 0.7, m), 1, proof)
    taken = happens(rng, np.array(_TAKEN)[orders.proof[sent]] * settings.loss_level, m)
    orders.gone[sent] = lost | taken


def _bad_spells(rng: np.random.Generator, courier: Codes, midnight: Ints, calendar: Calendar) -> Floats:
    """Once in the history each courier has some weeks in which it loses several times as much."""
    begins = calendar.start + rng.uniform(0.0, calendar.days, len(COURIERS)) * DAY
    ends = begins + rng.uniform(25.0, 60.0, len(COURIERS)) * DAY
    worse = rng.uniform(2.0, 4.0, len(COURIERS))
    bad = (midnight >= begins[courier]) & (midnight < ends[courier])
    return np.where(bad, worse[courier], 1.0)


def make_lines(
    rng: np.random.Generator,
    orders: Orders,
    customers: Customers,
    products: Products,
    calendar: Calendar,
) -> Lines:
    """The lines of all orders, sizes bracketed by those who do so."""
    order = np.repeat(np.arange(len(orders), dtype=np.int64), pick(rng, LINES_PER_ORDER, len(orders)) + 1)
    category = _categories(rng, orders, customers, calendar, order)
    style = products.draw(rng, category)
    sized = np.array([c.sized for c in CATEGORIES])[category]
    m = len(order)
    brackets = sized & (rng.random(m) < customers.bracketing[customers_of(orders, order)])
    copies = np.where(brackets, 2 + happens(rng, 0.35, m), 1)
    which = np.repeat(np.arange(m), copies)
    first = np.cumsum(copies) - copies
    step = np.arange(len(which)) - first[which]  # 0 for the usual size, then the one above, then the one below

    off = pick(rng, (0.07, 0.86, 0.07), m)[which] - 1
    size = customers.size[customers_of(orders, order[which])] + off + np.array([0, 1, -1])[step]
    order, category, style = order[which], category[which], style[which]
    bracketed = brackets[which]
    several = happens(rng, np.array([c.several for c in CATEGORIES])[category], len(order)) & ~bracketed
    quantity = np.where(several, 1 + pick(rng, (0.7, 0.15, 0.1, 0.03, 0.02), len(order)) + 1, 1)
    price = np.round(products.price[style] * np.array([c.price for c in COUNTRIES])[orders.country[order]])
    off_price = happens(rng, np.where(calendar.on_sale(orders.at[order]), 0.45, 0.11), len(order))
    share = np.round(rng.uniform(0.1, 0.5, len(order)), 1) * off_price
    return Lines(
        order=order,
        number=np.arange(len(order)) - np.searchsorted(order, order, side="left") + 1,
        style=style,
        category=category,
        size=np.where(sized[which], np.mod(size, len(SIZES)), -1).astype(np.int8),
        quantity=quantity.astype(np.int64),
        price=price.astype(np.int64),
        discount=np.round(quantity * price * share).astype(np.int64),
        bracket=np.where(bracketed, first[which], -1),
    )


def customers_of(orders: Orders, order: Ints) -> Ints:
    """The customers who placed the orders at these positions."""
    return np.asarray(orders.customer[order])


def _categories(
    rng: np.random.Generator, orders: Orders, customers: Customers, calendar: Calendar, order: Ints
) -> Codes:
    """Categories of lines by taste; toys before Christmas, dresses and suits before parties."""
    share = np.array([c.share for c in CATEGORIES])
    category = pick_by(rng, np.array(TASTES) * share, customers.taste[customers_of(orders, order)])
    at = orders.at[order]
    m = len(order)
    category[calendar.before_christmas(at) & happens(rng, 0.08, m)] = TOYS
    category[calendar.party_season(at) & happens(rng, 0.03, m)] = EVENT_WEAR
    return category

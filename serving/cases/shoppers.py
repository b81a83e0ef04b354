"""A customer beside shoppers of the same products and categories: how much comes back, and how much would be usual.

The customer's numbers, and what was to be expected of the same items, come from the vector that the assessment saw
(`features.population`: the rates of the products and categories on the days of purchase). What would be usual is a
range and not a point: even at the same rates shoppers differ from each other, and a short history says little. Nine of
ten such shoppers with as many items are within it, by a beta-binomial distribution whose spread is measured in this
shop's own ledger.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy.engine import Connection

from features.clock import day_of
from features.ledger.sql import marks, rows
from features.service import SERVICE, VECTOR

WINDOWS: Final = ("90d", "365d", "lifetime")
#: Share of similar shoppers that a range holds.
WITHIN: Final = 0.9
#: With fewer items than this nothing is said about a share.
FEW_ITEMS: Final = 5
#: How alike the items of one shopper are (0: every item stands for itself), where a shop has too few to measure it.
USUAL_LIKENESS: Final = 0.15

_LIKENESS_WITHIN: Final = (0.02, 0.5)
_SAMPLED: Final = 600  # customers
_ENOUGH: Final = 100
_MOST_ITEMS: Final = 400  # of one customer, in a range: beyond that its width no longer changes
_AT_ONCE: Final = 500

Place = Literal["little_known", "below", "within", "above"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """Items of one window: bought, sent back, and what similar shoppers with as many would send back (low to high)."""

    window: str
    bought: int
    returned: int
    expected: float
    low: float
    high: float

    @property
    def place(self) -> Place:
        """Where the customer stands; `little_known` with fewer than `FEW_ITEMS`."""
        if self.bought < FEW_ITEMS:
            return "little_known"
        return "below" if self.returned < self.low else "above" if self.returned > self.high else "within"

    def part(self, items: float) -> float:
        """Items as a share of those bought, at most 1."""
        return min(1.0, items / self.bought) if self.bought else 0.0


@dataclass(frozen=True, slots=True)
class Claims:
    """A year's orders, claims, and what is usual: claims that parcels of this courier did not arrive, per order."""

    orders: int
    claims: int
    not_received: int
    usual_not_received: float | None

    @property
    def expected_not_received(self) -> float | None:
        """How many such claims as many orders would bring."""
        return None if self.usual_not_received is None else self.usual_not_received * self.orders


@dataclass(frozen=True, slots=True)
class Beside:
    """All that is compared. Values in 1/100 of the currency, of a year."""

    shares: tuple[Share, ...]
    claims: Claims
    value_bought_minor: int
    value_back_minor: int  # sent back or claimed

    @property
    def little_known(self) -> bool:
        """Whether there is too little to compare in any window."""
        return all(share.place == "little_known" for share in self.shares)


def beside(vector: bytes, feature_service: str, *, likeness: float = USUAL_LIKENESS) -> Beside | None:
    """The comparison behind a stored assessment; None if its vector is of another feature service.

    Args:
        vector: float64, little-endian, in the order of the feature service.
        likeness: intraclass correlation of a shopper's items, from `likeness`.
    """
    values = np.frombuffer(vector, dtype="<f8")
    if feature_service != SERVICE or len(values) != len(VECTOR):
        return None
    known = dict(zip(VECTOR, values.tolist(), strict=True))
    shares = []
    for window in WINDOWS:
        bought = _whole(known[f"customer_items_bought_{window}"])
        expected = min(float(bought), max(0.0, known[f"customer_expected_returns_ppm_{window}"] / 1e6))
        low, high = usual_range(bought, expected / bought if bought else 0.0, likeness)
        shares.append(Share(window, bought, _whole(known[f"customer_items_returned_{window}"]), expected, low, high))
    usual = known["courier_loss_rate_365d"]
    return Beside(
        tuple(shares),
        Claims(
            _whole(known["customer_orders_365d"]),
            _whole(known["customer_claims_365d"]),
            _whole(known["customer_not_received_365d"]),
            None if math.isnan(usual) else usual,
        ),
        _whole(known["customer_value_bought_365d"]),
        _whole(known["customer_value_returned_365d"]) + _whole(known["customer_value_claimed_365d"]),
    )


def usual_range(items: int, rate: float, likeness: float) -> tuple[float, float]:
    """How many of so many items `WITHIN` of the shoppers send back, whose items come back at a mean `rate`.

    The central range of a beta-binomial distribution; `likeness` is its intraclass correlation. For more than 400 items
    that of 400, scaled.

    >>> usual_range(10, 0.3, 0.15)
    (0.0, 7.0)
    """
    rate = min(max(rate, 0.0), 1.0)
    if items <= 0 or rate in (0.0, 1.0):
        return items * rate, items * rate
    n = min(items, _MOST_ITEMS)
    cumulated = np.cumsum(_beta_binomial(n, rate, likeness))
    outside = (1.0 - WITHIN) / 2
    low, high = (int(np.searchsorted(cumulated, level)) for level in (outside, 1.0 - outside))
    return low * items / n, min(high, n) * items / n


def _beta_binomial(n: int, rate: float, likeness: float) -> Floats:
    """Probabilities of 0 to n items."""
    weight = 1.0 / likeness - 1.0
    a, b = rate * weight, (1.0 - rate) * weight
    logs = [
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + math.lgamma(k + a)
        + math.lgamma(n - k + b)
        - math.lgamma(n + a + b)
        + math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        for k in range(n + 1)
    ]
    return np.exp(np.array(logs, dtype=np.float64))


def likeness(conn: Connection) -> float:
    """How alike the items of one shopper are in this shop, from at most 600 customers of orders of all times.

    By the method of moments: how much further counts of returned items lie from what was expected than they would if
    every item stood for itself. `USUAL_LIKENESS` where there are fewer than 100 customers with two items.
    """
    first, last = rows(conn, "SELECT MIN(order_no), MAX(order_no) FROM orders")[0]
    if first is None:
        return USUAL_LIKENESS
    numbers = np.unique(np.linspace(first, last, _SAMPLED).astype(np.int64)).tolist()
    customers: dict[str, None] = {}
    for at in range(0, len(numbers), _AT_ONCE):
        some = numbers[at : at + _AT_ONCE]
        found = rows(conn, f"SELECT customer_id FROM orders WHERE order_no IN {marks(len(some))}", some)
        customers.update(dict.fromkeys(row[0] for row in found))
    table = np.array(_counts(conn, list(customers)), dtype=np.float64).reshape(-1, 3)
    bought, expected, returned = table[(table[:, 0] >= 2) & (table[:, 0] <= _MOST_ITEMS)].T
    if len(bought) < _ENOUGH:
        return USUAL_LIKENESS
    rate = np.clip(expected / bought, 0.0, 1.0)
    alone = bought * rate * (1.0 - rate)
    beyond = ((returned - expected) ** 2 - alone).sum()
    pairs = (alone * (bought - 1.0)).sum()
    low, high = _LIKENESS_WITHIN
    return float(np.clip(beyond / pairs, low, high)) if pairs > 0 else USUAL_LIKENESS


def _counts(conn: Connection, customers: list[str]) -> list[tuple[float, float, float]]:
    """Items bought, expected back and sent back, of each customer."""
    counts = []
    for at in range(0, len(customers), _AT_ONCE):
        some = customers[at : at + _AT_ONCE]
        bought = rows(
            conn,
            "SELECT o.customer_id, SUM(l.quantity), SUM(CAST(l.quantity AS BIGINT) * COALESCE(l.expected_ppm, 0))"
            f" FROM orders o JOIN order_lines l ON l.order_no = o.order_no WHERE o.customer_id IN {marks(len(some))}"
            " GROUP BY o.customer_id",
            some,
        )
        returned = dict(
            rows(
                conn,
                "SELECT o.customer_id, SUM(r.quantity) FROM orders o JOIN returns r ON r.order_no = o.order_no"
                f" WHERE o.customer_id IN {marks(len(some))} AND r.kind = 'return' GROUP BY o.customer_id",
                some,
            )
        )
        counts += [(float(n), float(ppm) / 1e6, float(returned.get(who, 0))) for who, n, ppm in bought]
    return counts


class DailyLikeness:
    """`likeness`, measured once a day. One per process; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day = -1
        self._value = USUAL_LIKENESS

    def get(self, conn: Connection, now: int) -> float:
        """That of the day of `now` (microseconds since 1970 UTC)."""
        with self._lock:
            if self._day != day_of(now):
                self._value, self._day = likeness(conn), day_of(now)
            return self._value


def _whole(value: float) -> int:
    return 0 if math.isnan(value) else int(value)

"""The shop that is simulated: its categories, couriers, countries and channels, with their own rates.

Figures are plausible, not measured. Shares and rates are per line of an order unless it says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from features.ledger import vocabulary as words


@dataclass(frozen=True)
class Category:
    """A kind of goods.

    Attributes:
        share: of lines, for a shopper of average taste.
        price: median price of a style.
        price_spread: standard deviation of the logarithm of the price.
        second_thoughts: rate at which things come back because they do not please.
        misfit: rate at which they come back because they do not fit (0: no sizes).
        defects: rate of defects.
        fragile: how easily transport damages them, 1 is usual.
        several: odds of buying more than one of a thing.
    """

    name: str
    share: float
    price: float
    price_spread: float
    second_thoughts: float
    misfit: float
    defects: float
    fragile: float
    several: float

    @property
    def sized(self) -> bool:
        """Whether styles come in sizes."""
        return self.misfit > 0


CATEGORIES: Final = (
    Category("apparel", 0.27, 36.0, 0.55, 0.060, 0.078, 0.010, 0.2, 0.04),
    Category("event_wear", 0.05, 105.0, 0.50, 0.140, 0.120, 0.010, 0.3, 0.01),
    Category("shoes", 0.12, 72.0, 0.45, 0.050, 0.100, 0.012, 0.2, 0.01),
    Category("electronics", 0.13, 130.0, 0.90, 0.055, 0.0, 0.034, 1.6, 0.05),
    Category("home", 0.15, 40.0, 0.80, 0.045, 0.0, 0.018, 2.4, 0.16),
    Category("beauty", 0.12, 24.0, 0.55, 0.022, 0.0, 0.006, 0.9, 0.22),
    Category("toys", 0.08, 28.0, 0.55, 0.030, 0.0, 0.016, 0.8, 0.10),
    Category("sports", 0.08, 48.0, 0.65, 0.050, 0.045, 0.013, 0.6, 0.05),
)
CATEGORY_NAMES: Final = tuple(category.name for category in CATEGORIES)
EVENT_WEAR: Final = CATEGORY_NAMES.index("event_wear")
TOYS: Final = CATEGORY_NAMES.index("toys")
SIZES: Final = ("XS", "S", "M", "L", "XL", "XXL")

#: What shoppers of one taste buy, as factors of the category shares: (fashion, tech, home and family, all).
TASTES: Final = (
    (1.8, 2.0, 1.8, 0.3, 0.4, 1.0, 0.3, 0.6),
    (0.4, 0.2, 0.5, 3.2, 0.8, 0.3, 0.7, 1.2),
    (0.6, 0.5, 0.6, 0.5, 2.2, 1.4, 2.4, 0.7),
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
)
TASTE_SHARES: Final = (0.32, 0.16, 0.20, 0.32)


@dataclass(frozen=True)
class Courier:
    """Who carries parcels.

    Attributes:
        loss: share of parcels that never arrive.
        damage: share of lines damaged on the way, for goods of usual fragility.
        pace: factor on the days under way.
        proofs: shares of the proofs of delivery, in the order of the vocabulary.
        misscans: share of lost parcels that are scanned as delivered all the same.
    """

    name: str
    loss: float
    damage: float
    pace: float
    proofs: tuple[float, float, float, float]
    misscans: float


COURIERS: Final = (
    Courier("northpost", 0.003, 0.003, 1.0, (0.05, 0.60, 0.20, 0.15), 0.35),
    Courier("quickvan", 0.010, 0.008, 0.8, (0.10, 0.55, 0.32, 0.03), 0.50),
    Courier("parcelway", 0.004, 0.003, 1.1, (0.04, 0.46, 0.15, 0.35), 0.30),
    Courier("bringo", 0.022, 0.014, 0.9, (0.18, 0.60, 0.20, 0.02), 0.55),
    Courier("heavyhaul", 0.002, 0.010, 1.5, (0.02, 0.18, 0.20, 0.60), 0.20),
)


@dataclass(frozen=True)
class Country:
    """Where goods are sent.

    Attributes:
        share: of customers.
        days: usual days from order to delivery.
        loss: factor on the couriers' losses.
        hours: by how much local time is ahead of UTC.
        couriers: shares of the couriers.
        price: factor on the prices (the currency).
    """

    code: str
    share: float
    days: float
    loss: float
    hours: int
    couriers: tuple[float, float, float, float, float]
    currency: str = "EUR"
    price: float = 1.0


COUNTRIES: Final = (
    Country("DE", 0.34, 2.2, 0.8, 1, (0.40, 0.15, 0.25, 0.14, 0.06)),
    Country("NL", 0.20, 1.7, 0.7, 1, (0.55, 0.20, 0.12, 0.08, 0.05)),
    Country("FR", 0.16, 3.0, 1.2, 1, (0.25, 0.25, 0.20, 0.25, 0.05)),
    Country("IT", 0.10, 4.0, 1.7, 1, (0.20, 0.20, 0.20, 0.35, 0.05)),
    Country("BE", 0.08, 2.0, 0.9, 1, (0.45, 0.25, 0.15, 0.10, 0.05)),
    Country("ES", 0.06, 3.8, 1.4, 1, (0.20, 0.25, 0.20, 0.30, 0.05)),
    Country("GB", 0.06, 3.4, 1.3, 0, (0.10, 0.35, 0.30, 0.20, 0.05), "GBP", 0.86),
)

CHANNEL_SHARES: Final = (0.46, 0.28, 0.13, 0.10, 0.03)  # web, app, store, marketplace, phone
STORE: Final = words.CHANNELS.index("store")
MARKETPLACE: Final = words.CHANNELS.index("marketplace")

#: How many lines an order has before sizes are bracketed: shares of 1, 2, ... lines.
LINES_PER_ORDER: Final = (0.50, 0.26, 0.13, 0.06, 0.03, 0.02)

RETURN_WINDOW_DAYS: Final = 30

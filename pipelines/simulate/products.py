"""What the shop sells: styles with prices and with return, fit and defect rates of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipelines.simulate.chance import Codes, Floats, Ints, around_one, happens, pick
from pipelines.simulate.shop import CATEGORIES


@dataclass(frozen=True)
class Products:
    """Styles (k,), in order of category.

    Attributes:
        category: position in `CATEGORIES`.
        price: cents.
        second_thoughts, misfit, defects: rates for a line, the category's times the style's own deviation.
        first: (categories + 1,) position of each category's first style.
        popularity: (k,) running sum of how much each sells within its category, ending at 1.
    """

    category: Codes
    price: Ints
    second_thoughts: Floats
    misfit: Floats
    defects: Floats
    first: Ints
    popularity: Floats

    def draw(self, rng: np.random.Generator, category: Codes) -> Ints:
        """A style of the given category for each line, popular ones more often. (n,) -> (n,)."""
        out = np.zeros(len(category), dtype=np.int64)
        for code in range(len(CATEGORIES)):
            low, high = self.first[code], self.first[code + 1]
            lines = np.flatnonzero(category == code)
            out[lines] = low + np.minimum(
                np.searchsorted(self.popularity[low:high], rng.random(len(lines)), side="right"), high - low - 1
            )
        return out


def make_products(rng: np.random.Generator, customers: int) -> Products:
    """Styles for a shop of so many customers: between 240 and 24,000."""
    k = int(np.clip(customers // 2, 240, 24_000))
    shares = np.array([category.share for category in CATEGORIES])
    category = np.sort(np.concatenate([np.arange(len(shares)), pick(rng, shares, k - len(shares))]))
    first = np.searchsorted(category, np.arange(len(shares) + 1)).astype(np.int64)

    popularity = np.zeros(k)
    for low, high in pairwise(first):
        sells = np.cumsum(rng.pareto(1.3, high - low) + 0.3)
        popularity[low:high] = sells / sells[-1]

    def rates(name: str) -> Floats:
        return np.asarray(np.array([getattr(c, name) for c in CATEGORIES])[category])

    price = rates("price") * np.exp(rng.normal(0.0, 1.0, k) * rates("price_spread"))
    bad_batch = happens(rng, 0.05, k)
    poor_cut = happens(rng, 0.08, k)
    return Products(
        category=category.astype(np.int8),
        price=np.maximum(np.round(price) * 100 - 1, 299).astype(np.int64),
        second_thoughts=rates("second_thoughts") * around_one(rng, 0.45, k),
        misfit=rates("misfit") * around_one(rng, 0.40, k) * np.where(poor_cut, rng.uniform(1.8, 3.5, k), 0.9),
        defects=rates("defects") * around_one(rng, 0.5, k) * np.where(bad_batch, rng.uniform(6.0, 18.0, k), 0.5),
        first=first,
        popularity=popularity,
    )

"""Made-up returns with the features that groups are made of, for tests that compare groups."""

from __future__ import annotations

import numpy as np

from tests.support.returns import START, feature, made_up_context
from training.dataset import Rows

#: `signal` tells who abuses; `lean` is higher in one country for no good reason.
AUDITED = (
    feature("customer_tenure_days", family="tenure"),
    feature("address_customers_lifetime", family="links"),
    feature("request_order_similar_lines", family="bracketing"),
    feature("signal", family="claims"),
    feature("lean", family="value"),
)
SIGNAL, LEAN = 3, 4


def audited_returns(n: int = 6000, seed: int = 11, checked: float = 1.0) -> tuple[Rows, np.ndarray]:
    """n returns in order of time and the probability (n,) with which each is abusive, which follows `signal` alone.

    Each is checked with the odds `checked`, and three times as likely with a high signal. `lean` is higher in the
    country US, `signal` is not."""
    rng = np.random.default_rng(seed)
    context = made_up_context(n, seed)
    signal = rng.normal(size=n)
    lean = rng.normal(size=n) + 2.5 * (context["country"] == "US")
    truly = 1 / (1 + np.exp(3.2 - 1.3 * signal))
    odds = np.minimum(np.where(signal > 1.0, 3.0 * checked, checked), 1.0)
    X = np.column_stack([rng.gamma(2.0, 300.0, n), rng.integers(1, 4, n), rng.integers(1, 4, n), signal, lean]).astype(
        float
    )
    requested = START + np.arange(n) * 1_000_000
    rows = Rows(
        return_id=np.array([f"r{i:06d}" for i in range(n)], dtype=object),
        requested_at=requested,
        X=X,
        y=(rng.random(n) < truly).astype(float),
        known_at=requested,
        odds=odds,
        context=context,
    )
    return rows, truly

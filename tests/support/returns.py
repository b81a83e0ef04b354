"""Made-up labelled returns over time, for tests that train."""

from __future__ import annotations

import numpy as np

from features.clock import DAY
from features.signals import ModelFeature
from training.dataset import Rows

START = 20_000 * DAY


def feature(name: str, sign: int = 0, categories: tuple[str, ...] | None = None, family: str = "rate") -> ModelFeature:
    return ModelFeature(name, family, sign, "", "", lambda values: 0.0, categories)


FEATURES = (
    feature("customer_orders_lifetime", -1, family="tenure"),
    feature("customer_return_rate_90d", 1),
    feature("customer_claims_365d", 1, family="claims"),
    feature("request_value", 0, family="value"),
    feature("request_reason", 0, ("changed_mind", "size_fit", "not_received"), family="stated"),
    feature("noise", 0, family="request"),
    feature("constant", 0, family="request"),
)


def made_up_returns(n: int = 6000, seed: int = 3, days: int = 300, shift: float = -4.2, delay_days: int = 6) -> Rows:
    """n returns in order of time; claims and return rates raise the odds of a finding, orders lower them. A tenth are
    random checks with odds 0.05, the others have odds that rise with the score."""
    rng = np.random.default_rng(seed)
    orders = rng.poisson(8, n).astype(float)
    rate, claims = rng.beta(2, 6, n), rng.poisson(0.3, n).astype(float)
    value, reason = rng.lognormal(8, 1, n).round(), rng.integers(-1, 3, n).astype(float)
    noise = rng.normal(size=n)
    noise[rng.random(n) < 0.1] = np.nan
    score = shift + 4 * rate + 1.2 * claims - 0.1 * orders + 0.8 * (reason == 2) + 0.3 * (value > 5000)
    requested = START + np.sort(rng.integers(0, days * DAY, n))
    random = rng.random(n) < 0.1
    return Rows(
        return_id=np.array([f"r{i:06d}" for i in range(n)], dtype=object),
        requested_at=requested,
        X=np.column_stack([orders, rate, claims, value, reason, noise, np.full(n, 7.0)]),
        y=(rng.random(n) < 1 / (1 + np.exp(-score))).astype(float),
        known_at=requested + rng.integers(1, delay_days * DAY, n),
        odds=np.where(random, 0.05, np.clip(1 / (1 + np.exp(-score - 2)), 0.05, 1.0)),
    )


def until_of(rows: Rows) -> int:
    """A moment by which every label is known."""
    return int(rows.known_at.max())

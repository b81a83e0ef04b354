"""Made-up labelled returns over time, for tests that train."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.clock import DAY
from features.signals import ModelFeature
from training.dataset import CONTEXT, Rows

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
    found = rng.random(n) < 1 / (1 + np.exp(-score))
    return Rows(
        return_id=np.array([f"r{i:06d}" for i in range(n)], dtype=object),
        requested_at=requested,
        X=np.column_stack([orders, rate, claims, value, reason, noise, np.full(n, 7.0)]),
        y=found.astype(float),
        known_at=requested + rng.integers(1, delay_days * DAY, n),
        odds=np.where(random, 0.05, np.clip(1 / (1 + np.exp(-score - 2)), 0.05, 1.0)),
        context=made_up_context(n, seed, value=value / 100, random=random, claim=reason == 2, found=found),
    )


def made_up_context(n: int, seed: int = 3, **known: np.ndarray) -> pd.DataFrame:
    """What n returns are grouped by: 800 customers in three countries."""
    rng = np.random.default_rng(seed + 1000)
    claim = known.get("claim", np.zeros(n, dtype=bool))
    kind = np.where(claim, "false_claim", rng.choice(["wardrobing", "switched_item"], n))
    return pd.DataFrame(
        {
            "customer_id": [f"c{c}" for c in rng.integers(0, 800, n)],
            "country": rng.choice(["DE", "NL", "US"], n, p=[0.5, 0.3, 0.2]),
            "sku": [f"S{s}-{size}" for s, size in zip(rng.integers(0, 50, n), rng.choice(["M", "XL"], n), strict=True)],
            "category": rng.choice(["shoes", "tops"], n),
            "kind": np.where(claim, "claim", "return"),
            "channel": rng.choice(["web", "store"], n),
            "value": known.get("value", rng.lognormal(4, 1, n)),
            "trigger": np.where(known.get("random", np.zeros(n, dtype=bool)), "random", "risk"),
            "abuse_type": np.where(known.get("found", np.zeros(n, dtype=bool)), kind, None),
        }
    )[list(CONTEXT)]


def until_of(rows: Rows) -> int:
    """A moment by which every label is known."""
    return int(rows.known_at.max())

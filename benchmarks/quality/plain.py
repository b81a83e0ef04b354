"""The yardstick: what a data scientist builds in an afternoon, and the same given every truth.

LightGBM with its default parameters on plain customer aggregates (counts and sums over 30 and 90 days and the lifetime,
return rate, usual delay) and the columns of the request. No weights, no links between accounts, nothing of products,
couriers, findings or expectations. The number of trees is found on the latest fifth, then all rows are used: without
that it would fit noise, and beating it would prove little.
"""

from __future__ import annotations

from typing import Any, Final

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

_WINDOWS: Final = ("30d", "90d", "lifetime")
_SUMS: Final = (
    "orders",
    "items_bought",
    "value_bought",
    "returns",
    "items_returned",
    "value_returned",
    "claims",
    "value_claimed",
    "not_received",
    "missing_items",
    "defect_returns",
)
_REQUEST: Final = (
    "request_value",
    "request_items",
    "request_lines",
    "request_reason_code",
    "request_kind_code",
    "request_resolution_code",
    "request_tender_code",
    "request_channel_code",
    "request_order_channel_code",
    "request_proof_of_purchase",
)
_PARAMETERS: Final[dict[str, Any]] = {
    "objective": "binary",
    "verbosity": -1,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 1,
}
_STOPPING_SHARE: Final = 0.2
_STOPPING_ROUNDS: Final = 30
_MOST_TREES: Final = 500
_FEWEST_TREES: Final = 10
_DAY: Final = 86_400.0


def aggregates(table: pd.DataFrame) -> Floats:
    """Inputs of the plain model for a table of returns (`Shop.table`). (n, k)."""
    columns = {name: table[name] for name in (*(f"customer_{m}_{w}" for m in _SUMS for w in _WINDOWS), *_REQUEST)}
    bought = table["customer_items_bought_lifetime"].clip(lower=1)
    returns = table["customer_returns_lifetime"].clip(lower=1)
    columns |= {
        "return_rate": table["customer_items_returned_lifetime"] / bought,
        "usual_delay_days": table["customer_days_kept_lifetime"] / returns,
        "days_since_delivery": table["order_seconds_since_delivered"] / _DAY,
        "days_since_order": table["order_seconds_since_ordered"] / _DAY,
    }
    return pd.DataFrame(columns).to_numpy(dtype=np.float64, na_value=np.nan)


def fit(X: Floats, y: Floats) -> lightgbm.Booster:
    """A plain model of rows in order of time: X (n, k), y (n,) 0 or 1."""
    cut = int(len(y) * (1 - _STOPPING_SHARE))
    early = lightgbm.train(
        _PARAMETERS,
        lightgbm.Dataset(X[:cut], y[:cut]),
        num_boost_round=_MOST_TREES,
        valid_sets=[lightgbm.Dataset(X[cut:], y[cut:])],
        callbacks=[lightgbm.early_stopping(_STOPPING_ROUNDS, verbose=False)],
    )
    trees = max(_FEWEST_TREES, early.best_iteration)
    return lightgbm.train(_PARAMETERS, lightgbm.Dataset(X, y), num_boost_round=trees)

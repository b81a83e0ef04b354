"""Are honest customers of one group looked at more often than those of another? With the truth in hand."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.evaluation.intervals import codes, percentiles, resamples
from training.evaluation.metrics import looked_at

Floats = npt.NDArray[np.float64]

_TENURE: Final = ((90.0, "less than 90 days"), (365.0, "90 to 365 days"), (np.inf, "a year or more"))
_DAY: Final = 86_400.0


def groups(table: pd.DataFrame) -> dict[str, npt.NDArray[np.object_]]:
    """The group of each return (n,) by each trait."""
    tenure = table["customer_seconds_since_first_order"].to_numpy(dtype=np.float64, na_value=0.0) / _DAY
    return {
        "country": table["country"].astype(object).to_numpy(),
        "channel": table["request_order_channel_code"].to_numpy(dtype=object),
        "tenure": np.array([next(name for end, name in _TENURE if days < end) for days in tenure], dtype=object),
        "size range": table["size_range"].astype(object).to_numpy(),
        "shared household": table["household_size"].to_numpy() > 1,
        "brackets": table["brackets"].to_numpy(dtype=object),
    }


def false_positive_rates(table: pd.DataFrame, risk: Floats, capacity: float) -> list[dict[str, Any]]:
    """Of the honest returns of each group, the share that lies among the riskiest `capacity` of all returns, against
    the average, with its range over resamples of customers. Largest first."""
    honest = ~table["abusive"].to_numpy(dtype=np.bool_)
    hit = looked_at(risk, np.ones(len(risk)), capacity) * honest
    customer = codes(table["customer_id"].to_numpy(dtype=object))
    inside = {
        (trait, str(name)): (values == name) & honest
        for trait, values in groups(table).items()
        for name in pd.unique(pd.Series(values))
    }
    members = np.stack([*inside.values()]).astype(np.float64)

    def ratios(times: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = (members @ (hit * times)) / (members @ times)
            return np.asarray(rates / ((hit * times).sum() / (honest * times).sum()), dtype=np.float64)

    estimate = ratios(np.ones(len(risk)))
    draws = np.stack([ratios(times) for times in resamples(customer)])
    rows = []
    for place, (trait, name) in enumerate(inside):
        interval = percentiles(float(estimate[place]), draws[:, place])
        rows.append(
            {
                "group": f"{trait}: {name}",
                "honest_returns": int(members[place].sum()),
                "flagged": float(members[place] @ hit),
                "ratio": interval.estimate,
                "low": interval.low,
                "high": interval.high,
            }
        )
    return sorted(rows, key=lambda row: -row["ratio"] if row["ratio"] == row["ratio"] else 0.0)

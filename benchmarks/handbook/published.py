"""The book's published results, for the same table as ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Published:
    """One published row; `None` where there is no figure."""

    model: str
    auc: float | None
    ap: float | None
    cp100: float | None


SINGLE: Final = (
    Published("logistic regression", 0.871, 0.606, 0.291),
    Published("random forest", 0.867, 0.658, 0.287),
    Published("XGBoost", 0.862, 0.639, 0.273),
)
#: Means over the test folds.
PREQUENTIAL: Final = (
    Published("logistic regression", 0.868, 0.623, 0.297),
    Published("random forest", 0.870, 0.678, 0.299),
    Published("XGBoost", 0.869, 0.687, 0.303),
    Published("XGBoost, best parameters for the test", None, 0.694, None),
    Published("neural network", 0.876, 0.675, 0.303),
    Published("LSTM", 0.876, 0.665, 0.297),
    Published("balanced bagging", 0.879, None, 0.305),
)


def best(rows: Sequence[Published]) -> dict[str, float]:
    """The highest published figure of each kind."""
    return {
        name: max(value for row in rows if (value := getattr(row, name)) is not None) for name in ("auc", "ap", "cp100")
    }

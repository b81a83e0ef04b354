"""A model with a reference, and live returns and labels to hold against it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd

from features.clock import DAY
from tests.support.returns import FEATURES, START, made_up_returns, until_of
from training.dataset import Rows, split
from training.drift import Window, with_reference
from training.drift.report import iso
from training.labels import COLUMNS
from training.model import Fitted, Recipe, fit

TRAINED_UNTIL = START + 300 * DAY
NO_LABELS = pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})


def fitted_with_reference() -> Fitted:
    rows = made_up_returns(n=12_000, shift=-3.5)
    facts = {"feature_service": "made_up", "trained_until": iso(TRAINED_UNTIL)}
    made = fit(split(rows, until_of(rows)), FEATURES, Recipe(), facts)
    return with_reference(made, made_up_returns(n=8_000, seed=77, shift=-3.5))


def live(n: int = 3_000, seed: int = 500, change: Callable[[np.ndarray], None] | None = None) -> tuple[Window, Rows]:
    """n assessments of returns like those of the reference, but for `change`, and the returns themselves."""
    rows = made_up_returns(n=n, seed=seed, shift=-3.5)
    X = rows.X.copy()
    if change is not None:
        change(X)
    window = Window(X, rows.return_id, TRAINED_UNTIL, TRAINED_UNTIL + 30 * DAY, 30, n)
    return window, dataclasses.replace(rows, X=X)


def labels_of(rows: Rows, trigger: str = "risk") -> pd.DataFrame:
    """What came of checking all of these returns, known a second apart after the model was trained."""
    return pd.DataFrame(
        {
            "return_id": rows.return_id,
            "label": rows.y,
            "known_at": TRAINED_UNTIL + np.arange(1, len(rows) + 1) * 1_000_000,
            "trigger": trigger,
            "propensity": 0.02,
        }
    )


def random_checks(before: float, since: float, *, old: int = 1_000, new: int = 1_000, seed: int = 8) -> pd.DataFrame:
    """Labels of random checks, five a day, with findings at one rate before the model was trained, at another since."""
    rng = np.random.default_rng(seed)
    known_at = TRAINED_UNTIL + np.arange(-old + 1, new + 1) * DAY // 5
    return pd.DataFrame(
        {
            "return_id": [f"check-{i}" for i in range(old + new)],
            "label": (rng.random(old + new) < np.where(known_at <= TRAINED_UNTIL, before, since)).astype(float),
            "known_at": known_at,
            "trigger": "random",
            "propensity": 0.02,
        }
    )

"""A simulated shop in which any return can be looked at: what a check would see is drawn for every one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.quality.shop import open_shop
from features.clock import DAY
from features.ledger import vocabulary as words
from features.service import MODEL_FEATURES
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.inspections import looked_at
from pipelines.simulate.run import LAST_DAY, tell
from pipelines.simulate.settings import SimulationSettings
from training.drift.random_checks import Checks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Values about the past that a strategy's own findings change.
OWN: Final = (
    "customer_concerns_365d",
    "customer_concerns_lifetime",
    "customer_checks_lifetime",
    "customer_clean_checks_lifetime",
    "customer_seconds_since_last_concern",
)
_SECOND: Final = 1_000_000
_LABELS: Final = np.array(
    [
        1.0 if name in words.CONCERN_FINDINGS else 0.0 if name in words.CLEARING_FINDINGS else np.nan
        for name in words.FINDINGS
    ]
)


@dataclass(frozen=True)
class Returns:
    """All n returns of a shop in order of time; times in microseconds since 1970 UTC.

    `X` (n, k) are the inputs of the model as of each request, with findings as far as they were known at `start`; `own`
    are those of the declared values that later findings change. `seen` is the label that a check would give (1, 0, NaN:
    neither) and `known_at` when it would be known. `label` is what was known at `start` from the checks that were made
    until then (NaN: nothing), `checked` whether there was one; `before` the random ones of these.
    """

    requested_at: Ints
    customer: Ints
    value: Floats
    X: Floats
    own: dict[str, Floats]
    seen: Floats
    known_at: Ints
    label: Floats
    checked: npt.NDArray[np.bool_]
    abusive: npt.NDArray[np.bool_]
    new: npt.NDArray[np.bool_]  # abusive, and of the kind that the break brings
    before: Checks
    start: int
    broke: int
    end: int

    def __len__(self) -> int:
        return len(self.requested_at)


def returns_of(
    home: Path, *, customers: int, days: int, seed: int, settings: SimulationSettings, start_day: int
) -> Returns:
    """The returns of a shop that breaks on `settings.break_day`; checks on record end at `start_day`."""
    assert settings.break_day is not None
    first = Calendar.until(LAST_DAY, days).start * _SECOND
    start, broke = first + start_day * DAY, first + settings.break_day * DAY
    shop = open_shop(home, customers=customers, days=days, seed=seed, settings=settings, checked_until=start)
    table = shop.table.merge(_seen(customers, days, seed, settings), on="return_id", validate="1:1")
    label = table["label"].to_numpy(dtype=np.float64)
    random = (table["trigger"] == "random").to_numpy() & ~np.isnan(label)
    return Returns(
        requested_at=table["requested_at"].to_numpy(dtype=np.int64),
        customer=pd.factorize(table["customer_id"])[0].astype(np.int64),
        value=table["request_value"].to_numpy(dtype=np.float64) / 100,
        X=table[[f.name for f in MODEL_FEATURES]].to_numpy(dtype=np.float64, na_value=np.nan),
        own={name: table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in OWN},
        seen=table["seen"].to_numpy(dtype=np.float64),
        known_at=table["seen_at"].to_numpy(dtype=np.int64),
        label=label,
        checked=table["known_at"].notna().to_numpy(),
        abusive=table["abusive"].to_numpy(dtype=np.bool_),
        new=(table["abusive"] & (table["true_kind"] == settings.break_kind)).to_numpy(dtype=np.bool_),
        before=Checks.of(table["known_at"][random], label[random], table["propensity"][random]),
        start=start,
        broke=broke,
        end=first + days * DAY,
    )


def _seen(customers: int, days: int, seed: int, settings: SimulationSettings) -> pd.DataFrame:
    """What a check of each return would say, and when: the simulator's own odds, drawn apart from its own checks."""
    story = tell(customers, days, seed, LAST_DAY, settings)
    rng = np.random.default_rng([seed, 1])
    finding, at, recorded = looked_at(rng, story.history, story.requests)
    ids = story.opaque.ids("r", np.arange(len(story.requests)))
    return pd.DataFrame(
        {"return_id": ids.to_pandas(), "seen": _LABELS[finding], "seen_at": np.maximum(at, recorded) * _SECOND}
    )

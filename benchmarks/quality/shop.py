"""A simulated shop with its truth: the history up to a day for training, the returns after it for judging."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.repo import feature_store
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from pipelines.ingest.run import ingest
from pipelines.simulate.run import simulate
from pipelines.simulate.settings import SimulationSettings
from training.dataset import microseconds
from training.table import read_history

#: Share of the days that the history for training covers; the rest is judged.
_TRAIN_DAYS = 0.75


@dataclass(frozen=True)
class Shop:
    """All returns of a shop in order of time.

    `table` has their keys, all declared values and all model features as of each request (through Feast), the label as
    known at `until` (`label`, `known_at`, `propensity`; NaN where there was none), and the truth (`abusive`, `act`, and
    traits of the customer). `until` is the moment in microseconds at which training ends and judging begins.
    """

    settings: Settings
    until: int
    table: pd.DataFrame

    @property
    def later(self) -> npt.NDArray[np.bool_]:
        """Which returns are judged. (n,)."""
        return self.table["requested_at"].to_numpy() > self.until

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Which returns had a label at `until`. (n,)."""
        return self.table["label"].notna().to_numpy() & ~self.later

    def features(self) -> npt.NDArray[np.float64]:
        """Inputs of the model. (n, k)."""
        return self.table[[f.name for f in MODEL_FEATURES]].to_numpy(dtype=np.float64, na_value=np.nan)


def open_shop(
    home: Path, *, customers: int, days: int, seed: int, settings: SimulationSettings, checked_until: int | None = None
) -> Shop:
    """Simulates and ingests a shop in `home` (unless it is there), and reads it through Feast.

    With `checked_until` (microseconds) training ends there, and what came of later checks is not in the shop's tables.
    """
    ours = Settings(home=home)
    data = home / "data"
    if not (home / "ready").exists():
        simulate(data, customers=customers, days=days, seed=seed, format="parquet", settings=settings)
        if checked_until is not None:
            _forget_checks(data, checked_until)
        ingest(data, settings=ours, format="tables")
        (home / "ready").touch()
    everything = read_history(ours, None)
    moments = microseconds(everything.returns["event_timestamp"])
    until = checked_until or int(moments.min() + _TRAIN_DAYS * (moments.max() - moments.min()))
    labels = read_history(ours, until).labels
    store = feature_store(ours)
    frame = store.get_historical_features(
        entity_df=everything.returns, features=store.get_feature_service(SERVICE)
    ).to_df()
    truth = pd.read_parquet(data / "truth" / "returns_truth.parquet").rename(columns={"kind": "true_kind"})
    traits = pd.read_parquet(data / "truth" / "customers_truth.parquet")
    traits = traits[["customer_id", "size_range", "household_size", "brackets", "serial", "group"]]
    table = (
        frame.merge(truth, on="return_id", how="left", validate="1:1")
        .merge(labels, on="return_id", how="left", validate="1:1")
        .merge(traits, on="customer_id", how="left", validate="m:1")
        .sort_values(["event_timestamp", "return_id"], ignore_index=True)
    )
    return Shop(ours, until, table)


def _forget_checks(data: Path, until: int) -> None:
    """Leave out of the tables the inspections and verdicts that were known only after a moment (microseconds)."""
    for name, moment in (("inspections", "inspected_at"), ("verdicts", "decided_at")):
        path = data / f"{name}.parquet"
        rows = pq.read_table(path)
        known = pc.coalesce(rows["recorded_at"], rows[moment])
        pq.write_table(rows.filter(pc.less_equal(known, pa.scalar(until, known.type))), path)

"""One simulated shop, told once, for all tests that only look at it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import pyarrow as pa
import pytest

from pipelines.simulate.run import LAST_DAY, tell
from pipelines.simulate.settings import SimulationSettings
from pipelines.simulate.tables import Story, outputs


@dataclass(frozen=True)
class Shop:
    """A story with its tables as frames, by name."""

    story: Story
    tables: dict[str, pd.DataFrame]
    end: pd.Timestamp

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def requests(self) -> pd.DataFrame:
        """One row per return request: its first line, its order, its truth. Made once; do not change it."""
        return self._requests

    @cached_property
    def _requests(self) -> pd.DataFrame:
        first = self["returns"].drop_duplicates("return_id")
        truth = self["truth/returns_truth"].rename(columns={"kind": "abuse"})
        orders = self["orders"].rename(columns={"channel": "order_channel"})
        return first.merge(truth, on="return_id").merge(orders, on="order_id")


def tell_shop(
    customers: int, days: int, seed: int, end: dt.date = LAST_DAY, settings: SimulationSettings | None = None
) -> Shop:
    story = tell(customers, days, seed, end, settings or SimulationSettings())
    tables = {
        table.name: pa.table(table.columns(0, table.rows)).to_pandas() for table in outputs(story, text_times=False)
    }
    return Shop(story, tables, pd.Timestamp(end, tz="UTC") + pd.Timedelta(days=1))


@pytest.fixture(scope="session")
def shop() -> Shop:
    return tell_shop(9_000, 730, seed=5)

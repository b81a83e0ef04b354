"""`returnwise features build`: bring everything that is derived from the ledger up to date.

Pools the days that are over, registers the feature repository in Feast, and writes the point-in-time table: one row
for every return ever asked for, with its whole vector as of its own moment. Training reads the same values through
`get_historical_features`; the table is for those who would rather open a Parquet file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress
from sqlalchemy import Connection

from features.clock import day_of
from features.declarations import ENTITIES
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.measures import Entity
from features.offline import Frames
from features.population import close_days
from features.repo import feature_store
from features.request import FIELD_NAMES, KEYS, assessed_returns
from features.service import SERVICE, VECTOR
from features.settings import Settings

TABLE: Final = "point_in_time.parquet"


def _summed(entity: Entity) -> list[str]:
    return [measure.name for measure in entity.measures] + [distinct.name for distinct in entity.distincts]


#: Whole numbers are stored as such; they compress to a few bytes a row.
_WHOLE: Final = frozenset(
    {f"{e.name}_{summed}_{w}" for e in ENTITIES for summed in _summed(e) for w in e.windows} | {*FIELD_NAMES}
)


@dataclass(frozen=True)
class BuildReport:
    """What was built."""

    table: Path
    returns: int
    features: int
    days_pooled: int
    size: int

    def lines(self) -> list[str]:
        """The report for people."""
        per_row = f", {self.size / self.returns:,.0f} bytes a row" if self.returns else ""
        return [
            f"pooled {self.days_pooled:,} days",
            f"registered feature service {SERVICE}",
            f"wrote {self.returns:,} returns x {self.features} values to {self.table}{per_row}",
        ]


def build(settings: Settings, progress: Progress | None = None) -> BuildReport:
    """Builds it all. Safe to interrupt and to run again: the table appears when it is complete."""
    ledger = Ledger.open(settings)
    folder = settings.home / "features"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / TABLE
    try:
        with ledger.write() as conn:
            (latest,) = rows(conn, "SELECT MAX(requested_at) FROM returns")[0]
            pooled = 0 if latest is None else close_days(conn, day_of(latest))
        feature_store(settings)
        count = _write(ledger, target, progress)
    finally:
        ledger.close()
    return BuildReport(target, count, len(VECTOR), pooled, target.stat().st_size)


def drop_table(settings: Settings) -> bool:
    """Removes the point-in-time table, which names customers as they were called when it was built; gives whether there
    was one. `build` makes it again."""
    target = settings.home / "features" / TABLE
    there = target.exists()
    target.unlink(missing_ok=True)
    return there


@contextmanager
def _whole(ledger: Ledger) -> Iterator[Connection]:
    """A connection for reading everything once: pages that are not kept mapped do not count as memory."""
    with ledger.read() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA mmap_size = 0")
        yield conn


def _write(ledger: Ledger, target: Path, progress: Progress | None) -> int:
    """Writes the table in chunks of customers; rows of a chunk are ordered by moment."""
    part = target.with_suffix(".part")
    schema = pa.schema(
        [("return_id", pa.string()), *((key, pa.string()) for key in KEYS)]
        + [("event_timestamp", pa.timestamp("us", tz="UTC"))]
        + [(name, pa.int64() if name in _WHOLE else pa.float64()) for name in VECTOR]
    )
    with _whole(ledger) as conn, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        frame = assessed_returns(conn)
        task = progress.add_task("Features", total=len(frame)) if progress else None
        for numbers, vectors in Frames(conn).vectors(frame) if len(frame) else ():
            order = np.argsort(numbers, kind="stable")
            head = frame.iloc[numbers[order]]
            arrays = [pa.array(head[name], type=pa.string(), from_pandas=True) for name in ("return_id", *KEYS)]
            arrays.append(pa.array(head["event_timestamp"], type=pa.timestamp("us", tz="UTC")))
            for column, name in zip(vectors[order].T, VECTOR, strict=True):
                whole = name in _WHOLE
                arrays.append(
                    pa.array(column.astype(np.int64))
                    if whole
                    else pa.array(column, from_pandas=True, type=pa.float64())
                )
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=50_000)
            if progress and task is not None:
                progress.advance(task, len(numbers))
    part.replace(target)
    return len(frame)

"""Writing tables as CSV or Parquet, some rows at a time; a file takes its name only when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines.simulate.settings import SimulationError
from pipelines.simulate.tables import NAMES, Output

Format = Literal["csv", "parquet"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "parquet")
ROWS_AT_A_TIME: Final = 200_000


def check_folder(out: Path, kind: Format) -> None:
    """Refuses a folder that holds the same tables in another format: they would be read together."""
    for other in FORMATS:
        for name in NAMES:
            if other != kind and (out / f"{name}.{other}").exists():
                raise SimulationError(f"{out} holds {name}.{other} already; remove it or choose another folder")


def write_table(out: Path, output: Output, kind: Format, advance: Callable[[int], None]) -> Path:
    """Writes one table; `advance` is told how many rows are done."""
    path = out / f"{output.name}.{kind}"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    first = pa.table(output.columns(0, min(ROWS_AT_A_TIME, output.rows)))
    try:
        with _writer(unfinished, first.schema, kind) as writer:
            writer.write_table(first)
            advance(first.num_rows)
            for low in range(ROWS_AT_A_TIME, output.rows, ROWS_AT_A_TIME):
                rows = pa.table(output.columns(low, min(low + ROWS_AT_A_TIME, output.rows)), schema=first.schema)
                writer.write_table(rows)
                advance(rows.num_rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _writer(path: Path, schema: pa.Schema, kind: Format) -> pa.csv.CSVWriter | pa.parquet.ParquetWriter:
    if kind == "csv":
        # No value holds a comma, a quote or a line end.
        return pa.csv.CSVWriter(path, schema, write_options=pa.csv.WriteOptions(quoting_style="none"))
    return pa.parquet.ParquetWriter(path, schema, compression="zstd")

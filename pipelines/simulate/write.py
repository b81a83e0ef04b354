"""Writing tables as CSV or Parquet, some rows at a time; no file takes its name before all of them are whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
_TRUTH: Final = Path("truth/returns_truth")  # only a simulation writes it


def check_folder(out: Path, kind: Format) -> None:
    """Refuses a folder that holds the same tables in another format, or tables that no simulation wrote.

    The first would be read together, the others lost. Tables of an earlier simulation are replaced.
    """
    is_simulated = (out / f"{_TRUTH}.{kind}").exists()
    for name in NAMES:
        for present in FORMATS:
            if (present != kind or not is_simulated) and (out / f"{name}.{present}").exists():
                raise SimulationError(f"{out} holds {name}.{present} already; remove it or choose another folder")


def write_tables(out: Path, tables: Sequence[Output], kind: Format, advance: Callable[[int], None]) -> None:
    """Writes the tables; `advance` is told how many rows are done.

    Interrupted, it leaves what was there before: tables of two simulations in one folder would contradict each other.
    """
    paths = [out / f"{table.name}.{kind}" for table in tables]
    unfinished = [path.with_name(path.name + ".part") for path in paths]
    try:
        for table, part in zip(tables, unfinished, strict=True):
            _write(part, table, kind, advance)
        # the truth first: by it, a folder is known to be a simulation's even if this is cut short
        for path, part in sorted(zip(paths, unfinished, strict=True), key=lambda pair: pair[0].stem != _TRUTH.name):
            part.replace(path)
    finally:
        for part in unfinished:
            part.unlink(missing_ok=True)


def _write(path: Path, output: Output, kind: Format, advance: Callable[[int], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    first = pa.table(output.columns(0, min(ROWS_AT_A_TIME, output.rows)))
    with _writer(path, first.schema, kind) as writer:
        writer.write_table(first)
        advance(first.num_rows)
        for low in range(ROWS_AT_A_TIME, output.rows, ROWS_AT_A_TIME):
            rows = pa.table(output.columns(low, min(low + ROWS_AT_A_TIME, output.rows)), schema=first.schema)
            writer.write_table(rows)
            advance(rows.num_rows)


def _writer(path: Path, schema: pa.Schema, kind: Format) -> pa.csv.CSVWriter | pa.parquet.ParquetWriter:
    if kind == "csv":
        # No value holds a comma, a quote or a line end.
        return pa.csv.CSVWriter(path, schema, write_options=pa.csv.WriteOptions(quoting_style="none"))
    return pa.parquet.ParquetWriter(path, schema, compression="zstd")

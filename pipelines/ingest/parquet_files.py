"""Parquet files: only the contract's columns are read, a batch at a time; a row's line is its number from 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.batches import BrokenRow, RawBatch, known_columns
from pipelines.ingest.contract import Table
from pipelines.ingest.errors import IngestError
from pipelines.ingest.normalise import unfit_type


def open_parquet(path: Path) -> pq.ParquetFile:
    """Opens a Parquet file.

    Raises:
        IngestError: it cannot be opened or is no Parquet file.
    """
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or "not a Parquet file, or damaged"
        raise IngestError(f"{path}: {reason}") from error


class ParquetSource:
    """One Parquet file of one table."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.table = table
        self._file = open_parquet(path)
        try:
            self.size = self._file.metadata.num_rows
            schema = self._file.schema_arrow
            self.names, self.unknown = known_columns(path, table, schema.names)
            for column in table.columns:
                if column.name in self.names:
                    unfit = unfit_type(column, schema.field(column.name).type)
                    if unfit:
                        raise IngestError(f"{path}: column {column.name} {unfit}")
        except IngestError:
            self.close()
            raise
        except (pa.ArrowException, ValueError) as error:
            self.close()
            raise IngestError(f"{path}: not a Parquet file, or damaged") from error

    def batches(self, rows: int) -> Iterator[RawBatch]:
        """The file's rows in batches of at most `rows`; may be read once."""
        done = 0
        try:
            for batch in self._file.iter_batches(batch_size=rows, columns=list(self.names)):
                lines: list[int] | range = range(done + 1, done + batch.num_rows + 1)
                done += batch.num_rows
                columns = {name: _plain(batch.column(name)) for name in self.names}
                broken = _badly_encoded(columns, done - batch.num_rows)
                if broken:
                    bad = {row.line for row in broken}
                    keep = [position for position, line in enumerate(lines) if line not in bad]
                    lines = [lines[position] for position in keep]
                    columns = {name: values.take(pa.array(keep, pa.int64())) for name, values in columns.items()}
                yield RawBatch(lines, columns, broken, done)
        except (pa.ArrowException, ValueError, OSError) as error:
            raise IngestError(f"{self.path}: damaged after row {done}, the last that can be read") from error

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _plain(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    other_text = pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type)
    return values.cast(pa.string()) if other_text else values


def _badly_encoded(columns: dict[str, pa.Array], before: int) -> list[BrokenRow]:
    """Parquet does not promise that its text is UTF-8: rows where it is not, the first such column of each."""
    broken: dict[int, BrokenRow] = {}
    for name, values in columns.items():
        if not pa.types.is_string(values.type):
            continue
        try:
            values.validate(full=True)
        except pa.ArrowInvalid:
            for position in range(len(values)):
                text = _text(values, position)
                if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
                    line = before + position + 1
                    fields = [_text(column, position) for column in columns.values()]
                    broken.setdefault(line, BrokenRow(line, "not valid UTF-8", fields, name))
    return list(broken.values())


def _text(values: pa.Array, position: int) -> str:
    """A value as text, whatever its bytes; empty if there is none."""
    value = values[position]
    if not value.is_valid:
        return ""
    if pa.types.is_string(values.type):
        return bytes(value.as_buffer()).decode("utf-8", "surrogateescape")
    try:
        return str(value.as_py())
    except (ValueError, OverflowError):  # a timestamp in a year that Python has no word for
        return str(value.value)

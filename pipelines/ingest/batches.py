"""What readers of every file form hand on: batches of rows as they were read, and files that give such batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pipelines.ingest.contract import Table
from pipelines.ingest.errors import IngestError


@dataclass(frozen=True)
class BrokenRow:
    """A row that could not be read as a row: wrong number of fields, bad quoting, bad encoding.

    `fields` stand in the order of the source's `names`, as far as they could be told apart.
    """

    line: int
    reason: str
    fields: list[str]
    column: str = ""


@dataclass(frozen=True)
class RawBatch:
    """Rows as read: `columns` holds one raw Arrow array per column of the contract that the file has."""

    lines: Sequence[int]  # of each row: its first line in a CSV file (the header is 1), its row number in Parquet
    columns: dict[str, pa.Array]
    broken: list[BrokenRow]
    done: int  # how much of the source's `size` has been read by now


class Source(Protocol):
    """One open file of one table."""

    path: Path
    table: Table
    names: tuple[str, ...]  # of the columns, in the order of the fields of rows that cannot be read
    unknown: tuple[str, ...]  # columns that the contract does not have
    size: int  # in bytes (CSV) or rows (Parquet), for the progress bar

    def batches(self, rows: int) -> Iterator[RawBatch]:
        """The file's rows in batches of at most `rows`; may be read once."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


def known_columns(path: Path, table: Table, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The file's columns parted into those of the contract and others, each named once.

    Raises:
        IngestError: a column of the contract is there twice, or a required one is missing.
    """
    twice = sorted({name for name in names if names.count(name) > 1 and table.column(name)})
    if twice:
        raise IngestError(f"{path}: column {shown(twice[0])} is there twice")
    missing = [name for name in table.required if name not in names]
    if missing:
        hint = "; the separator must be a comma" if len(names) == 1 and any(c in names[0] for c in ";\t|") else ""
        found = ", ".join(shown(name) for name in names[:20])
        raise IngestError(f"{path}: required column missing: {', '.join(missing)} (found: {found}){hint}")
    known = tuple(name for name in names if table.column(name))
    others = dict.fromkeys(name for name in names if not table.column(name))  # spreadsheets add several without name
    return known, tuple(shown(name) or "(without name)" for name in others)


def shown(text: str, limit: int = 60) -> str:
    """Text of a file as it may stand in a message: printable ASCII, not too long."""
    escaped = text.encode("unicode_escape").decode("ascii") if not (text.isascii() and text.isprintable()) else text
    return escaped if len(escaped) <= limit else escaped[: limit - 3] + "..."

"""From a batch as read to rows that the ledger takes, and the rows that break the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.ingest import normalise
from pipelines.ingest.batches import BrokenRow, RawBatch
from pipelines.ingest.contract import Table
from pipelines.ingest.rejects import Rejected
from pipelines.ingest.schemas import violations


class Fault(NamedTuple):
    """Why a row breaks the contract: its position in the batch as read, the first column at fault and the reason."""

    position: int
    column: str
    reason: str


@dataclass(frozen=True)
class CheckedBatch:
    """The rows of a batch that keep the contract, normalised, with where they came from, and the faults of the others.

    Rows that could not even be read as rows stand in `raw.broken`.
    """

    file: str
    rows: list[dict[str, object]]
    positions: Sequence[int]  # of each row in the batch as read
    raw: RawBatch
    faults: list[Fault]

    @property
    def rejected(self) -> list[Rejected]:
        """The rejects lines of all rows that cannot be read or break the contract, in the order of the file."""
        found = [reject_broken(self.file, row) for row in self.raw.broken]
        found += [reject_row(self.file, self.raw, *fault) for fault in self.faults]
        return sorted(found, key=lambda reject: reject.line)

    def reject(self, index: int, column: str, reason: str) -> Rejected:
        """The rejects line of the row at `index` of `rows`."""
        return reject_row(self.file, self.raw, self.positions[index], column, reason)


def check(table: Table, file: str, raw: RawBatch) -> CheckedBatch:
    """Normalises a batch, checks it with the table's pandera schema and parts it into good and refused rows."""
    columns = [column for column in table.columns if column.name in raw.columns]
    values: dict[str, pa.Array] = {}
    problems: dict[tuple[int, str], str] = {}
    for column in columns:
        normalised = normalise.column(column, raw.columns[column.name])
        values[column.name] = normalised.values
        for position, reason in normalised.problems.items():
            problems[position, column.name] = reason
    frame = pd.DataFrame(
        {name: pd.Series(pd.arrays.ArrowExtensionArray(array)) for name, array in values.items()}, copy=False
    )
    for place, reason in violations(table, frame).items():
        problems.setdefault(place, reason)

    faults: list[Fault] = []
    positions: Sequence[int] = range(len(raw.lines))
    if problems:
        order = {column.name: at for at, column in enumerate(columns)}
        first: dict[int, str] = {}
        for position, name in sorted(problems, key=lambda place: (place[0], order[place[1]])):
            first.setdefault(position, name)
        faults = [Fault(position, name, problems[position, name]) for position, name in first.items()]
        keep = np.ones(len(raw.lines), dtype=bool)
        keep[list(first)] = False
        positions = np.flatnonzero(keep).tolist()
        values = {name: array.filter(pa.array(keep)) for name, array in values.items()}

    names = [column.ledger_name for column in columns]
    lists = [normalise.ledger_values(column, values[column.name]) for column in columns]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]
    return CheckedBatch(file, rows, positions, raw, faults)


def reject_broken(file: str, row: BrokenRow) -> Rejected:
    """The rejects line of a row that could not be read as a row."""
    return Rejected(file, row.line, row.column, row.reason, row.fields)


def reject_row(file: str, raw: RawBatch, position: int, column: str, reason: str) -> Rejected:
    """The rejects line of the row at `position` of the batch as read."""
    row: Mapping[str, object] = {name: _as_read(values[position]) for name, values in raw.columns.items()}
    return Rejected(file, raw.lines[position], column, reason, row)


def _as_read(value: pa.Scalar) -> object:
    try:
        return value.as_py()
    except (ValueError, OverflowError):  # a timestamp in a year that Python has no word for
        return value.value

"""From a batch as read to rows that the ledger takes, and the rows that break the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.ingest import normalise
from pipelines.ingest.batches import RawBatch
from pipelines.ingest.contract import Table
from pipelines.ingest.rejects import Rejected
from pipelines.ingest.schemas import violations


@dataclass(frozen=True)
class CheckedBatch:
    """The rows of a batch that keep the contract, normalised, with where they came from."""

    file: str
    rows: list[dict[str, object]]
    positions: Sequence[int]  # of each row in the batch as read
    raw: RawBatch
    rejected: list[Rejected]

    def reject(self, index: int, column: str, reason: str) -> Rejected:
        """The rejects line of the row at `index` of `rows`."""
        return _rejected(self.file, self.raw, self.positions[index], column, reason)


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

    rejected = [Rejected(file, row.line, row.column, row.reason, row.fields) for row in raw.broken]
    positions: Sequence[int] = range(len(raw.lines))
    if problems:
        order = {column.name: at for at, column in enumerate(columns)}
        first: dict[int, str] = {}
        for position, name in sorted(problems, key=lambda place: (place[0], order[place[1]])):
            first.setdefault(position, name)
        rejected += [_rejected(file, raw, position, name, problems[position, name]) for position, name in first.items()]
        keep = np.ones(len(raw.lines), dtype=bool)
        keep[list(first)] = False
        positions = np.flatnonzero(keep).tolist()
        values = {name: array.filter(pa.array(keep)) for name, array in values.items()}
    rejected.sort(key=lambda reject: reject.line)

    names = [column.ledger_name for column in columns]
    lists = [normalise.ledger_values(column, values[column.name]) for column in columns]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]
    return CheckedBatch(file, rows, positions, raw, rejected)


def _rejected(file: str, raw: RawBatch, position: int, column: str, reason: str) -> Rejected:
    row: Mapping[str, object] = {name: _as_read(values[position]) for name, values in raw.columns.items()}
    return Rejected(file, raw.lines[position], column, reason, row)


def _as_read(value: pa.Scalar) -> object:
    try:
        return value.as_py()
    except (ValueError, OverflowError):  # a timestamp in a year that Python has no word for
        return value.value

"""From a file of returns to the returns that can be assessed, and the rows that are refused.

A return is assessed whole, from all its rows: if one is refused, all are.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from rich.progress import Progress

from features.request import Stated
from pipelines.ingest import normalise
from pipelines.ingest.batches import BrokenRow, RawBatch, Source
from pipelines.ingest.checking import CheckedBatch, check
from pipelines.ingest.contract import RETURNS
from pipelines.ingest.csv_files import CsvSource
from pipelines.ingest.parquet_files import ParquetSource
from pipelines.ingest.progress import advancing
from pipelines.score.errors import ScoreError
from pipelines.score.refusals import Refusals

_READ_ROWS: Final = 50_000


class Row(NamedTuple):
    """A row that keeps the contract: where it stands in the file as read, and what it says."""

    raw: RawBatch
    position: int
    order_id: str
    line_id: str
    requested_at: int
    quantity: int
    reason: str
    kind: str
    resolution: str | None
    channel: str | None
    tender: str | None
    proof_of_purchase: bool | None

    @property
    def line(self) -> int:
        """Its line in the file."""
        return self.raw.lines[self.position]

    @property
    def stated(self) -> Stated:
        """What it says of the return as a whole."""
        return Stated(
            self.requested_at,
            self.reason,
            self.kind,
            self.resolution,
            self.tender,
            self.channel,
            self.proof_of_purchase,
        )

    def says_the_same(self, other: Row) -> bool:
        """Whether both say the same, wherever they stand: the second is then a repetition, for ingest too."""
        return self[2:] == other[2:]


class Returns:
    """The returns of a file by return_id, in the order in which they first appear, and the refused rows."""

    def __init__(self, file: str) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.refusals = Refusals(file)
        self._at_fault: dict[str, int] = {}  # return_id: first line that was refused for itself
        self._perhaps: dict[str, int] = {}  # the same, where only the place says that it is a return_id

    @property
    def not_assessed(self) -> int:
        """Returns with a refused row."""
        return len(self._at_fault)

    def refuse(self, return_id: str, row: Row, column: str, reason: str) -> None:
        """Refuses a row for itself."""
        self.refusals.add(row.raw, row.position, column, reason)
        self._note(self._at_fault, return_id, row.line)

    def drop_refused(self) -> None:
        """Refuses the other rows of returns with a refused one, and takes these returns out of `rows`."""
        for return_id, line in self._perhaps.items():
            if return_id in self.rows:
                self._note(self._at_fault, return_id, line)
        for return_id, line in self._at_fault.items():
            for row in self.rows.pop(return_id, ()):
                if row.line not in self.refusals:
                    self.refusals.add(row.raw, row.position, "", f"line {line} of the same return is refused")

    def add(self, batch: CheckedBatch, names: tuple[str, ...]) -> None:
        """Takes in a batch; `names` are the columns in the order of the fields of broken rows."""
        for position, values in zip(batch.positions, batch.rows, strict=True):
            self.rows.setdefault(str(values["return_id"]), []).append(_row(batch.raw, position, values))
        for broken in batch.raw.broken:
            self.refusals.add_broken(broken)
            # a fault in the quoting may have moved the fields, so what stands there counts only if other rows have it
            return_id = _field(broken, names.index("return_id"))
            if return_id:
                self._note(self._perhaps, return_id, broken.line)
        for fault in batch.faults:
            self.refusals.add(batch.raw, *fault)
        # return_id is the first column: where another one is at fault, this one is not
        readable = [fault.position for fault in batch.faults if fault.column != "return_id"]
        if readable:
            ids = normalise.text(batch.raw.columns["return_id"].take(pa.array(readable, pa.int64()))).values
            for position, return_id in zip(readable, ids.to_pylist(), strict=True):
                self._note(self._at_fault, return_id, batch.raw.lines[position])

    def _note(self, lines: dict[str, int], return_id: str, line: int) -> None:
        lines[return_id] = min(line, lines.get(return_id, line))


def open_returns(file: Path) -> Source:
    """Opens a file in the form of the `returns` table.

    Raises:
        ScoreError: its name has another ending.
        IngestError: it cannot be read, or its header breaks the contract.
    """
    return CsvSource(file, RETURNS) if ending(file) == ".csv" else ParquetSource(file, RETURNS)


def ending(path: Path) -> str:
    """`.csv` or `.parquet`.

    Raises:
        ScoreError: it is another one.
    """
    found = path.suffix.lower()
    if found not in (".csv", ".parquet"):
        raise ScoreError(f"{path}: the name must end in .csv or .parquet")
    return found


def read_returns(source: Source, latest: int, progress: Progress | None) -> Returns:
    """The returns of the file, and the rows that break the contract or contradict others of their return.

    `latest` is the last moment that is not the future. No return has been dropped yet: there may be more to say of it.

    Raises:
        IngestError: the file is damaged.
    """
    returns = Returns(source.path.name)
    with advancing(progress, "reading", source.size) as advance:
        for raw in source.batches(_READ_ROWS):
            returns.add(check(RETURNS, source.path.name, raw), source.names)
            advance(raw.done)
    for return_id, rows in returns.rows.items():
        seen: dict[str, Row] = {}
        for row in rows:
            if row.requested_at > latest:
                returns.refuse(return_id, row, "requested_at", "lies in the future")
            elif contradiction := _contradiction(row, rows[0], seen.setdefault(row.line_id, row)):
                returns.refuse(return_id, row, *contradiction)
    return returns


def _row(raw: RawBatch, position: int, values: Mapping[str, Any]) -> Row:
    get = values.get
    return Row(
        raw,
        position,
        values["order_id"],
        values["line_id"],
        values["requested_at"],
        values["quantity"],
        sys.intern(values["reason"]),
        sys.intern(get("kind") or "return"),
        _word(get("resolution")),
        _word(get("channel")),
        _word(get("tender")),
        get("proof_of_purchase"),
    )


def _word(value: str | None) -> str | None:
    return None if value is None else sys.intern(value)


def _field(row: BrokenRow, at: int) -> str | None:
    """What stands in the place of a column, if anything does."""
    fields = row.fields if len(row.fields) > 1 else "".join(row.fields).split(",")
    return unicodedata.normalize("NFC", fields[at].strip(' "')) if at < len(fields) else None


def _contradiction(row: Row, first: Row, same_line: Row) -> tuple[str, str] | None:
    """The column and the reason, if rows of one return cannot all be true."""
    for column, value, other in (
        ("order_id", row.order_id, first.order_id),
        ("requested_at", row.requested_at, first.requested_at),
    ):
        if value != other:
            return column, f"is not that of line {first.line}, which has the same return_id"
    if not row.says_the_same(same_line):
        return "line_id", f"is that of line {same_line.line}, which has the same return_id and other content"
    return None

"""The rows of a file that are refused, each once and with the first reason found."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from pipelines.ingest.batches import BrokenRow, RawBatch
from pipelines.ingest.checking import reject_broken, reject_row
from pipelines.ingest.rejects import Rejected

_AT_A_TIME: Final = 10_000


class _Refused(NamedTuple):
    """Where the row stands in the file as read. Its line for the rejects file is made when that is written: it is many
    times larger, and a file may be wrong throughout."""

    raw: RawBatch
    position: int
    column: str
    reason: str


class Refusals:
    """Refused rows of the file called `file`."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._by_line: dict[int, _Refused | BrokenRow] = {}

    def __len__(self) -> int:
        return len(self._by_line)

    def __contains__(self, line: int) -> bool:
        return line in self._by_line

    def add(self, raw: RawBatch, position: int, column: str, reason: str) -> None:
        """Refuses the row at `position` of the batch as read, if it is not refused already."""
        self._by_line.setdefault(raw.lines[position], _Refused(raw, position, column, reason))

    def add_broken(self, row: BrokenRow) -> None:
        """Refuses what could not be read as a row."""
        self._by_line.setdefault(row.line, row)

    def batches(self) -> Iterator[list[Rejected]]:
        """The lines of the rejects file, in the order of the refused one."""
        lines = iter(sorted(self._by_line))
        while chunk := list(islice(lines, _AT_A_TIME)):
            yield [self._rejected(self._by_line[line]) for line in chunk]

    def _rejected(self, refused: _Refused | BrokenRow) -> Rejected:
        if isinstance(refused, BrokenRow):
            return reject_broken(self._file, refused)
        return reject_row(self._file, *refused)

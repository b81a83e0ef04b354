"""CSV files: exact line numbers, rows that cannot be read set aside, bounded memory whatever the file holds."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipelines.ingest.batches import BrokenRow, RawBatch, known_columns
from pipelines.ingest.contract import Table
from pipelines.ingest.errors import IngestError

LONGEST_LINE = 1 << 20  # characters
_NOT_UTF8 = "not valid UTF-8"


class CsvRows:
    """The records of an open text file with the number of their first line.

    A record that cannot be read, or has not `width` fields, is put into `broken`. If it went over several lines, a
    quotation mark is likely missing, and the lines are read one by one, so that the rows after it are not lost.
    """

    def __init__(self, file: io.TextIOBase) -> None:
        self.broken: list[BrokenRow] = []
        self._file = file
        self._pending: list[str] = []  # lines of the record that is being read
        self._overlong: set[int] = set()
        self._line = 0  # lines before those
        self._reader = csv.reader(self._lines(), strict=True)

    def header(self) -> list[str] | None:
        """The fields of the first line that is not empty, None if there is none.

        Raises:
            csv.Error: it cannot be read.
        """
        for fields in self._reader:
            self._take_line()
            if fields:
                return fields
        return None

    def read(self, width: int, limit: int) -> tuple[list[int], list[list[str]]]:
        """Up to `limit` more records of `width` fields, with their line numbers; fewer at the end of the file."""
        lines: list[int] = []
        records: list[list[str]] = []
        pending = self._pending
        while True:
            try:
                for fields in self._reader:
                    first = self._line + 1
                    self._line += len(pending)
                    if len(fields) == width:
                        pending.clear()
                        lines.append(first)
                        records.append(fields)
                    elif fields:
                        self._set_aside(first, _ragged(fields, width), fields, width, lines, records)
                    else:
                        pending.clear()
                    if len(records) + len(self.broken) >= limit:
                        return lines, records
                return lines, records
            except csv.Error as error:
                first = self._line + 1
                self._line += len(pending)
                self._set_aside(first, f"cannot be read as CSV: {error}", [], width, lines, records)

    def take_broken(self) -> list[BrokenRow]:
        """The records set aside since the last call."""
        broken, self.broken = self.broken, []
        return broken

    def _lines(self) -> Iterator[str]:
        readline, pending = self._file.readline, self._pending
        while line := readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
                self._overlong.add(self._line + len(pending) + 1)
                line = line[:200].replace('"', "'").replace(",", " ") + "\n"
                while (more := readline(LONGEST_LINE)) and not more.endswith(("\n", "\r")):
                    pass
            pending.append(line)
            yield line

    def _take_line(self) -> None:
        self._line += len(self._pending)
        self._pending.clear()

    def _set_aside(
        self, first: int, reason: str, fields: list[str], width: int, lines: list[int], records: list[list[str]]
    ) -> None:
        pending = self._pending.copy()
        self._pending.clear()
        if len(pending) == 1:
            if first in self._overlong:
                reason = f"line longer than {LONGEST_LINE:,} characters"
            self.broken.append(BrokenRow(first, reason, fields or [pending[0].rstrip("\r\n")]))
            return
        for line, text in enumerate(pending, first):
            try:
                fields = next(csv.reader([text], strict=True), [])
            except csv.Error:
                self.broken.append(BrokenRow(line, "quotation mark without its pair", [text.rstrip("\r\n")]))
                continue
            if len(fields) == width:
                lines.append(line)
                records.append(fields)
            elif fields:
                self.broken.append(BrokenRow(line, _ragged(fields, width), fields))


def _ragged(fields: list[str], width: int) -> str:
    return f"has {len(fields)} fields, the header {width}"


def text_file(raw: io.RawIOBase, encoding: str = "utf-8-sig") -> io.TextIOWrapper:
    """The open file as text; what is not valid in the encoding becomes surrogates, to be refused row by row."""
    return io.TextIOWrapper(io.BufferedReader(raw, 1 << 18), encoding=encoding, errors="surrogateescape", newline="")


def open_bytes(path: Path) -> io.FileIO:
    """Opens a file that should hold text.

    Raises:
        IngestError: it cannot be opened, is empty, or holds no text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise IngestError(f"{path}: {error.strerror or error}") from error
    if not start.removeprefix(codecs.BOM_UTF8).strip():
        raise IngestError(f"{path}: the file is empty; a header line is needed even if there are no rows")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start[:4]:  # UTF-16 or -32
        raise IngestError(f"{path}: not a CSV file in UTF-8")
    return io.FileIO(path)


class CsvSource:
    """One CSV file of one table."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.table = table
        self._raw = open_bytes(path)
        self.size = path.stat().st_size
        self._text = text_file(self._raw)
        self._rows = CsvRows(self._text)
        try:
            names = [name.strip() for name in self._rows.header() or []]
            self._columns, self.unknown = known_columns(path, table, names)
        except csv.Error as error:
            self.close()
            raise IngestError(f"{path}: the header cannot be read: {error}") from error
        except IngestError:
            self.close()
            raise
        self.names = tuple(names)

    def batches(self, rows: int) -> Iterator[RawBatch]:
        """The file's rows in batches of at most `rows`; may be read once."""
        places = [self.names.index(name) for name in self._columns]
        while True:
            lines, records = self._rows.read(len(self.names), rows)
            broken = self._rows.take_broken()
            if not records and not broken:
                return
            columns = list(zip(*records, strict=True)) or [()] * len(self.names)
            try:
                arrays = {
                    name: pa.array(columns[at], pa.string()) for name, at in zip(self._columns, places, strict=True)
                }
            except UnicodeEncodeError:
                lines, records = self._without_bad_bytes(lines, records, places, broken)
                columns = list(zip(*records, strict=True)) or [()] * len(self.names)
                arrays = {
                    name: pa.array(columns[at], pa.string()) for name, at in zip(self._columns, places, strict=True)
                }
            yield RawBatch(lines, arrays, broken, self._raw.tell())

    def close(self) -> None:
        """Closes the file."""
        self._text.close()

    def _without_bad_bytes(
        self, lines: list[int], records: list[list[str]], places: list[int], broken: list[BrokenRow]
    ) -> tuple[list[int], list[list[str]]]:
        kept: list[int] = []
        for position, record in enumerate(records):
            for name, place in zip(self._columns, places, strict=True):
                if not _encodable(record[place]):
                    broken.append(BrokenRow(lines[position], _NOT_UTF8, record, name))
                    break
            else:
                kept.append(position)
        return [lines[position] for position in kept], [records[position] for position in kept]


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

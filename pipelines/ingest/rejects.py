"""The rejects file: one line for every row that was refused, with its place, the reason and the row itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from features.settings import Settings
from pipelines.ingest.errors import IngestError

HEADER = ("file", "line", "column", "reason", "row")
_LONGEST_VALUE = 200  # characters of a refused value that are kept


@dataclass(frozen=True)
class Rejected:
    """A refused row: `line` as in the file, `column` empty if the row as a whole is at fault."""

    file: str
    line: int
    column: str
    reason: str
    row: Mapping[str, object] | Sequence[object]


class RejectsFile:
    """Writes refused rows as they come; the file appears with the first of them.

    An older rejects file of that name is replaced. Raises IngestError if the name belongs to any other file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: TextIO | None = None
        check_name(path)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from error

    def write(self, rejected: Sequence[Rejected]) -> None:
        """Appends the rows and hands them to the operating system.

        Raises:
            IngestError: the file cannot be written.
        """
        if not rejected:
            return
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8", newline="")
                csv.writer(self._file).writerow(HEADER)
            csv.writer(self._file).writerows((r.file, r.line, r.column, r.reason, _as_json(r.row)) for r in rejected)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self.count += len(rejected)

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self._file is not None:
            self._file.close()


def check_name(path: Path) -> None:
    """Whether a rejects file may have that name.

    Raises:
        IngestError: any other file has it, or it cannot be looked at.
    """
    try:
        if not path.exists():
            return
        with path.open(encoding="utf-8", errors="replace") as file:
            if file.readline(1_000).rstrip("\n") != ",".join(HEADER):
                raise IngestError(f"{path}: is there already and is no rejects file; it is left as it is")
    except OSError as error:
        raise _unwritable(path, error) from error


def default_path(settings: Settings) -> Path:
    """A file in the home's `rejects` folder that is not there yet, named after the time."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = settings.home / "rejects"
    path = folder / f"{stamp}.csv"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{stamp}-{number}.csv"
    return path


def _unwritable(path: Path, error: OSError) -> IngestError:
    return IngestError(f"{path}: the rejects file cannot be written: {error.strerror or error}")


def _as_json(row: Mapping[str, object] | Sequence[object]) -> str:
    if isinstance(row, Mapping):
        return json.dumps({name: _shortened(value) for name, value in row.items()}, default=str)
    return json.dumps([_shortened(value) for value in row], default=str)


def _shortened(value: object) -> object:
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return f"{value[:_LONGEST_VALUE]}... ({len(value):,} characters)"
    return value

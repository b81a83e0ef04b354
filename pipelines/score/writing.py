"""The file that `returnwise score` writes: whether it can be, and its rows."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.score.errors import ScoreError
from pipelines.score.reading import ending

COLUMNS: Final = ("return_id", "risk", "risk_band", "action", "reasons", "model_version")


class Result(NamedTuple):
    """One assessed return, in the order of `COLUMNS`."""

    return_id: str
    risk: float
    risk_band: str
    action: str
    reasons: str
    model_version: str


def check_out(out: Path, file: Path) -> None:
    """Before hours of work: whether `out` is a file that can be written and is not the one to read.

    Raises:
        ScoreError: it is not.
    """
    ending(out)
    if same_file(out, file):
        raise ScoreError(f"{out}: is the file to read; name another one to write")
    check_writable(out)


def check_writable(path: Path) -> None:
    """Whether a file can be written there.

    Raises:
        ScoreError: it cannot.
    """
    folder = next(above for above in path.absolute().parents if above.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        cause = "is a folder" if path.is_dir() else f"{folder} is no folder that can be written to"
        raise ScoreError(f"{path}: cannot be written: {cause}")


def same_file(one: Path, other: Path) -> bool:
    """Whether both names stand for one file, which need not be there."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def write_results(out: Path, results: Sequence[Result]) -> None:
    """Writes the rows; `out` appears when it is complete.

    Raises:
        ScoreError: it cannot be written.
    """
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            if ending(out) == ".csv":
                with draft.open("w", encoding="utf-8", newline="") as stream:
                    csv.writer(stream).writerows([COLUMNS, *results])
            else:
                columns = list(zip(*results, strict=True)) or [()] * len(COLUMNS)
                types = [pa.string(), pa.float64(), *[pa.string()] * 4]
                arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
                pq.write_table(pa.table(dict(zip(COLUMNS, arrays, strict=True))), draft)
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ScoreError(f"{out}: cannot be written: {error.strerror or error}") from error

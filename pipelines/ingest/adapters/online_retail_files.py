"""Reads the UCI Online Retail sets in the forms they are passed around in: Parquet, CSV and Excel, in both spellings.

The lines of a credit may lie months after those of its purchase, so the whole set is held in memory: about 100 MB for
a million lines.
"""

from __future__ import annotations

import codecs
import csv
import itertools
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.utils.exceptions import InvalidFileException
from rich.progress import Progress

from pipelines.ingest.batches import BrokenRow
from pipelines.ingest.csv_files import CsvRows, open_bytes, text_file
from pipelines.ingest.errors import IngestError
from pipelines.ingest.parquet_files import open_parquet
from pipelines.ingest.progress import advancing

#: Our names of the columns, by every spelling of theirs without blanks, in small letters.
SPELLINGS = {
    "invoiceno": "invoice",
    "invoice": "invoice",
    "stockcode": "item",
    "description": "description",
    "quantity": "quantity",
    "invoicedate": "moment",
    "unitprice": "price",
    "price": "price",
    "customerid": "customer",
    "country": "country",
}
COLUMNS = ("invoice", "item", "description", "quantity", "moment", "price", "customer", "country")
#: Columns with the text of a value that cannot be read, for the rejects file.
UNREAD = {name: f"{name}_as_read" for name in ("quantity", "moment", "price")}
_CHUNK = 50_000
_NOTHING = frozenset(("", "nan", "null", "none", "na", "n/a", "<na>"))
_FORMATS = {
    "iso": r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d([.]\d+)?)?$",
    "local": r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4}) +(\d{1,2}):(\d\d)(?::(\d\d))?$",
}
ZONE = "Europe/London"


@dataclass(frozen=True)
class Lines:
    """Every line of the input, as it stands there.

    `frame` has a row per line with COLUMNS (text as categories, `moment` in UTC, NaT or NaN where it cannot be read),
    UNREAD (the text of a value that cannot be read), `file` and `line`; `broken` are lines that are none, by file.
    """

    frame: pd.DataFrame
    broken: list[tuple[str, BrokenRow]]


def find(path: Path) -> Path:
    """The file itself, or the one file in the folder `path` that has the columns of the set.

    Raises:
        IngestError: there is none, or more than one.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise IngestError(f"{path}: no such file or folder")
    found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in _READERS and _is_online_retail(file)]
    if not found:
        raise IngestError(f"{path}: no Parquet, CSV or Excel file with the columns of UCI Online Retail")
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise IngestError(f"{path}: several files of UCI Online Retail ({names}); name the one to ingest")
    return found[0]


def read(file: Path, progress: Progress | None) -> Lines:
    """Reads all lines of one file.

    Raises:
        IngestError: it cannot be read, or has not the columns of the set.
    """
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise IngestError(f"{file}: UCI Online Retail is read from {', '.join(_READERS)} files")
    chunks: list[pa.Table] = []
    broken: list[tuple[str, BrokenRow]] = []
    try:
        for chunk in reader(file, progress):
            broken += [(chunk.file, row) for row in chunk.broken]
            chunks.append(_typed(chunk))
    except (pa.ArrowException, ValueError) as error:
        raise IngestError(f"{file}: damaged: {error}") from error
    if not chunks:
        raise IngestError(f"{file}: no lines")
    table = pa.concat_tables(chunks).unify_dictionaries()
    frame = table.to_pandas()
    written = frame.pop("written")
    frame["moment"] = _moments(frame.pop("when"), written)
    frame[UNREAD["moment"]] = written.where(frame["moment"].isna()).astype("category")
    return Lines(frame, broken)


@dataclass(frozen=True)
class _Chunk:
    """Some lines of one file or sheet: their numbers, and their columns by our names, in whatever types it has."""

    file: str
    lines: Sequence[int]
    columns: Mapping[str, Any]
    broken: Sequence[BrokenRow] = ()


def _parquet(file: Path, progress: Progress | None) -> Iterator[_Chunk]:
    source = open_parquet(file)
    try:
        places = _places(file, source.schema_arrow.names)
        with advancing(progress, f"reading {file.name}", source.metadata.num_rows) as advance:
            done = 0
            for batch in source.iter_batches(batch_size=_CHUNK):
                numbers = range(done + 1, done + batch.num_rows + 1)
                done += batch.num_rows
                yield _Chunk(file.name, numbers, {name: batch.column(at) for name, at in places.items()})
                advance(done)
    finally:
        source.close()


def _csv(file: Path, progress: Progress | None) -> Iterator[_Chunk]:
    raw = open_bytes(file)
    encoding = "utf-8-sig" if _is_utf8(raw) else "iso-8859-1"
    with (
        text_file(raw, encoding) as text,
        advancing(progress, f"reading {file.name}", file.stat().st_size) as advance,
    ):
        rows = CsvRows(text)
        try:
            header = rows.header() or []
        except csv.Error as error:
            raise IngestError(f"{file}: the header cannot be read: {error}") from error
        places = _places(file, header)
        while True:
            numbers, records = rows.read(len(header), _CHUNK)
            set_aside = rows.take_broken()
            if not records and not set_aside:
                return
            columns = list(zip(*records, strict=True)) or [()] * len(header)
            yield _Chunk(file.name, numbers, {name: columns[at] for name, at in places.items()}, set_aside)
            advance(raw.tell())


def _excel(file: Path, progress: Progress | None) -> Iterator[_Chunk]:
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise IngestError(f"{file}: not an Excel file, or damaged") from error
    try:
        fitting = 0
        for sheet in book.worksheets:
            length = sheet.max_row or 0
            sheet.reset_dimensions()  # some programs write wrong ones, and rows beyond them would not be read
            rows = sheet.iter_rows(values_only=True)
            header = [str(cell) if cell is not None else "" for cell in next(rows, ())]
            if not _fits(header):
                continue
            fitting += 1
            places = _places(file, header)
            name = f"{file.name}[{sheet.title}]"
            with advancing(progress, f"reading {name}", length) as advance:
                numbered = (
                    (number, row) for number, row in enumerate(rows, 2) if any(cell is not None for cell in row)
                )
                while chunk := list(itertools.islice(numbered, _CHUNK)):
                    columns = {
                        our: [row[at] if at < len(row) else None for _, row in chunk] for our, at in places.items()
                    }
                    yield _Chunk(name, [number for number, _ in chunk], columns)
                    advance(chunk[-1][0])
        if not fitting:
            raise IngestError(f"{file}: no sheet with the columns of UCI Online Retail")
    finally:
        book.close()


def _is_online_retail(file: Path) -> bool:
    """Whether the file's header has the columns of the set; a file that cannot be read has not."""
    try:
        match file.suffix.lower():
            case ".parquet":
                source = open_parquet(file)
                names = source.schema_arrow.names
                source.close()
                return _fits(names)
            case ".csv":
                raw = open_bytes(file)
                with text_file(raw, "iso-8859-1") as text:
                    return _fits([name.removeprefix("\u00ef\u00bb\u00bf") for name in CsvRows(text).header() or []])
            case _:
                book = openpyxl.load_workbook(file, read_only=True)
                try:
                    return any(
                        _fits([str(cell) for cell in next(sheet.iter_rows(values_only=True), ())])
                        for sheet in book.worksheets
                    )
                finally:
                    book.close()
    except (IngestError, csv.Error, zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
        return False


def _named(header: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for at, name in enumerate(header):
        ours = SPELLINGS.get("".join(name.split()).replace("_", "").lower())
        if ours:
            places.setdefault(ours, at)
    return places


def _fits(header: Sequence[str]) -> bool:
    return set(COLUMNS) - {"description"} <= set(_named(header))


def _places(file: Path, header: Sequence[str]) -> dict[str, int]:
    if not _fits(header):
        missing = sorted(set(COLUMNS) - {"description"} - set(_named(header)))
        raise IngestError(f"{file}: not UCI Online Retail: no column for {', '.join(missing)}")
    return _named(header)


def _is_utf8(raw: Any) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := raw.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        raw.seek(0)
    return True


def _typed(chunk: _Chunk) -> pa.Table:
    """A chunk in the same types whatever it was read from: text, float64, and times as moments or as written."""
    columns, length = chunk.columns, len(chunk.lines)
    empty = pa.nulls(length, pa.string())
    text = {
        name: _text(columns[name]) if name in columns else empty
        for name in ("invoice", "item", "description", "customer", "country")
    }
    text["invoice"] = pc.utf8_upper(text["invoice"])
    text["item"] = pc.utf8_upper(text["item"])
    text["customer"] = pc.replace_substring_regex(text["customer"], r"\.0+$", "")
    when, written = _times(columns["moment"])
    numbers = {name: _numbers(columns[name]) for name in ("quantity", "price")}
    return pa.table(
        {
            "file": pa.array([chunk.file] * length, pa.string()).dictionary_encode(),
            "line": pa.array(chunk.lines, pa.int64()),
            **{name: values.dictionary_encode() for name, values in text.items()},
            **numbers,
            **{UNREAD[name]: _unread(columns[name], read).dictionary_encode() for name, read in numbers.items()},
            "when": when,
            "written": written,
        }
    )


def _text(values: Any) -> pa.Array:
    """Text without blanks around it; null where there is nothing. Whole numbers lose their `.0`."""
    if isinstance(values, pa.Array) and pa.types.is_floating(values.type):
        values = values.to_pylist()
    if not isinstance(values, pa.Array):
        values = pa.array([_as_text(value) for value in values], pa.string())
    text = pc.utf8_trim_whitespace(pc.cast(values, pa.string()))
    nothing = pc.is_in(pc.utf8_lower(text), pa.array(sorted(_NOTHING)))
    return pc.if_else(nothing, pa.scalar(None, pa.string()), text)


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return None if value != value else str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _numbers(values: Any) -> pa.Array:
    if isinstance(values, pa.Array) and not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return pc.cast(values, pa.float64(), safe=False)
    listed = values.to_pylist() if isinstance(values, pa.Array) else values
    return pa.array(
        pd.to_numeric(pd.Series(listed, dtype=object), errors="coerce").astype("float64"), from_pandas=False
    )


def _unread(values: Any, numbers: pa.Array) -> pa.Array:
    """The text of what is there and is no number."""
    if isinstance(values, pa.Array) and not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return pa.nulls(len(values), pa.string())
    return pc.if_else(pc.is_finite(pc.fill_null(numbers, np.nan)), pa.scalar(None, pa.string()), _text(values))


def _times(values: Any) -> tuple[pa.Array, pa.Array]:
    """Times where the form has them as such, text where it has not: how text is to be read shows in the whole file."""
    if isinstance(values, pa.Array):
        if pa.types.is_timestamp(values.type):
            if values.type.tz:
                values = pc.local_timestamp(pc.cast(values, pa.timestamp("us", ZONE), safe=False))
            return pc.cast(values, pa.timestamp("us"), safe=False), pa.nulls(len(values), pa.string())
        values = values.to_pylist()
    when = [value if isinstance(value, datetime) else None for value in values]
    written = [None if value is None or isinstance(value, datetime) else str(value).strip() for value in values]
    return pa.array(when, pa.timestamp("us")), pa.array(written, pa.string())


_READERS: dict[str, Callable[[Path, Progress | None], Iterator[_Chunk]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".xlsx": _excel,
}


def _moments(when: pd.Series, written: pd.Series) -> pd.Series:
    """UTC moments of UK local times, NaT where there is none.

    `12/1/2010` is read month first, as the published CSV has it, unless the file shows somewhere that days come first.
    """
    when = when.astype("datetime64[us]")
    if written.notna().any():
        text = written.astype("string")
        iso = text.str.match(_FORMATS["iso"], na=False)
        when[iso] = pd.to_datetime(text[iso], format="ISO8601", errors="coerce").astype("datetime64[us]")
        parts = text[~iso & text.notna()].str.extract(_FORMATS["local"]).astype("Float64")
        if len(parts.dropna(subset=[0])):
            days_first = bool((parts[0] > 12).any()) and not bool((parts[1] > 12).any())
            year = parts[2].where(parts[2] > 99, parts[2] + 2000)
            local = pd.DataFrame(
                {
                    "year": year,
                    "month": parts[1] if days_first else parts[0],
                    "day": parts[0] if days_first else parts[1],
                    "hour": parts[3],
                    "minute": parts[4],
                    "second": parts[5].fillna(0),
                }
            ).astype("float64")
            when[local.index] = pd.to_datetime(local, errors="coerce").astype("datetime64[us]")
    first_of_two = np.ones(len(when), dtype=bool)
    return when.dt.tz_localize(ZONE, ambiguous=first_of_two, nonexistent="shift_forward").dt.tz_convert("UTC")

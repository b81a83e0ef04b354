"""Turns columns as they were read into columns of the contract's types, whole batches at a time.

Every function takes a raw Arrow array of n values and gives n values back, null where the value is missing or could
not be read; what could not be read is also listed, with the reason, so that its row is rejected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.ledger.characters import FORBIDDEN_RE2
from pipelines.ingest.contract import Column, Kind

Problems = dict[int, str]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UTC_US = pa.timestamp("us", "UTC")
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}  # in a second
_LAST_SECOND = 253_402_300_799  # of the year 9999
_DATE_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d(:\d\d(:\d\d([.]\d+)?)?)?"
_ZONED = re.compile(_DATE_TIME + r"(Z|[+-]\d\d(:?\d\d)?)", re.ASCII)
_UNZONED = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d([.]\d+)?)?)?)?", re.ASCII)
_NUMBER = r"^[+-]?(\d+[.]?\d*|[.]\d+)([eE][+-]?\d+)?$"
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


@dataclass
class Normalised:
    """One normalised column: `values` has as many rows as the raw column, `problems` gives reasons by row position."""

    values: pa.Array
    problems: Problems = field(default_factory=dict)


def text(raw: pa.Array) -> Normalised:
    """Text in NFC without blanks around it; empty means missing; invisible and control characters are refused."""
    values = pc.cast(raw, pa.string()) if raw.type != pa.string() else raw
    problems: Problems = {}
    low, high = _byte_range(values)
    if high >= 0x7F:
        values = pa.array([_composed(value) for value in values.to_pylist()], pa.string())
    if low < 0x20 or high >= 0x7F:
        for position in _positions(pc.match_substring_regex(values, FORBIDDEN_RE2)):
            problems[position] = "control or invisible character"
    values = pc.utf8_trim_whitespace(values)
    empty = pc.equal(values, "")
    if pc.any(empty).as_py():
        values = pc.if_else(empty, pa.scalar(None, pa.string()), values)
    return Normalised(values, problems)


def _composed(value: str | None) -> str | None:
    # not Arrow's utf8_normalize, which decomposes whatever form it is asked for (seen in pyarrow 25)
    return unicodedata.normalize("NFC", value) if value else value


def time(raw: pa.Array) -> Normalised:
    """Times as int64 microseconds since 1970 UTC, from ISO 8601 text with a zone or from zoned Arrow timestamps."""
    if pa.types.is_timestamp(raw.type):
        return _timestamps(raw)
    values, problems = _trimmed(raw)
    try:
        return Normalised(pc.cast(pc.cast(values, _UTC_US), pa.int64()), problems)
    except pa.ArrowInvalid:
        pass
    moments: list[int | None] = []
    for position, value in enumerate(values.to_pylist()):
        moment = None if value is None else parse_time(value)
        if isinstance(moment, str):
            problems.setdefault(position, moment)
            moment = None
        moments.append(moment)
    return Normalised(pa.array(moments, pa.int64()), problems)


def _timestamps(raw: pa.Array) -> Normalised:
    """Arrow timestamps as microseconds. In seconds they reach so far that they would wrap around to another time."""
    furthest = min(_LAST_SECOND * _TICKS[raw.type.unit], 2**63 - 1)
    ticks = pc.cast(raw, pa.int64())
    far = pc.or_(pc.less(ticks, -furthest), pc.greater(ticks, furthest))
    problems = dict.fromkeys(_positions(far), "not a time up to the year 9999")
    kept = pc.if_else(far, pa.scalar(None, raw.type), raw) if problems else raw
    return Normalised(pc.cast(pc.cast(kept, _UTC_US, safe=False), pa.int64()), problems)


def parse_time(value: str) -> int | str:
    """Microseconds since 1970 UTC of one ISO 8601 time, or the reason why it is none. Digits past 1 us are cut off."""
    if not _ZONED.fullmatch(value):
        return "time without zone" if _UNZONED.fullmatch(value) else "not an ISO 8601 time"
    try:
        return (datetime.fromisoformat(value) - EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return "not an ISO 8601 time"


def number(raw: pa.Array) -> Normalised:
    """Numbers as float64, from plain decimals (`12`, `12.50`, `1e3`) or Arrow numbers; infinities pass on.

    NaN among Arrow numbers means missing, as frames of floats have no other word for it.
    """
    if not _is_string(raw.type):
        numbers = pc.cast(raw, pa.float64(), safe=False)
        return Normalised(pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers))
    values, problems = _trimmed(raw)
    try:
        return Normalised(pc.cast(values, pa.float64()), problems)
    except pa.ArrowInvalid:
        pass
    readable = pc.match_substring_regex(values, _NUMBER)
    for position in _positions(pc.invert(readable)):
        problems.setdefault(position, "not a number")
    values = pc.if_else(readable, values, pa.scalar(None, pa.string()))
    return Normalised(pc.cast(values, pa.float64()), problems)


def flag(raw: pa.Array) -> Normalised:
    """Booleans, from `true`/`false`, `yes`/`no`, `1`/`0` in any case, or Arrow booleans and integers."""
    if pa.types.is_boolean(raw.type):
        return Normalised(raw)
    values, problems = _trimmed(raw if _is_string(raw.type) else pc.cast(raw, pa.string()))
    flags: list[bool | None] = []
    for position, value in enumerate(values.to_pylist()):
        known = None if value is None else _FLAGS.get(value.lower())
        if value is not None and known is None:
            problems.setdefault(position, "neither true nor false")
        flags.append(known)
    return Normalised(pa.array(flags, pa.bool_()), problems)


_READERS: dict[Kind, Callable[[pa.Array], Normalised]] = {
    Kind.TIME: time,
    Kind.QUANTITY: number,
    Kind.MONEY: number,
    Kind.SHARE: number,
    Kind.FLAG: flag,
}


def column(declared: Column, raw: pa.Array) -> Normalised:
    """The column in the type that `schemas.schema` checks."""
    return _READERS.get(declared.kind, text)(raw)


def unfit_type(declared: Column, kind: pa.DataType) -> str | None:
    """Why a Parquet column of this type cannot hold the declared column, or None if it can."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_string(kind) or pa.types.is_null(kind):
        return None
    if declared.kind is Kind.TIME:
        if not pa.types.is_timestamp(kind):
            return f"holds {kind}; times are timestamps with a zone or ISO 8601 text"
        return None if kind.tz else "holds times without zone; give the timestamps a time zone, such as UTC"
    if declared.kind.is_number:
        fits = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        return None if fits else f"holds {kind}, not numbers"
    if declared.kind is Kind.FLAG:
        return None if pa.types.is_boolean(kind) or pa.types.is_integer(kind) else f"holds {kind}, not true or false"
    return None if pa.types.is_integer(kind) else f"holds {kind}, not text or whole numbers"


def ledger_values(declared: Column, values: pa.Array) -> list[Any]:
    """Checked values as the ledger takes them: integers for quantities, times and money (1/10,000), text as it is."""
    if declared.kind is Kind.MONEY:
        scaled = np.rint(pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False) * 10_000)
        return list(scaled.astype(np.int64).tolist())
    if declared.kind is Kind.QUANTITY:
        return list(values.to_numpy(zero_copy_only=False).astype(np.int64).tolist())
    if declared.kind.is_text or values.null_count == 0:
        return list(values.to_numpy(zero_copy_only=False).tolist())
    return list(values.to_pylist())


def _trimmed(raw: pa.Array) -> tuple[pa.Array, Problems]:
    normalised = text(raw)
    return normalised.values, normalised.problems


def _is_string(kind: pa.DataType) -> bool:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(is_text or pa.types.is_dictionary(kind))


def _positions(mask: pa.Array) -> list[int]:
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False)).tolist()


def _byte_range(values: pa.StringArray) -> tuple[int, int]:
    """Smallest and largest byte of all the text, (255, 0) if there is none: a cheap look before a search."""
    offsets, data = values.buffers()[1:]
    if data is None or len(values) == 0:
        return 255, 0
    bounds = np.frombuffer(offsets, dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    content = np.frombuffer(data, dtype=np.uint8)[bounds[0] : bounds[-1]]
    return (int(content.min()), int(content.max())) if len(content) else (255, 0)

"""Columns of text as Arrow arrays, put together byte by byte for all rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.calendar import DAY
from pipelines.simulate.chance import Ints

_BITS: Final = 40
_MASK: Final = np.uint64((1 << _BITS) - 1)
_HEX: Final = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype=np.uint8).reshape(256, 2)
_DIGITS: Final = np.frombuffer(b"".join(b"%02d" % number for number in range(100)), dtype=np.uint8).reshape(100, 2)


def _strings(rows: npt.NDArray[np.uint8], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Strings of one length from bytes (n, length)."""
    n, width = rows.shape
    offsets = np.arange(n + 1, dtype=np.int64) * width
    data = pa.py_buffer(np.ascontiguousarray(rows))
    if n and offsets[-1] < 2**31:
        made = pa.StringArray.from_buffers(n, pa.py_buffer(offsets.astype(np.int32)), data)
    else:
        made = pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), data).cast(pa.string())
    if missing is None or not missing.any():
        return made
    return pc.if_else(pa.array(~missing), made, pa.scalar(None, pa.string()))


@dataclass(frozen=True)
class Opaque:
    """Turns numbers into ids that tell nothing: a bijection on 40 bits, salted, another one for each prefix.

    >>> Opaque(salt=5).ids("o", np.array([0, 1, -1])).to_pylist()
    ['oda4f03fbfa', 'of884807991', None]
    """

    salt: int

    def ids(self, prefix: str, numbers: Ints, suffix: str = "") -> pa.Array:
        """Ids of the numbers (n,), null where a number is negative."""
        x = (numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15 & ((1 << _BITS) - 1) | 1)) & _MASK
        x = (x + np.uint64(self.salt + (crc32(prefix.encode()) << 7) & ((1 << _BITS) - 1))) & _MASK
        for multiplier in (0x5851F42D4D, 0xC4CEB9FE1B):
            x ^= x >> np.uint64(19)
            x = (x * np.uint64(multiplier)) & _MASK
        x ^= x >> np.uint64(21)
        parts = x.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :5]
        before, after = prefix.encode(), suffix.encode()
        rows = np.empty((len(numbers), len(before) + 10 + len(after)), dtype=np.uint8)
        rows[:, : len(before)] = np.frombuffer(before, dtype=np.uint8)
        rows[:, len(before) : len(before) + 10] = _HEX[parts].reshape(-1, 10)
        rows[:, len(before) + 10 :] = np.frombuffer(after, dtype=np.uint8)
        return _strings(rows, numbers < 0)


def iso_times(moments: Ints) -> pa.Array:
    """Moments in seconds as ISO 8601 text, null where 0. (n,).

    >>> iso_times(np.array([1_000_000_000, 0])).to_pylist()
    ['2001-09-09T01:46:40Z', None]
    """
    n = len(moments)
    rows = np.empty((n, 20), dtype=np.uint8)
    rows[:] = np.frombuffer(b"0000-00-00T00:00:00Z", dtype=np.uint8)
    if n:
        day, second = np.divmod(moments, DAY)
        first = int(day.min())
        span = np.arange(first, int(day.max()) + 1).astype("datetime64[D]") if day.max() - first < 200_000 else None
        names = np.datetime_as_string(day.astype("datetime64[D]") if span is None else span)
        letters = names.astype("S10").view(np.uint8).reshape(-1, 10)
        rows[:, :10] = letters if span is None else letters[day - first]
        for column, part in ((11, second // 3600), (14, second // 60 % 60), (17, second % 60)):
            rows[:, column : column + 2] = _DIGITS[part]
    return _strings(rows, moments == 0)


def chosen(codes: npt.NDArray[np.integer], names: Sequence[str]) -> pa.Array:
    """The words that codes (n,) stand for, null for -1."""
    missing = codes < 0
    indices = pa.array(np.where(missing, 0, codes).astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string())).dictionary_decode()


def decimals(cents: Ints) -> pa.Array:
    """Amounts in cents as numbers with two decimals. (n,)."""
    return pa.array(cents / 100.0)


def optional(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_]) -> pa.Array:
    """Values (n,), null where missing."""
    return pa.array(values, mask=missing)

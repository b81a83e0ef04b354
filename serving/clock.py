"""Moments of the service: integer microseconds since 1970-01-01 UTC, and how they are written."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_us() -> int:
    """The present moment."""
    return time.time_ns() // 1_000


def iso(moment: int) -> str:
    """A moment as ISO 8601 in UTC.

    >>> iso(1_700_000_000_250_000)
    '2023-11-14T22:13:20.250000Z'
    """
    return (_EPOCH + timedelta(microseconds=moment)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def iso_date(moment: int) -> str:
    """The UTC day of a moment.

    >>> iso_date(1_700_000_000_250_000)
    '2023-11-14'
    """
    return (_EPOCH + timedelta(microseconds=moment)).date().isoformat()

"""Telling a database that failed from one that refused."""

from __future__ import annotations

from sqlalchemy.exc import InternalError, OperationalError


def is_outage(error: Exception) -> bool:
    """Whether the database failed (disk, connection, lock), rather than refused what was asked of it."""
    return isinstance(error, OperationalError | InternalError)

"""Statements of the hot path, and what their errors mean."""

from __future__ import annotations

from sqlalchemy.engine import Connection
from sqlalchemy.exc import InternalError, OperationalError

from features.ledger.sql import execute as execute


def is_outage(conn: Connection, error: Exception) -> bool:
    """Whether the database failed (disk, connection, lock), rather than refused what was asked of it."""
    driver = conn.dialect.loaded_dbapi
    return isinstance(error, OperationalError | InternalError | driver.OperationalError | driver.InternalError)

"""Statements of the hot path, straight to the driver: SQLAlchemy's results would double their time.

Written with `?` marks, as `features.history.rows` takes them. Errors are the driver's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import InternalError, OperationalError


def execute(conn: Connection, sql: str, parameters: Sequence[Any] = ()) -> None:
    """Run a statement that gives no rows, within the connection's open transaction."""
    cursor = conn.connection.cursor()
    try:
        if conn.dialect.paramstyle != "qmark":
            sql = sql.replace("%", "%%").replace("?", "%s")
        cursor.execute(sql, tuple(parameters))
    finally:
        cursor.close()


def is_outage(conn: Connection, error: Exception) -> bool:
    """Whether the database failed (disk, connection, lock), rather than refused what was asked of it."""
    driver = conn.dialect.loaded_dbapi
    return isinstance(error, OperationalError | InternalError | driver.OperationalError | driver.InternalError)

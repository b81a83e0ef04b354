"""Statements of the hot path, straight to the driver: SQLAlchemy's result objects would double the time of the small
look-ups that an assessment is made of.

Written with `?` marks, whatever the database. Errors are those that SQLAlchemy makes of the driver's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_CHUNK = 50_000


def rows(conn: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(_marks(conn, sql), tuple(parameters))
        return list(cursor.fetchall())
    except conn.dialect.loaded_dbapi.Error as error:
        raise _told(conn, sql, error) from error
    finally:
        cursor.close()


def batches(conn: Connection, sql: str, size: int = _CHUNK) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of a query in batches, so that memory stays bounded."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(_marks(conn, sql), ())
        while batch := cursor.fetchmany(size):
            yield list(batch)
    except conn.dialect.loaded_dbapi.Error as error:
        raise _told(conn, sql, error) from error
    finally:
        cursor.close()


def execute(conn: Connection, sql: str, parameters: Sequence[Any] = ()) -> None:
    """Runs a statement that gives no rows, within the connection's open transaction."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(_marks(conn, sql), tuple(parameters))
    except conn.dialect.loaded_dbapi.Error as error:
        raise _told(conn, sql, error) from error
    finally:
        cursor.close()


def execute_many(conn: Connection, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
    """Runs a statement once for each row of parameters."""
    cursor = conn.connection.cursor()
    try:
        cursor.executemany(_marks(conn, sql), [tuple(row) for row in parameters])
    except conn.dialect.loaded_dbapi.Error as error:
        raise _told(conn, sql, error) from error
    finally:
        cursor.close()


def marks(count: int) -> str:
    """So many places for values, in parentheses."""
    return "(" + ", ".join("?" * count) + ")"


def _marks(conn: Connection, sql: str) -> str:
    return sql if conn.dialect.paramstyle == "qmark" else sql.replace("%", "%%").replace("?", "%s")


def _told(conn: Connection, sql: str, error: Exception) -> Exception:
    return DBAPIError.instance(sql, None, error, conn.dialect.loaded_dbapi.Error, dialect=conn.dialect)

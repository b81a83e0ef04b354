"""Which orders have changed lately: for a process that keeps histories in memory and brings them forward.

Every append notes the orders that it touched. What touches very many (bulk ingest, the pooling of a day) is noted as a
change of everything, and the notes before it go. The numbers rise in the order of the commits, because writers take
turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from features.ledger.sql import execute, execute_many, rows

_NOTE: Final = "INSERT INTO order_changes (order_no) VALUES (?)"
_EVERYTHING: Final = 0  # no order has this number
#: With more notes than this to look through it is quicker to read a history anew.
_MOST: Final = 5_000


def note_orders(conn: Connection, order_nos: Sequence[int]) -> None:
    """Notes that something about these orders has been appended."""
    execute_many(conn, _NOTE, [(order_no,) for order_no in order_nos])


def note_everything(conn: Connection) -> None:
    """Notes that whatever was kept has to be read anew."""
    execute(conn, _NOTE, (_EVERYTHING,))
    execute(conn, "DELETE FROM order_changes WHERE change_no < (SELECT MAX(change_no) FROM order_changes)")


def latest(conn: Connection) -> int:
    """Number of the latest change; 0 before the first."""
    return int(rows(conn, "SELECT COALESCE(MAX(change_no), 0) FROM order_changes")[0][0])


def since(conn: Connection, change_no: int) -> set[int] | None:
    """The orders touched after the change of that number; `None`: too many to tell, or all of them."""
    found = rows(
        conn, f"SELECT order_no FROM order_changes WHERE change_no > ? ORDER BY change_no LIMIT {_MOST}", (change_no,)
    )
    touched = {row[0] for row in found}
    return None if _EVERYTHING in touched or len(found) == _MOST else touched

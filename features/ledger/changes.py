"""Which orders have changed lately: for a process that keeps histories in memory and brings them forward.

Every append notes the orders that it touched. What touches very many (bulk ingest, the pooling of many days) is noted
as a change of everything. The numbers rise in the order of the commits, because writers take turns. Old notes are
thrown away now and then; who finds his last one gone has been away too long, and reads everything anew.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection

from features.ledger.sql import execute, execute_many, rows

_NOTE: Final = "INSERT INTO order_changes (order_no) VALUES (?)"
_EVERYTHING: Final = 0  # no order has this number
#: With more notes than this to look through it is quicker to read histories anew.
MOST: Final = 20_000
_KEPT: Final = 5 * MOST


def note_orders(conn: Connection, order_nos: Collection[int]) -> None:
    """Notes that something about these orders has been appended."""
    if len(order_nos) > MOST:
        note_everything(conn)
    else:
        execute_many(conn, _NOTE, [(order_no,) for order_no in order_nos])


def note_everything(conn: Connection) -> None:
    """Notes that whatever was kept has to be read anew."""
    execute(conn, _NOTE, (_EVERYTHING,))
    execute(conn, "DELETE FROM order_changes WHERE change_no < (SELECT MAX(change_no) FROM order_changes)")


def prune(conn: Connection) -> None:
    """Throws old notes away."""
    execute(
        conn, "DELETE FROM order_changes WHERE change_no < (SELECT MAX(change_no) FROM order_changes) - ?", (_KEPT,)
    )


def latest(conn: Connection) -> int:
    """Number of the latest change; 0 before the first."""
    return int(rows(conn, "SELECT COALESCE(MAX(change_no), 0) FROM order_changes")[0][0])


def since(conn: Connection, change_no: int) -> list[tuple[int, int]] | None:
    """The changes after that one as (number, order); `None`: too many to tell, or all orders, or too long ago."""
    found = rows(
        conn,
        f"SELECT change_no, order_no FROM order_changes WHERE change_no >= ? ORDER BY change_no LIMIT {MOST + 2}",
        (change_no,),
    )
    if change_no:
        if not found or found[0][0] != change_no:
            return None
        found = found[1:]
    if len(found) > MOST or any(order_no == _EVERYTHING for _, order_no in found):
        return None
    return found

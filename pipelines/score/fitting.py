"""Returns of a file against the ledger: the orders and lines that they name, and who returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from rich.progress import Progress
from sqlalchemy.engine import Connection

from features.ledger.append.batch import shown, shown_time
from features.ledger.append.lookups import select_in
from features.request import RequestRow, build_request_row
from pipelines.ingest.progress import advancing
from pipelines.score.reading import Returns, Row

_AT_A_TIME: Final = 5_000  # returns whose orders are looked up together


class _Order(NamedTuple):
    """What a return must fit."""

    ordered_at: int
    bought: dict[str, int]  # pieces by line


def refuse_unfit(conn: Connection, returns: Returns, progress: Progress | None) -> None:
    """Refuses rows that name an order or line which the ledger has not, return more than was bought, or lie before the
    order; also of returns that have a refused row already, so that all that is wrong shows at once."""
    with advancing(progress, "orders", len(returns.rows)) as advance:
        done = 0
        for chunk in _chunks(returns.rows):
            orders = _orders(conn, {row.order_id for return_id in chunk for row in returns.rows[return_id]})
            for return_id in chunk:
                for row in returns.rows[return_id]:
                    if unfit := _unfit(row, orders.get(row.order_id)):
                        returns.refuse(return_id, row, *unfit)
            done += len(chunk)
            advance(done)


def requests(conn: Connection, returns: Returns, progress: Progress | None) -> Iterator[tuple[str, RequestRow]]:
    """Each return as the feature store takes it. What its rows differ in is told by the first of them.

    All returns must fit (`refuse_unfit`). Each leaves `returns` as it is given out, so that it is not held twice.
    """
    with advancing(progress, "requests", len(returns.rows)) as advance:
        done = 0
        for chunk in _chunks(list(returns.rows)):
            listed = "SELECT return_id, customer_id FROM returns WHERE return_id IN"
            returners: dict[str, str | None] = {row[0]: row[1] for row in select_in(conn, listed, chunk)}
            for return_id in chunk:
                rows = returns.rows.pop(return_id)
                returned = {row.line_id: row.quantity for row in rows}
                order_id, stated = rows[0].order_id, rows[0].stated
                yield return_id, build_request_row(conn, order_id, returned, stated, returners.get(return_id))
            done += len(chunk)
            advance(done)


def _chunks(return_ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(return_ids)
    while chunk := list(islice(remaining, _AT_A_TIME)):
        yield chunk


def _orders(conn: Connection, order_ids: Iterable[str]) -> dict[str, _Order]:
    heads = "SELECT order_no, order_id, ordered_at FROM orders WHERE order_id IN"
    by_number: dict[int, _Order] = {}
    by_id: dict[str, _Order] = {}
    for order_no, order_id, ordered_at in select_in(conn, heads, order_ids):
        by_number[order_no] = by_id[order_id] = _Order(ordered_at, {})
    lines = "SELECT order_no, line_id, quantity FROM order_lines WHERE order_no IN"
    for order_no, line_id, quantity in select_in(conn, lines, by_number):
        by_number[order_no].bought[line_id] = quantity
    return by_id


def _unfit(row: Row, order: _Order | None) -> Sequence[str] | None:
    """The column and the reason, if the row does not fit the ledger."""
    if order is None:
        return "order_id", f"the ledger has no order {shown(row.order_id)}"
    bought = order.bought.get(row.line_id)
    if bought is None:
        return "line_id", f"order {shown(row.order_id)} has no line {shown(row.line_id)}"
    if row.quantity > bought:
        return "quantity", f"more returned than the {bought} bought"
    if row.requested_at < order.ordered_at:
        return "requested_at", f"lies before the order of {shown_time(order.ordered_at)}"
    return None

"""Set-based look-ups in the ledger: a handful of statements for a whole batch, a single one each for a live event.

The statements are written out as text that SQLite and PostgreSQL both read: building and caching them as expressions
costs more than running them for a live event of one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.append.batch import Batch
from features.ledger.sql import execute, execute_many, marks, rows

#: Values in one IN list. SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535.
CHUNK: Final = 5_000

#: The entities whose histories assessments read, and the columns of `orders` with their keys.
ENTITY_COLUMNS: Final = {
    "customer": "customer_id",
    "email": "email_id",
    "address": "address_id",
    "payment": "payment_id",
    "device": "device_id",
}
_OPEN_DAY: Final = "(SELECT value FROM ledger_meta WHERE name = 'open_day')"
_WATERMARKS_OF_ORDER: Final = " OR ".join(
    f"(w.entity = '{entity}' AND w.key = o.{column})" for entity, column in ENTITY_COLUMNS.items()
)


class Order(NamedTuple):
    """An order as its later events need it; `watermark_us` is 0 in bulk."""

    order_no: int
    order_id: str
    customer_id: str
    ordered_at: int
    recorded_at: int
    watermark_us: int


def select_in(conn: Connection, statement: str, values: Iterable[Any], ending: str = "") -> Iterator[Sequence[Any]]:
    """Rows of `statement`, which ends in IN, a list of the `values`, chunk by chunk, and `ending`."""
    remaining = iter(values)
    while chunk := tuple(islice(remaining, CHUNK)):
        yield from rows(conn, f"{statement} {marks(len(chunk))}{ending}", chunk)


def insert(conn: Connection, table: str, columns: Sequence[str], values: Sequence[tuple[Any, ...]]) -> None:
    """Appends rows of `values`, which stand in the order of the `columns`."""
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks(len(columns))}"
    if len(values) == 1:
        execute(conn, statement, values[0])
    elif values:
        execute_many(conn, statement, values)


def orders_of(batch: Batch) -> dict[str, Order]:
    """The orders that the rows of the batch name, by `order_id`; live, also sets the batch's `open_day_us`."""
    wanted = {row["order_id"] for row in batch.rows}
    columns = "SELECT o.order_no, o.order_id, o.customer_id, o.ordered_at, o.recorded_at"
    if not batch.live:
        found = select_in(batch.conn, f"{columns}, 0 FROM orders o WHERE o.order_id IN", storable(wanted))
        return {row[1]: Order(*row) for row in found}
    statement = (
        f"{columns}, coalesce((SELECT max(w.assessed_until) FROM watermarks w WHERE {_WATERMARKS_OF_ORDER}), 0), "
        f"coalesce({_OPEN_DAY}, 0) FROM orders o WHERE o.order_id IN"
    )
    orders = {}
    for *values, open_day in select_in(batch.conn, statement, storable(wanted)):
        orders[values[1]] = Order(*values)
        batch.open_day_us = open_day * DAY
    return orders


class ReturnLine(NamedTuple):
    """A line of a return as inspections and verdicts need it; `watermark_us` is 0 in bulk."""

    return_id: str
    line_id: str
    order_no: int
    requested_at: int
    recorded_at: int
    watermark_us: int


def return_lines_of(batch: Batch) -> dict[str, list[ReturnLine]]:
    """The lines of the returns that the batch names, by `return_id`; live, also sets the batch's `open_day_us`."""
    wanted = storable({row["return_id"] for row in batch.rows})
    columns = "SELECT r.return_id, r.line_id, r.order_no, r.requested_at, r.recorded_at"
    if batch.live:
        statement = (
            f"{columns}, coalesce((SELECT max(w.assessed_until) FROM watermarks w WHERE {_WATERMARKS_OF_ORDER} "
            f"OR (w.entity = 'customer' AND w.key = r.customer_id)), 0), coalesce({_OPEN_DAY}, 0) "
            "FROM returns r JOIN orders o ON o.order_no = r.order_no WHERE r.return_id IN"
        )
    else:
        statement = f"{columns}, 0, 0 FROM returns r WHERE r.return_id IN"
    lines: dict[str, list[ReturnLine]] = {}
    for *values, open_day in select_in(batch.conn, statement, wanted):
        lines.setdefault(values[0], []).append(ReturnLine(*values))
        batch.open_day_us = open_day * DAY
    return lines


def watermarks_of(conn: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How far the histories of the keys (entity, key) have been read; keys never read are absent."""
    by_entity: dict[str, list[str]] = {}
    for entity, key in keys:
        by_entity.setdefault(entity, []).append(key)
    found: dict[tuple[str, str], int] = {}
    if sum(map(len, by_entity.values())) <= CHUNK:  # one statement: what a live event has
        part = "SELECT entity, key, assessed_until FROM watermarks WHERE entity = {} AND key IN {}"
        statement = " UNION ALL ".join(part.format("?", marks(len(ks))) for ks in by_entity.values())
        parameters = tuple(value for entity, ks in by_entity.items() for value in (entity, *ks))
        listed = rows(conn, statement, parameters) if parameters else []
        return {(entity, key): until for entity, key, until in listed}
    for entity, ks in by_entity.items():
        statement = f"SELECT key, assessed_until FROM watermarks WHERE entity = '{entity}' AND key IN"
        found.update({(entity, key): until for key, until in select_in(conn, statement, ks)})
    return found


def storable(texts: Iterable[str]) -> list[str]:
    """The texts that a database can hold at all; half a surrogate pair cannot be looked for."""
    found = []
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            continue
        found.append(text)
    return found


def erased_until(batch: Batch, customer_ids: Iterable[str | None]) -> dict[str, int]:
    """When the histories of those of the customers were erased that were: files from before do not bring them back.

    Not asked of what arrives live: that a shop tells of something today is itself new.
    """
    if batch.live or not rows(batch.conn, "SELECT 1 FROM erasures LIMIT 1"):
        return {}
    subjects = {batch.hasher.customer(each): each for each in storable({each for each in customer_ids if each})}
    found = select_in(batch.conn, "SELECT subject, erased_at FROM erasures WHERE subject IN", subjects)
    return {subjects[subject]: erased_at for subject, erased_at in found}

"""Erasing a person from the ledger so that its books stay right.

Nothing is deleted: what happened stays, and every name that leads to the person is replaced by one drawn at random
that nobody can lead back: the ids of customer, orders and returns, the keyed hashes, and the digests of contents. All
that is computed from the ledger asks only which names are the same, never what they are, so each value about anybody
else, and every rate, keeps its last bit (docs/decisions/0010-erasure.md).

An e-mail, address, card or device that another customer has used, too, is that customer's as well and keeps its hash:
how many customers share it is a fact of theirs. It is replaced once the last of them has been erased.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from features.ledger import changes
from features.ledger.sql import execute, execute_many, rows

_PREFIX: Final = "erased-"
_RANDOM_BYTES: Final = 12
_LENGTH: Final = len(_PREFIX) + 2 * _RANDOM_BYTES
_LINKS: Final = ("email", "address", "payment", "device")
_DIGEST_SIZE: Final = 16

_OWN_ORDERS: Final = (
    "SELECT order_no, order_id, email_id, address_id, payment_id, device_id FROM orders WHERE customer_id = ?"
    " ORDER BY order_no"
)
#: What they returned: of their own orders, or of somebody else's.
_OWN_RETURNS: Final = (
    "SELECT DISTINCT return_id FROM returns WHERE customer_id = ? UNION"
    " SELECT r.return_id FROM returns r JOIN orders o ON o.order_no = r.order_no"
    " WHERE o.customer_id = ? AND r.customer_id IS NULL ORDER BY return_id"
)
_USED_BY_OTHERS: Final = (
    "SELECT 1 FROM orders WHERE {link}_id = ? AND customer_id <> ?"
    f" AND NOT (customer_id LIKE '{_PREFIX}%' AND length(customer_id) = {_LENGTH}) LIMIT 1"
)
#: Digests of contents would tell whether a guess of what was erased is right: by table its key, and what its rows are
#: found by.
_DIGESTED: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "orders": (("order_no",), ("order_no",)),
    "order_lines": (("order_no", "line_id"), ("order_no",)),
    "deliveries": (("order_no", "delivered_at"), ("order_no",)),
    "returns": (("return_no",), ("order_no", "return_id")),
    "inspections": (("inspection_no",), ("order_no", "return_id")),
    "verdicts": (("verdict_no",), ("order_no", "return_id")),
}


def pseudonym() -> str:
    """A name that leads to nobody.

    >>> is_pseudonym(pseudonym())
    True
    """
    return _PREFIX + secrets.token_hex(_RANDOM_BYTES)


def is_pseudonym(name: str) -> bool:
    """Whether a name stands for somebody who was erased.

    >>> is_pseudonym("erased-by-hand")
    False
    """
    return name.startswith(_PREFIX) and len(name) == _LENGTH


@dataclass(frozen=True, slots=True)
class Traces:
    """What the ledger has of a customer.

    Attributes:
        orders: order_id -> order_no of what they bought.
        returns: ids of what they returned or claimed.
        own: (link, key) of the hashes that nobody else has used.
        shared: (link, key) of those that another customer has used, too.
    """

    orders: Mapping[str, int]
    returns: tuple[str, ...]
    own: tuple[tuple[str, str], ...]
    shared: tuple[tuple[str, str], ...]

    @property
    def found(self) -> bool:
        """Whether there is anything."""
        return bool(self.orders or self.returns)


@dataclass(frozen=True, slots=True)
class Erased:
    """Which names were replaced, former -> new: for who holds more under them, and for nobody else to keep."""

    customer: tuple[str, str]
    orders: Mapping[str, str]
    returns: Mapping[str, str]
    keys_replaced: int
    keys_shared: int


def traces(conn: Connection, customer_id: str) -> Traces:
    """What there is to erase."""
    own = rows(conn, _OWN_ORDERS, (customer_id,))
    keys = dict.fromkeys(
        (link, row[place]) for row in own for place, link in enumerate(_LINKS, start=2) if row[place] is not None
    )
    shared = tuple(at for at in keys if rows(conn, _USED_BY_OTHERS.format(link=at[0]), (at[1], customer_id)))
    return Traces(
        {row[1]: row[0] for row in own},
        tuple(row[0] for row in rows(conn, _OWN_RETURNS, (customer_id, customer_id))),
        tuple(at for at in keys if at not in shared),
        shared,
    )


def erase(conn: Connection, customer_id: str, *, subject: str, at: int) -> Erased:
    """Replaces every name that leads to a customer. Needs a write transaction.

    Args:
        conn: from `Ledger.write()`.
        customer_id: as the orders have it.
        subject: the keyed hash of it (`KeyHasher.customer`), by which bulk ingest knows what not to bring back.
        at: now, in microseconds since 1970 UTC; what files tell of until then does not come back.
    """
    known = traces(conn, customer_id)
    new_customer = pseudonym()
    orders = {order_id: pseudonym() for order_id in known.orders}
    returns = {return_id: pseudonym() for return_id in known.returns}
    _replace(conn, "orders", "order_id", orders)
    execute(conn, "UPDATE orders SET customer_id = ? WHERE customer_id = ?", (new_customer, customer_id))
    execute(conn, "UPDATE returns SET customer_id = ? WHERE customer_id = ?", (new_customer, customer_id))
    for table in ("returns", "inspections", "verdicts"):
        _replace(conn, table, "return_id", returns)
    for link, key in known.own:
        new = pseudonym()
        execute(conn, f"UPDATE orders SET {link}_id = ? WHERE {link}_id = ?", (new, key))
        _rename_watermark(conn, link, key, new)
    _rename_watermark(conn, "customer", customer_id, new_customer)
    _forget_digests(conn, "order_no", tuple(known.orders.values()))
    _forget_digests(conn, "return_id", tuple(returns.values()))
    execute(
        conn,
        "INSERT INTO erasures (subject, erased_at) VALUES (?, ?)"
        " ON CONFLICT (subject) DO UPDATE SET erased_at = excluded.erased_at",
        (subject, at),
    )
    changes.note_everything(conn)
    return Erased((customer_id, new_customer), orders, returns, len(known.own), len(known.shared))


@contextmanager
def overwriting(conn: Connection) -> Iterator[None]:
    """Within this block SQLite overwrites what is deleted or replaced, instead of only letting go of its place in the
    file. Another database sees to it when it is vacuumed."""
    if conn.dialect.name != "sqlite":
        yield
        return
    rows(conn, "PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        rows(conn, "PRAGMA secure_delete = OFF")


def _replace(conn: Connection, table: str, column: str, names: Mapping[str, str]) -> None:
    execute_many(
        conn, f"UPDATE {table} SET {column} = ? WHERE {column} = ?", [(new, former) for former, new in names.items()]
    )


def _rename_watermark(conn: Connection, entity: str, key: str, new: str) -> None:
    execute(conn, "UPDATE watermarks SET key = ? WHERE entity = ? AND key = ?", (new, entity, key))


def _forget_digests(conn: Connection, column: str, values: Sequence[int | str]) -> None:
    for table, (key, columns) in _DIGESTED.items():
        if column not in columns:
            continue
        found: list[tuple[Any, ...]] = []
        for value in values:
            found += rows(conn, f"SELECT {', '.join(key)} FROM {table} WHERE {column} = ?", (value,))
        execute_many(
            conn,
            f"UPDATE {table} SET digest = ? WHERE {' AND '.join(f'{each} = ?' for each in key)}",
            [(secrets.token_bytes(_DIGEST_SIZE), *each) for each in found],
        )

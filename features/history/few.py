"""Reading the few orders that one request touches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from features.declarations import LINKS
from features.history.facts import Facts, History
from features.history.fields import ALIAS, BY_RETURNER, FIELDS, FROM, OF_ORDER, OVERTURNED, PARTIES
from features.ledger.sql import rows
from features.measures import FACT_KINDS, FactKind

_ORDER_COLUMNS: Final = (
    "order_no, customer_id, email_id, address_id, payment_id, device_id, ordered_at, recorded_at, order_id"
)
_ORDERS_OF_KEY: Final = {party: f"SELECT order_no FROM orders WHERE {party}_id = ?" for party in PARTIES}
_ORDERS_OF_RETURNER: Final = "SELECT order_no FROM returns WHERE customer_id = ?"
_ORDER_OF_ID: Final = "SELECT order_no FROM orders WHERE order_id = ?"

#: What happened to the orders comes from one statement, as rows of one width: the number of the kind, who returned
#: (-1: the buyer, 0: the customer asked for, 1: somebody else), and the fields of the kind.
_HAPPENED: Final = tuple(enumerate(FACT_KINDS))[1:]
_HEAD: Final = 2
_WIDTH: Final = max(len(fields) for fields in FIELDS.values())
_MOST: Final = 4_096  # orders in a statement, which names each once per kind: SQLite takes 32,766 parameters


def of_keys(
    conn: Connection, keys: Mapping[str, str | None], order_id: str | None, *, without: Collection[str] = ()
) -> History:
    """The history of every order that shares a customer, e-mail, address, payment or device with `keys`, or is
    `order_id`. `keys` maps parties to (already hashed) ids; missing or `None` ones match nothing, and those of the
    parties in `without` are not looked for. The code of an asked key is 0."""
    names: dict[str, dict[str | None, int]] = {party: {keys.get(party): 0} for party in PARTIES}
    wanted = [(party, key) for party in PARTIES if (key := keys.get(party)) is not None and party not in without]
    parts = [_ORDERS_OF_KEY[party] for party, _ in wanted]
    asked = [key for _, key in wanted]
    customer = keys.get("customer")
    if customer is not None:
        parts.append(_ORDERS_OF_RETURNER)
        asked.append(customer)
    if order_id is not None:
        parts.append(_ORDER_OF_ID)
        asked.append(order_id)
    if not parts:
        return _of_found(conn, [], names, customer)
    found = rows(
        conn,
        f"SELECT {_ORDER_COLUMNS} FROM orders WHERE order_no IN ({' UNION '.join(parts)}) ORDER BY order_no",
        asked,
    )
    return _of_found(conn, found, names, customer)


def of_orders(conn: Connection, order_nos: Collection[int], names: Mapping[str, dict[str | None, int]]) -> History:
    """The history of these orders alone, with the codes of `names`, to which new keys are added."""
    listed = _padded(sorted(order_nos))
    marks = ",".join("?" * len(listed))
    found = rows(conn, f"SELECT {_ORDER_COLUMNS} FROM orders WHERE order_no IN ({marks}) ORDER BY order_no", listed)
    return _of_found(conn, found, names, None)


def keys_of_orders(conn: Connection, order_nos: Sequence[int]) -> list[tuple[Any, ...]]:
    """Number, address, payment, device and e-mail of each order (`features.declarations.LINKS`)."""
    columns = ", ".join(f"{party}_id" for party in LINKS)
    found = []
    for start in range(0, len(order_nos), _MOST):
        listed = order_nos[start : start + _MOST]
        marks = ",".join("?" * len(listed))
        found += rows(conn, f"SELECT order_no, {columns} FROM orders WHERE order_no IN ({marks})", listed)
    return found


def _of_found(
    conn: Connection,
    found: list[tuple[Any, ...]],
    names: Mapping[str, dict[str | None, int]],
    customer: str | None,
) -> History:
    codes = np.empty((len(PARTIES), len(found)), dtype=np.int64)
    for position, party in enumerate(PARTIES):
        known = names[party]
        codes[position] = [
            -1 if row[position + 1] is None else known.setdefault(row[position + 1], len(known)) for row in found
        ]
    order_nos, ordered, recorded = (
        np.array([(row[0], row[6], row[7]) for row in found], dtype=np.int64).reshape(-1, 3).T
    )
    facts: dict[FactKind, Facts] = {
        "orders": Facts(
            {"order_no": order_nos, "occurred_at": ordered, "recorded_at": recorded}, np.arange(len(found)), None
        )
    }
    happened = _happened(conn, [row[0] for row in found], customer)
    order = np.searchsorted(order_nos, happened[_HEAD])
    ends = np.searchsorted(happened[0], [number for number, _ in _HAPPENED], side="right").tolist()
    start = 0
    for (_, kind), end in zip(_HAPPENED, ends, strict=True):
        columns = {name: happened[place, start:end] for place, (name, _) in enumerate(FIELDS[kind], start=_HEAD)}
        place_of_order = order[start:end]
        if kind == OF_ORDER[0]:
            columns[OF_ORDER[1]] = ordered[place_of_order]
        found_facts = Facts(columns, place_of_order, happened[1, start:end] if kind in BY_RETURNER else None)
        facts[kind] = found_facts.with_reversals() if kind in OVERTURNED else found_facts
        start = end
    return History(order_nos, [row[8] for row in found], dict(zip(PARTIES, codes, strict=True)), names, facts)


def _happened(conn: Connection, order_nos: list[int], customer: str | None) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Shape (_HEAD + _WIDTH, n): what happened to the orders, sorted by the number of the kind."""
    if not order_nos:
        return np.empty((_HEAD + _WIDTH, 0), dtype=np.int64)
    table = np.concatenate(
        [_read(conn, order_nos[start : start + _MOST], customer) for start in range(0, len(order_nos), _MOST)]
    )
    numbers = table[:, 0]
    if (numbers[1:] < numbers[:-1]).any():  # several statements; or a database that gives a union in another order
        table = table[np.argsort(numbers, kind="stable")]
    return np.ascontiguousarray(table.T)


def _read(conn: Connection, order_nos: list[int], customer: str | None) -> np.ndarray[Any, np.dtype[np.int64]]:
    listed = _padded(order_nos)
    parameters: list[Any] = []
    for _, kind in _HAPPENED:
        parameters += (customer, *listed) if kind in BY_RETURNER else listed
    return np.array(rows(conn, _statement(len(listed)), parameters), dtype=np.int64).reshape(-1, _HEAD + _WIDTH)


@cache
def _statement(count: int) -> str:
    """The same text for the same number of orders, so that the driver finds the prepared statement at once."""
    parts = []
    for number, kind in _HAPPENED:
        returner = "-1"
        if kind in BY_RETURNER:
            returner = "CASE WHEN r.customer_id IS NULL THEN -1 WHEN r.customer_id = ? THEN 0 ELSE 1 END"
        fields = ["0" if (kind, name) == OF_ORDER else sql for name, sql in FIELDS[kind]]
        fields += ["0"] * (_WIDTH - len(fields))
        tables = "order_lines l" if kind == OF_ORDER[0] else FROM[kind]
        parts.append(
            f"SELECT {number}, {returner}, {', '.join(fields)} FROM {tables}"
            f" WHERE {ALIAS[kind]}.order_no IN ({','.join('?' * count)})"
        )
    return " UNION ALL ".join(parts)


def _padded(order_nos: list[int]) -> list[int]:
    """Filled up to a power of two, so that the database sees few different statements and keeps them prepared."""
    size = 8
    while size < len(order_nos):
        size *= 2
    return order_nos + [-1] * (size - len(order_nos))

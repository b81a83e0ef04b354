"""A stretch of the ledger as columns of integers: what the feature kernels compute on.

`of_keys` reads the few orders that one request touches, `everything` the whole ledger. Both give the same structure,
so that one set of measures serves the API and the training table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from features.ledger import vocabulary as words
from features.ledger.sql import batches as batches
from features.ledger.sql import rows as rows
from features.measures import FACT_KINDS, Columns, FactKind, Ints

PARTIES: Final = ("customer", "email", "address", "payment", "device")


def _code(column: str, vocabulary: Sequence[str]) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {code}" for code, word in enumerate(vocabulary))
    return f"CASE {column} {cases} ELSE -1 END"


_DELIVERED = (
    "COALESCE((SELECT MAX(d.delivered_at) FROM deliveries d WHERE d.order_no = r.order_no"
    " AND d.recorded_at < r.recorded_at AND d.delivered_at <= r.requested_at), -1)"
)

#: Fact kind -> (field, SQL) pairs; the first three fields are the same everywhere.
FIELDS: Final[dict[FactKind, tuple[tuple[str, str], ...]]] = {
    "orders": (("order_no", "o.order_no"), ("occurred_at", "o.ordered_at"), ("recorded_at", "o.recorded_at")),
    "lines": (
        ("order_no", "l.order_no"),
        ("occurred_at", "o.ordered_at"),
        ("recorded_at", "l.recorded_at"),
        ("quantity", "l.quantity"),
        ("value", "l.value_minor"),
        ("expected_ppm", "COALESCE(l.expected_ppm, 0)"),
        ("discounted", "CASE WHEN l.discount_e4 > 0 THEN 1 ELSE 0 END"),
    ),
    "deliveries": (
        ("order_no", "d.order_no"),
        ("occurred_at", "d.delivered_at"),
        ("recorded_at", "d.recorded_at"),
        ("proof", _code("d.proof", words.PROOFS)),
    ),
    "returns": (
        ("order_no", "r.order_no"),
        ("occurred_at", "r.requested_at"),
        ("recorded_at", "r.recorded_at"),
        ("quantity", "r.quantity"),
        ("value", "l.value_minor * r.quantity / l.quantity"),
        ("reason", _code("r.reason", words.REASONS)),
        ("kind", _code("r.kind", words.KINDS)),
        ("resolution", _code("r.resolution", words.RESOLUTIONS)),
        ("tender", _code("r.tender", words.TENDERS)),
        ("proof_of_purchase", "COALESCE(r.proof_of_purchase, -1)"),
        ("leads", "r.leads"),
        ("delivered_at", _DELIVERED),
    ),
    "inspections": (
        ("order_no", "i.order_no"),
        ("occurred_at", "i.inspected_at"),
        ("recorded_at", "i.recorded_at"),
        ("finding", _code("i.finding", words.FINDINGS)),
    ),
    "verdicts": (
        ("order_no", "v.order_no"),
        ("occurred_at", "v.decided_at"),
        ("recorded_at", "v.recorded_at"),
        ("verdict", _code("v.verdict", words.VERDICTS)),
        ("basis", _code("v.basis", words.BASES)),
    ),
}
_FROM: Final[dict[FactKind, str]] = {
    "orders": "orders o",
    "lines": "order_lines l JOIN orders o ON o.order_no = l.order_no",
    "deliveries": "deliveries d",
    "returns": "returns r JOIN order_lines l ON l.order_no = r.order_no AND l.line_id = r.line_id",
    "inspections": "inspections i LEFT JOIN returns r ON r.return_id = i.return_id AND r.leads = 1",
    "verdicts": "verdicts v LEFT JOIN returns r ON r.return_id = v.return_id AND r.leads = 1",
}
_ALIAS: Final[dict[FactKind, str]] = {
    "orders": "o",
    "lines": "l",
    "deliveries": "d",
    "returns": "r",
    "inspections": "i",
    "verdicts": "v",
}
#: When a line occurred is when its order did: not read again with every line, where the orders have been read.
_OF_ORDER: Final = ("lines", "occurred_at")
#: Kinds whose facts belong to who returned, which is not always who bought.
_BY_RETURNER: Final = frozenset({"returns", "inspections", "verdicts"})


def select_from(kind: FactKind, extra: str, joined: str = "") -> str:
    """SELECT of the fields of one kind of fact (aliases o, l, d, r, i, v for the tables) and of `extra` ones, for which
    more tables may be `joined`; without a WHERE."""
    fields = ", ".join(f"{sql} AS {name}" for name, sql in FIELDS[kind])
    return f"SELECT {fields}, {extra} FROM {_FROM[kind]} {joined}"


@cache
def _select(kind: FactKind) -> str:
    fields = [sql for name, sql in FIELDS[kind] if (kind, name) != _OF_ORDER]
    if kind in _BY_RETURNER:
        fields.append("r.customer_id")
    tables = "order_lines l" if kind == "lines" else _FROM[kind]
    return f"SELECT {', '.join(fields)} FROM {tables}"


@dataclass(frozen=True)
class Facts:
    """Facts of one kind: int64 columns of equal length n, the order of each as a row of `History.keys`, and who
    returned where that is not who bought (codes like those of the customers; -1: the buyer)."""

    columns: Columns
    order: Ints
    returner: Ints | None

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True)
class History:
    """Orders and what happened to them.

    `order_nos` is ascending; `order_ids` are the shop's own ids of the same orders, where they have been read.
    `keys[party]` gives each order's code of customer, e-mail, address, payment and device (-1 where it has none); codes
    of `customer` also serve `Facts.returner`. `names[party]` maps a key to its code.
    """

    order_nos: Ints
    order_ids: Sequence[str]
    keys: Mapping[str, Ints]
    names: Mapping[str, dict[str | None, int]]
    facts: Mapping[FactKind, Facts]

    def order_no(self, order_id: str | None) -> int | None:
        """Number of an order of this history."""
        return int(self.order_nos[self.order_ids.index(order_id)]) if order_id in self.order_ids else None

    def part(self, orders: npt.NDArray[np.bool_]) -> History:
        """Only the orders for which the mask (as long as `order_nos`) holds, and their facts; no ids of the shop."""
        order_nos = self.order_nos[orders]
        facts: dict[FactKind, Facts] = {}
        for kind, known in self.facts.items():
            kept = orders[known.order]
            columns = {name: column[kept] for name, column in known.columns.items()}
            facts[kind] = Facts(
                columns,
                np.searchsorted(order_nos, columns["order_no"]),
                None if known.returner is None else known.returner[kept],
            )
        return History(order_nos, [], {party: codes[orders] for party, codes in self.keys.items()}, self.names, facts)

    def joined(self, other: History) -> History:
        """This history and another one of other orders, which has the same codes."""
        both = np.concatenate([self.order_nos, other.order_nos])
        by_number = np.argsort(both, kind="stable")
        order_nos = both[by_number]
        facts: dict[FactKind, Facts] = {}
        for kind, mine in self.facts.items():
            more = _concatenated(kind, [mine, other.facts[kind]])
            facts[kind] = Facts(more.columns, np.searchsorted(order_nos, more.columns["order_no"]), more.returner)
        return History(
            order_nos,
            [],
            {party: np.concatenate([self.keys[party], other.keys[party]])[by_number] for party in PARTIES},
            self.names,
            facts,
        )

    def fact_keys(self, kind: FactKind, party: str) -> Ints:
        """Code of the party of each fact of a kind."""
        facts = self.facts[kind]
        codes = self.keys[party][facts.order]
        if party == "customer" and facts.returner is not None:
            codes = np.where(facts.returner >= 0, facts.returner, codes)
        return codes


_ORDER_COLUMNS: Final = (
    "order_no, customer_id, email_id, address_id, payment_id, device_id, ordered_at, recorded_at, order_id"
)
_ORDERS_OF_KEY: Final = {party: f"SELECT order_no FROM orders WHERE {party}_id = ?" for party in PARTIES}
_ORDERS_OF_RETURNER: Final = "SELECT order_no FROM returns WHERE customer_id = ?"
_ORDER_OF_ID: Final = "SELECT order_no FROM orders WHERE order_id = ?"


def of_keys(
    conn: Connection, keys: Mapping[str, str | None], order_id: str | None, *, without: Collection[str] = ()
) -> History:
    """The history of every order that shares a customer, e-mail, address, payment or device with `keys`, or is
    `order_id`. `keys` maps parties to (already hashed) ids; missing or `None` ones match nothing, and those of the
    parties in `without` are not looked for."""
    # The codes of one request: 0 is the asked key, other keys follow as they come.
    names: dict[str, dict[str | None, int]] = {party: {keys.get(party): 0} for party in PARTIES}
    parts = [_ORDERS_OF_KEY[party] for party in PARTIES if keys.get(party) is not None and party not in without]
    asked = [keys[party] for party in PARTIES if keys.get(party) is not None and party not in without]
    if keys.get("customer") is not None:
        parts.append(_ORDERS_OF_RETURNER)
        asked.append(keys["customer"])
    if order_id is not None:
        parts.append(_ORDER_OF_ID)
        asked.append(order_id)
    if not parts:
        return _of_found(conn, [], names)
    found = rows(
        conn,
        f"SELECT {_ORDER_COLUMNS} FROM orders WHERE order_no IN ({' UNION '.join(parts)}) ORDER BY order_no",
        asked,
    )
    return _of_found(conn, found, names)


def of_orders(conn: Connection, order_nos: Collection[int], names: Mapping[str, dict[str | None, int]]) -> History:
    """The history of these orders alone, with the codes of `names`, to which new keys are added."""
    listed = _padded(sorted(order_nos))
    marks = ",".join("?" * len(listed))
    found = rows(conn, f"SELECT {_ORDER_COLUMNS} FROM orders WHERE order_no IN ({marks}) ORDER BY order_no", listed)
    return _of_found(conn, found, names)


def _of_found(conn: Connection, found: list[tuple[Any, ...]], names: Mapping[str, dict[str | None, int]]) -> History:
    codes = np.empty((len(PARTIES), len(found)), dtype=np.int64)
    for position, party in enumerate(PARTIES):
        known = names[party]
        codes[position] = [
            -1 if row[position + 1] is None else known.setdefault(row[position + 1], len(known)) for row in found
        ]
    order_nos = np.array([row[0] for row in found], dtype=np.int64)
    facts: dict[FactKind, Facts] = {}
    times = np.array([(row[6], row[7]) for row in found], dtype=np.int64).reshape(-1, 2)
    facts["orders"] = Facts(
        {"order_no": order_nos, "occurred_at": times[:, 0], "recorded_at": times[:, 1]},
        np.arange(len(found), dtype=np.int64),
        None,
    )
    listed = _padded([row[0] for row in found])
    for kind in FACT_KINDS[1:]:
        data = rows(conn, _select_orders(kind, len(listed)), listed) if found else []
        facts[kind] = _facts(kind, data, facts["orders"].columns, names["customer"])
    return History(order_nos, [row[8] for row in found], dict(zip(PARTIES, codes, strict=True)), names, facts)


@cache
def _select_orders(kind: FactKind, count: int) -> str:
    """The same text for the same number of orders, so that the driver finds the prepared statement at once."""
    return f"{_select(kind)} WHERE {_ALIAS[kind]}.order_no IN ({','.join('?' * count)})"


def orders_of_key(conn: Connection, party: str, key: str, after: int) -> list[int]:
    """Numbers of the orders of a key that are greater than `after`."""
    return [row[0] for row in rows(conn, f"{_ORDERS_OF_KEY[party]} AND order_no > ?", (key, after))]


def _padded(order_nos: list[int]) -> list[int]:
    """Filled up to a power of two, so that the database sees few different statements and keeps them prepared."""
    size = 8
    while size < len(order_nos):
        size *= 2
    return order_nos + [-1] * (size - len(order_nos))


def _facts(kind: FactKind, data: list[tuple[Any, ...]], orders: Columns, customers: dict[str | None, int]) -> Facts:
    names = [name for name, _ in FIELDS[kind] if (kind, name) != _OF_ORDER]
    returner: Ints | None = None
    if kind in _BY_RETURNER:
        if any(row[-1] is not None for row in data):
            returner = np.array(
                [-1 if row[-1] is None else customers.setdefault(row[-1], len(customers)) for row in data],
                dtype=np.int64,
            )
        data = [row[:-1] for row in data]
    table = np.array(data, dtype=np.int64).reshape(-1, len(names)).T
    columns = dict(zip(names, table, strict=True))
    order = np.searchsorted(orders["order_no"], columns["order_no"])
    if kind == _OF_ORDER[0]:
        columns["occurred_at"] = orders["occurred_at"][order]
    return Facts(columns, order, returner)


def everything(conn: Connection) -> History:
    """The whole ledger, each column in the smallest type of integers that holds it: about 30 bytes of memory a fact."""
    order_nos: list[Ints] = []
    times: list[npt.NDArray[np.int64]] = []
    codes: dict[str, list[Ints]] = {party: [] for party in PARTIES}
    names: dict[str, dict[str | None, int]] = {party: {} for party in PARTIES}
    sql = (
        "SELECT order_no, ordered_at, recorded_at, customer_id, email_id, address_id, payment_id, device_id"
        " FROM orders ORDER BY order_no"
    )
    for batch in batches(conn, sql):
        columns = list(zip(*batch, strict=True))
        order_nos.append(np.array(columns[0], dtype=np.int64))
        times.append(np.array(columns[1:3], dtype=np.int64))
        for party, ids in zip(PARTIES, columns[3:], strict=True):
            known = names[party]
            codes[party].append(
                narrow(np.array([-1 if key is None else known.setdefault(key, len(known)) for key in ids]))
            )
    numbers = _joined(order_nos)
    moments = np.concatenate(times, axis=1) if times else np.empty((2, 0), dtype=np.int64)
    facts: dict[FactKind, Facts] = {
        "orders": Facts(
            {"order_no": numbers, "occurred_at": moments[0], "recorded_at": moments[1]},
            np.arange(len(numbers), dtype=np.int64),
            None,
        )
    }
    for kind in FACT_KINDS[1:]:
        parts = [
            _narrow(_facts(kind, batch, facts["orders"].columns, names["customer"]))
            for batch in batches(conn, f"{_select(kind)} ORDER BY {_ALIAS[kind]}.order_no")
        ]
        facts[kind] = _concatenated(kind, parts)
    return History(numbers, [], {party: _joined(parts) for party, parts in codes.items()}, names, facts)


def narrow(values: Ints) -> Ints:
    """The same integers in the smallest signed type that holds them all."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for small in (np.int8, np.int16, np.int32):
        if np.iinfo(small).min <= low and high <= np.iinfo(small).max:
            return values.astype(small)
    return values


def _narrow(facts: Facts) -> Facts:
    return Facts({name: narrow(column) for name, column in facts.columns.items()}, narrow(facts.order), facts.returner)


def _joined(parts: list[Ints]) -> Ints:
    """One array of the largest of their types; the parts are used up, so that not all of both are held at once."""
    joined = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    parts.clear()
    return joined


def _concatenated(kind: FactKind, parts: list[Facts]) -> Facts:
    columns = (
        {name: np.concatenate([part.columns[name] for part in parts]) for name, _ in FIELDS[kind]}
        if parts
        else {name: np.empty(0, dtype=np.int64) for name, _ in FIELDS[kind]}
    )
    returner: Ints | None = None
    if any(part.returner is not None for part in parts):
        returner = _joined(
            [np.full(len(part), -1, dtype=np.int64) if part.returner is None else part.returner for part in parts]
        )
    return Facts(columns, _joined([part.order for part in parts]), returner)

"""A stretch of the ledger as columns of integers: what the feature kernels compute on.

`of_keys` reads the few orders that one request touches, `everything` the whole ledger. Both give the same structure,
so that one set of measures serves the API and the training table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from features.ledger import vocabulary as words
from features.measures import FACT_KINDS, Columns, FactKind, Ints

PARTIES: Final = ("customer", "email", "address", "payment", "device")
_CHUNK = 50_000


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
    "returns": (
        "returns r JOIN order_lines l ON l.order_no = r.order_no AND l.line_id = r.line_id"
        " JOIN orders o ON o.order_no = r.order_no"
    ),
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
#: Kinds whose facts belong to who returned, which is not always who bought.
_BY_RETURNER: Final = frozenset({"returns", "inspections", "verdicts"})


def select_from(kind: FactKind, extra: str = "") -> str:
    """SELECT of the fields of one kind of fact (aliases o, l, d, r, i, v for the tables), without a WHERE."""
    fields = ", ".join(f"{sql} AS {name}" for name, sql in FIELDS[kind])
    return f"SELECT {fields}{', ' + extra if extra else ''} FROM {_FROM[kind]}"


def _select(kind: FactKind) -> str:
    return select_from(kind, "r.customer_id AS returner" if kind in _BY_RETURNER else "")


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

    `order_nos` is ascending; `order_ids` are the shop's own ids of the same orders, where `of_keys` has read them.
    `keys[party]` gives each order's code of customer, e-mail, address, payment and device (-1 where it has none); codes
    of `customer` also serve `Facts.returner`. `names[party]` maps a key to its code.
    """

    order_nos: Ints
    order_ids: Sequence[str]
    keys: Mapping[str, Ints]
    names: Mapping[str, Mapping[str | None, int]]
    facts: Mapping[FactKind, Facts]

    def order_no(self, order_id: str | None) -> int | None:
        """Number of an order of this history."""
        return int(self.order_nos[self.order_ids.index(order_id)]) if order_id in self.order_ids else None

    def fact_keys(self, kind: FactKind, party: str) -> Ints:
        """Code of the party of each fact of a kind."""
        facts = self.facts[kind]
        codes = self.keys[party][facts.order]
        if party == "customer" and facts.returner is not None:
            codes = np.where(facts.returner >= 0, facts.returner, codes)
        return codes


def rows(conn: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query written with `?` marks, straight from the driver: SQLAlchemy's result objects would double
    the time of the small look-ups that an assessment is made of."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(_marks(conn, sql), tuple(parameters))
        return list(cursor.fetchall())
    finally:
        cursor.close()


def _marks(conn: Connection, sql: str) -> str:
    return sql if conn.dialect.name == "sqlite" else sql.replace("%", "%%").replace("?", "%s")


def batches(conn: Connection, sql: str, size: int = _CHUNK) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of a query in batches, so that memory stays bounded."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(_marks(conn, sql))
        while batch := cursor.fetchmany(size):
            yield list(batch)
    finally:
        cursor.close()


_ORDERS_OF_KEYS = (
    "SELECT order_no, customer_id, email_id, address_id, payment_id, device_id, ordered_at, recorded_at, order_id"
    " FROM orders WHERE order_no IN ("
    "SELECT order_no FROM orders WHERE customer_id = ?"
    " UNION SELECT order_no FROM orders WHERE email_id = ?"
    " UNION SELECT order_no FROM orders WHERE address_id = ?"
    " UNION SELECT order_no FROM orders WHERE payment_id = ?"
    " UNION SELECT order_no FROM orders WHERE device_id = ?"
    " UNION SELECT order_no FROM orders WHERE order_id = ?"
    " UNION SELECT order_no FROM returns WHERE customer_id = ?) ORDER BY order_no"
)


def of_keys(conn: Connection, keys: Mapping[str, str | None], order_id: str | None) -> History:
    """The history of every order that shares a customer, e-mail, address, payment or device with `keys`, or is
    `order_id`. `keys` maps parties to (already hashed) ids; missing or `None` ones match nothing."""
    asked = [keys.get(party) for party in PARTIES]
    found = rows(conn, _ORDERS_OF_KEYS, (*asked, order_id, asked[0]))
    # The codes of one request: 0 is the asked key, other keys follow as they come.
    names: dict[str, dict[str | None, int]] = {party: {key: 0} for party, key in zip(PARTIES, asked, strict=True)}
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
    marks = ",".join("?" * len(listed))
    for kind in FACT_KINDS[1:]:
        data = rows(conn, f"{_select(kind)} WHERE {_ALIAS[kind]}.order_no IN ({marks})", listed) if found else []
        facts[kind] = _facts(kind, data, order_nos, names["customer"])
    return History(order_nos, [row[8] for row in found], dict(zip(PARTIES, codes, strict=True)), names, facts)


def _padded(order_nos: list[int]) -> list[int]:
    """Filled up to a power of two, so that the database sees few different statements and keeps them prepared."""
    size = 8
    while size < len(order_nos):
        size *= 2
    return order_nos + [-1] * (size - len(order_nos))


def _facts(kind: FactKind, data: list[tuple[Any, ...]], order_nos: Ints, customers: dict[str | None, int]) -> Facts:
    names = [name for name, _ in FIELDS[kind]]
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
    return Facts(columns, np.searchsorted(order_nos, columns["order_no"]), returner)


def everything(conn: Connection) -> History:
    """The whole ledger. About 60 bytes of memory a fact."""
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
                np.array([-1 if key is None else known.setdefault(key, len(known)) for key in ids], dtype=np.int64)
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
            _facts(kind, batch, numbers, names["customer"])
            for batch in batches(conn, f"{_select(kind)} ORDER BY {_ALIAS[kind]}.order_no")
        ]
        facts[kind] = _concatenated(kind, parts)
    return History(numbers, [], {party: _joined(parts) for party, parts in codes.items()}, names, facts)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _concatenated(kind: FactKind, parts: list[Facts]) -> Facts:
    columns = {name: _joined([part.columns[name] for part in parts]) for name, _ in FIELDS[kind]}
    returner: Ints | None = None
    if any(part.returner is not None for part in parts):
        returner = _joined(
            [np.full(len(part), -1, dtype=np.int64) if part.returner is None else part.returner for part in parts]
        )
    return Facts(columns, _joined([part.order for part in parts]), returner)

"""Reading the whole ledger."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from features.history.facts import Facts, History
from features.history.fields import ALIAS, BY_RETURNER, FIELDS, FROM, OF_ORDER, OVERTURNED, PARTIES
from features.ledger.sql import batches
from features.measures import FACT_KINDS, Columns, FactKind, Ints


@cache
def _select(kind: FactKind) -> str:
    fields = [sql for name, sql in FIELDS[kind] if (kind, name) != OF_ORDER]
    if kind in BY_RETURNER:
        fields.append("r.customer_id")
    tables = "order_lines l" if kind == OF_ORDER[0] else FROM[kind]
    return f"SELECT {', '.join(fields)} FROM {tables}"


def _facts(kind: FactKind, data: list[tuple[Any, ...]], orders: Columns, customers: dict[str | None, int]) -> Facts:
    names = [name for name, _ in FIELDS[kind] if (kind, name) != OF_ORDER]
    returner: Ints | None = None
    if kind in BY_RETURNER:
        if any(row[-1] is not None for row in data):
            returner = np.array(
                [-1 if row[-1] is None else customers.setdefault(row[-1], len(customers)) for row in data],
                dtype=np.int64,
            )
        data = [row[:-1] for row in data]
    table = np.array(data, dtype=np.int64).reshape(-1, len(names)).T
    columns = dict(zip(names, table, strict=True))
    order = np.searchsorted(orders["order_no"], columns["order_no"])
    if kind == OF_ORDER[0]:
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
            for batch in batches(conn, f"{_select(kind)} ORDER BY {ALIAS[kind]}.order_no")
        ]
        joined = _concatenated(kind, parts)
        facts[kind] = joined.with_reversals() if kind in OVERTURNED else joined
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

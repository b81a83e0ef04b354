"""Pooled rates: how often a product, a category, a courier or a country sees returns, defects and losses.

They are known as of the last midnight UTC. The sums of each day are written once the day is over ("closed") and never
change afterwards, because later events are pooled into a later day (`pooled_at` in the ledger). So a pooled value is
the same for every request of a day, can be cached without being wrong, and costs nothing when an event arrives.

Every order line also keeps the returns to expect of it (`expected_ppm`): the rate at which others had returned the
same item when it was bought, with small counts pulled to the category's rate and that to the whole shop's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from features import declarations
from features.clock import DAY, FOREVER, WINDOWS
from features.history import FIELDS, narrow, select_from
from features.kernel.sums import Groups, running
from features.ledger import changes
from features.ledger.sql import batches, execute, execute_many, rows
from features.measures import Entity, FactKind, Ints, Measure

#: How many items of the wider group's rate a product and a category are given to begin with.
PRODUCT_WEIGHT: Final = 20
CATEGORY_WEIGHT: Final = 200

#: The whole shop; kept like an entity so that a category's rate can be pulled to it.
SHOP: Final = Entity("shop", (), ("lifetime",), (declarations.ITEMS_BOUGHT, declarations.ITEMS_RETURNED), pooled=True)
_ENTITIES: Final = (*declarations.POOLED, SHOP)
_ROWS_AT_ONCE = 500_000
_KINDS: Final[tuple[FactKind, ...]] = ("orders", "lines", "returns")
_POOL_KEYS: Final[dict[FactKind, dict[str, str]]] = {
    "orders": {"courier": "o.courier", "country": "o.country", "shop": "''"},
    "lines": {
        "sku": "l.sku",
        "category": "l.category",
        "courier": "o.courier",
        "country": "o.country",
        "shop": "''",
    },
}
_POOL_KEYS["returns"] = _POOL_KEYS["lines"]


@dataclass(frozen=True)
class _State:
    open_day: int | None
    epoch: int


def _state(conn: Connection) -> _State:
    meta = dict(rows(conn, "SELECT name, value FROM ledger_meta"))
    return _State(meta.get("open_day"), meta.get("epoch", 0))


def _set_open_day(conn: Connection, day: int) -> None:
    execute(conn, "DELETE FROM ledger_meta WHERE name = 'open_day'")
    execute(conn, "INSERT INTO ledger_meta (name, value) VALUES ('open_day', ?)", (day,))


def reopen(conn: Connection, first_day: int) -> None:
    """Forget the sums of `first_day` and later, because rows that were recorded then have been added afterwards."""
    state = _state(conn)
    if state.open_day is None or state.open_day <= first_day:
        return
    execute(conn, "DELETE FROM population_days WHERE pooled_day >= ?", (first_day,))
    execute(conn, "UPDATE order_lines SET expected_ppm = NULL WHERE pooled_at >= ?", ((first_day + 1) * DAY,))
    _set_open_day(conn, first_day)
    changes.note_everything(conn)


def close_days(conn: Connection, until_day: int) -> int:
    """Pool every day before `until_day` that is not yet pooled; gives how many days were closed.

    Needs a write transaction. Lines bought up to and on `until_day` get their expected returns.
    """
    state = _state(conn)
    first = state.open_day
    if first is None:
        (earliest,) = rows(conn, "SELECT MIN(pooled_at) FROM orders")[0]
        first = until_day if earliest is None else min(earliest // DAY, until_day)
    if first >= until_day and state.open_day is not None:
        return 0
    expected = _Expected(conn, first)
    for start, end in _spans(conn, first, until_day):
        _close(conn, start, end, expected)
    _set_open_day(conn, until_day)
    expected.settle(
        rows(
            conn,
            f"SELECT order_no, line_id, sku, category, pooled_at / {DAY} FROM order_lines"
            " WHERE pooled_at >= ? AND pooled_at < ? AND expected_ppm IS NULL",
            (first * DAY, (until_day + 1) * DAY),
        ),
        _no_sums(),
    )
    changes.note_orders(conn, expected.settled)
    changes.prune(conn)
    return until_day - first


def settle(conn: Connection, order_nos: Sequence[int]) -> None:
    """Give just appended lines of a day that is already open their expected returns."""
    state = _state(conn)
    if state.open_day is None or not order_nos:
        return
    marks = ",".join("?" * len(order_nos))
    found = rows(
        conn,
        f"SELECT order_no, line_id, sku, category, pooled_at / {DAY} FROM order_lines"
        f" WHERE order_no IN ({marks}) AND expected_ppm IS NULL AND pooled_at < ?",
        (*order_nos, (state.open_day + 1) * DAY),
    )
    if found:
        _Expected(conn, state.open_day).settle(found, _no_sums())


def _spans(conn: Connection, first: int, until: int) -> Iterable[tuple[int, int]]:
    """Days to close, cut so that each stretch has a bounded number of rows."""
    counts = dict(
        rows(
            conn,
            f"SELECT pooled_at / {DAY}, COUNT(*) FROM order_lines WHERE pooled_at >= ? AND pooled_at < ?"
            f" GROUP BY pooled_at / {DAY}",
            (first * DAY, until * DAY),
        )
    )
    start, held = first, 0
    for day in range(first, until):
        held += counts.get(day, 0)
        if held >= _ROWS_AT_ONCE:
            yield start, day + 1
            start, held = day + 1, 0
    if start < until:
        yield start, until


def _close(conn: Connection, start: int, end: int, expected: _Expected) -> None:
    frames = {kind: _facts(conn, kind, start, end) for kind in _KINDS}
    sums: dict[str, pd.DataFrame] = {}
    for entity in _ENTITIES:
        parts = []
        for kind in _KINDS:
            measures = [(place, m) for place, m in enumerate(entity.measures) if m.facts == kind]
            if measures:
                parts.append(_grouped(frames[kind], entity, measures))
        total = pd.concat(parts).groupby(["key", "pooled_day", "occurred_day"], sort=True).sum()
        sums[entity.name] = total
        blobs = total.to_numpy(dtype="<i8")
        execute_many(
            conn,
            "INSERT INTO population_days (entity, key, pooled_day, occurred_day, sums) VALUES (?, ?, ?, ?, ?)",
            [
                (entity.name, key, int(pooled), int(occurred), row.tobytes())
                for (key, pooled, occurred), row in zip(total.index, blobs, strict=True)
            ],
        )
    lines = frames["lines"]
    expected.settle(
        list(
            zip(
                lines["order_no"].tolist(),
                lines["line_id"].tolist(),
                lines["sku"].tolist(),
                lines["category"].tolist(),
                lines["pooled_day"].tolist(),
                strict=True,
            )
        ),
        sums,
    )
    expected.carry(sums)


def _facts(conn: Connection, kind: FactKind, start: int, end: int) -> pd.DataFrame:
    extra = ", ".join(f"{sql} AS {name}" for name, sql in _POOL_KEYS[kind].items())
    alias = kind[0]
    line = ", l.line_id" if kind == "lines" else ""
    orders = "JOIN orders o ON o.order_no = r.order_no" if kind == "returns" else ""
    sql = select_from(kind, f"{alias}.pooled_at / {DAY} AS pooled_day, {extra}{line}", orders)
    sql += f" WHERE {alias}.pooled_at >= {start * DAY} AND {alias}.pooled_at < {end * DAY}"
    names = [name for name, _ in FIELDS[kind]] + ["pooled_day", *_POOL_KEYS[kind]] + (["line_id"] if line else [])
    frames = [pd.DataFrame.from_records(batch, columns=names) for batch in batches(conn, sql)]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({name: [] for name in names})
    for name, _ in FIELDS[kind]:
        frame[name] = frame[name].astype(np.int64)
    frame["pooled_day"] = frame["pooled_day"].astype(np.int64)
    frame["occurred_day"] = frame["occurred_at"] // DAY
    return frame


def _grouped(frame: pd.DataFrame, entity: Entity, measures: list[tuple[int, Measure]]) -> pd.DataFrame:
    columns = {name: frame[name].to_numpy() for name, _ in FIELDS[measures[0][1].facts]}
    wide = pd.DataFrame(
        {place: np.zeros(len(frame), dtype=np.int64) for place in range(len(entity.measures))}, index=frame.index
    )
    for place, measure in measures:
        wide[place] = np.asarray(measure.value(columns), dtype=np.int64)
    wide["key"] = frame[entity.name]
    wide["pooled_day"] = frame["pooled_day"]
    wide["occurred_day"] = frame["occurred_day"]
    wide = wide[wide["key"].notna()]
    return wide.groupby(["key", "pooled_day", "occurred_day"], sort=False).sum().reset_index()


def _no_sums() -> dict[str, pd.DataFrame]:
    return {}


class _Expected:
    """Expected returns of lines, from what was bought and returned before the day of each line."""

    _LEVELS: Final = ("sku", "category", "shop")

    def __init__(self, conn: Connection, first_day: int) -> None:
        self._conn = conn
        self._first_day = first_day
        self._known: dict[str, dict[str, tuple[int, int]]] = {level: {} for level in self._LEVELS}
        self._from_nothing = not rows(conn, "SELECT 1 FROM population_days LIMIT 1")
        #: Orders whose lines were given their expected returns; no longer all of them once there are very many.
        self.settled: set[int] = set()

    def carry(self, sums: dict[str, pd.DataFrame]) -> None:
        """Add the sums of the days just closed to what is known before the next stretch."""
        for level in self._LEVELS:
            totals = sums[level].groupby(level="key").sum()
            known = self._known[level]
            for key, bought, returned in zip(totals.index, totals[0], totals[1], strict=True):
                before = self._before(level, key)
                known[key] = (before[0] + int(bought), before[1] + int(returned))

    def _before(self, level: str, key: str) -> tuple[int, int]:
        known = self._known[level]
        if key not in known:
            total = np.zeros(2, dtype=np.int64)
            if not self._from_nothing:
                found = rows(
                    self._conn,
                    "SELECT sums FROM population_days WHERE entity = ? AND key = ? AND pooled_day < ?",
                    (level, key, self._first_day),
                )
                if found:
                    table = np.frombuffer(b"".join(row[0] for row in found), dtype="<i8").reshape(len(found), -1)
                    total = table[:, :2].sum(axis=0)
            known[key] = (int(total[0]), int(total[1]))
        return known[key]

    def settle(self, lines: list[tuple[Any, ...]], sums: dict[str, pd.DataFrame]) -> None:
        """Write `expected_ppm` of lines (order_no, line_id, sku, category, pooled day); `sums` are those of the days
        that are being closed, `carry` has given the earlier ones."""
        if not lines:
            return
        frame = pd.DataFrame.from_records(lines, columns=["order_no", "line_id", "sku", "category", "day"])
        if len(self.settled) <= changes.MOST:
            self.settled.update(frame["order_no"].tolist())
        frame["shop"] = ""
        day = frame["day"].to_numpy(dtype=np.int64)
        counts = {level: self._counts(level, frame[level], day, sums.get(level)) for level in self._LEVELS}
        bought, returned = counts["shop"]
        shop = returned * 1_000_000 // np.maximum(bought, 1)
        bought, returned = counts["category"]
        category = (returned * 1_000_000 + CATEGORY_WEIGHT * shop) // (bought + CATEGORY_WEIGHT)
        bought, returned = counts["sku"]
        product = (returned * 1_000_000 + PRODUCT_WEIGHT * category) // (bought + PRODUCT_WEIGHT)
        execute_many(
            self._conn,
            "UPDATE order_lines SET expected_ppm = ? WHERE order_no = ? AND line_id = ?",
            zip(
                np.minimum(product, 1_000_000).tolist(),
                frame["order_no"].tolist(),
                frame["line_id"].tolist(),
                strict=True,
            ),
        )

    def _counts(self, level: str, keys: pd.Series[Any], day: Ints, sums: pd.DataFrame | None) -> tuple[Ints, Ints]:
        codes, names = pd.factorize(keys)
        base = np.array([self._before(level, name) for name in names] + [(0, 0)], dtype=np.int64)
        total = base[codes]  # code -1 (no category) reads the last row
        if sums is not None and len(sums):
            fact_codes = names.get_indexer(sums.index.get_level_values("key"))
            kept = fact_codes >= 0
            fact_day = sums.index.get_level_values("pooled_day").to_numpy()[kept]
            origin = int(min(fact_day.min(initial=2**40), day.min()))
            span = int(max(fact_day.max(initial=0), day.max())) - origin + 2
            present = codes >= 0
            total[present] += running(
                fact_codes[kept].astype(np.int64),
                fact_day - origin + 1,  # counts from the day after
                sums[[0, 1]].to_numpy(dtype=np.int64)[kept],
                codes[present].astype(np.int64),
                day[present] - origin,
                span,
            )
        return total[:, 0], total[:, 1]


def lengths(entity: Entity) -> Ints:
    """Window lengths of a pooled entity in days."""
    days = [WINDOWS[name] for name in entity.windows]
    return np.array([FOREVER if d is None else d for d in days], dtype=np.int64)


class Population:
    """Pooled values for the API, with a cache of what a day has asked for. One per process."""

    def __init__(self, size: int = 200_000) -> None:
        self._size = size
        self._cache: OrderedDict[tuple[str, str, int], Ints] = OrderedDict()
        self._epoch = -1
        self._lock = threading.Lock()

    def prepare(self, conn: Connection, day: int) -> bool:
        """Whether every day before `day` is pooled already; drops the cache if bulk ingest has changed the past."""
        state = _state(conn)
        with self._lock:
            if state.epoch != self._epoch:
                self._cache.clear()
                self._epoch = state.epoch
        return state.open_day is not None and state.open_day >= day

    def values(self, conn: Connection, entity: Entity, key: str | None, day: int) -> Ints:
        """Sums as of the midnight that begins `day`: shape (measures * windows,), in the order of
        `entity.feature_names()`."""
        if key is None:
            return np.zeros(len(entity.measures) * len(entity.windows), dtype=np.int64)
        cached = self._cache.get((entity.name, key, day))
        if cached is not None:
            return cached
        found = rows(
            conn,
            "SELECT occurred_day, sums FROM population_days WHERE entity = ? AND key = ? AND pooled_day < ?",
            (entity.name, key, day),
        )
        table = np.frombuffer(b"".join(row[1] for row in found), dtype="<i8").reshape(len(found), len(entity.measures))
        occurred = np.array([row[0] for row in found], dtype=np.int64)
        within = occurred >= (day - lengths(entity))[:, None]
        result: Ints = (within.astype(np.int64) @ table).T.reshape(-1)
        with self._lock:
            self._cache[(entity.name, key, day)] = result
            while len(self._cache) > self._size:
                self._cache.popitem(last=False)
        return result


def values_at(conn: Connection, entity: Entity, keys: pd.Index[Any], days: Ints) -> Ints:
    """Pooled values of n requests at once: shape (n, measures * windows), in the smallest integers that hold them."""
    result = np.zeros((len(keys), len(entity.measures) * len(entity.windows)), dtype=np.int64)
    columns = result.reshape(len(keys), len(entity.measures), len(entity.windows))
    codes, names = pd.factorize(keys)
    asked = Groups.of(codes.astype(np.int64), len(names))
    last = int(days.max(initial=0)) + 2  # later than any request: what starts there is never seen
    sql = (
        "SELECT key, pooled_day, occurred_day, sums FROM population_days"
        f" WHERE entity = '{entity.name}' ORDER BY key, pooled_day, occurred_day"
    )
    # In order of keys, so that each batch concerns its own keys' requests only.
    for batch in batches(conn, sql, _ROWS_AT_ONCE // 4):
        batch_keys, pooled, occurred, blobs = zip(*batch, strict=True)
        fact_codes = names.get_indexer(pd.Index(batch_keys)).astype(np.int64)
        kept = fact_codes >= 0
        fact_codes = fact_codes[kept]
        requests = asked.rows_of(np.unique(fact_codes))
        if not len(requests):
            continue
        table = np.frombuffer(b"".join(blobs), dtype="<i8").reshape(len(blobs), -1)[kept]
        entered = np.array(pooled, dtype=np.int64)[kept] + 1
        occurred_day = np.array(occurred, dtype=np.int64)[kept]
        origin = int(min(entered.min(), days[requests].min()))
        span = last - origin + 2
        asked_codes, asked_days = codes[requests].astype(np.int64), days[requests] - origin
        into = running(fact_codes, np.minimum(entered, last) - origin, table, asked_codes, asked_days, span)
        for place, length in enumerate(lengths(entity).tolist()):
            left = np.minimum(np.maximum(entered, occurred_day + length + 1), last) - origin
            columns[requests, :, place] += into - running(fact_codes, left, table, asked_codes, asked_days, span)
    return narrow(result)

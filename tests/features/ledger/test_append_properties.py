"""Properties of the ledger under any history: splits, repeats, limits, and what an assessment has seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.append import TABLES, Outcome, append_rows
from features.ledger.store import Ledger
from features.ledger.tables import metadata
from features.ledger.watermarks import raise_watermarks
from features.settings import Settings

NOW = 20_000 * DAY
MOMENTS = st.integers(NOW - 8, NOW)
ORDERS, LINES, RETURNS = st.sampled_from(["O1", "O2", "O3"]), st.sampled_from("12"), st.sampled_from(["R1", "R2", "R3"])
ADDRESSES = st.sampled_from([None, "home", "work"])
CUSTOMERS = st.sampled_from(["C1", "C2"])
QUANTITIES = st.integers(1, 4)

ROWS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "orders": st.fixed_dictionaries(
        {"order_id": ORDERS, "customer_id": CUSTOMERS, "ordered_at": MOMENTS, "address_id": ADDRESSES}
    ),
    "order_lines": st.fixed_dictionaries(
        {
            "order_id": ORDERS,
            "line_id": LINES,
            "sku": st.just("S"),
            "quantity": QUANTITIES,
            "unit_price_e4": st.integers(0, 10_000),
            "discount_e4": st.sampled_from([None, 0, 777]),
        }
    ),
    "deliveries": st.fixed_dictionaries({"order_id": ORDERS, "delivered_at": MOMENTS}),
    "returns": st.fixed_dictionaries(
        {
            "return_id": RETURNS,
            "order_id": ORDERS,
            "line_id": LINES,
            "requested_at": st.integers(NOW - 4, NOW),
            "quantity": QUANTITIES,
            "reason": st.sampled_from(["gift", "other"]),
        },
        optional={"customer_id": CUSTOMERS},
    ),
    "inspections": st.fixed_dictionaries(
        {"return_id": RETURNS, "inspected_at": MOMENTS, "finding": st.just("worn")}, optional={"line_id": LINES}
    ),
    "verdicts": st.fixed_dictionaries({"return_id": RETURNS, "decided_at": MOMENTS, "verdict": st.just("cleared")}),
}
History = dict[str, list[dict[str, Any]]]
HISTORIES: st.SearchStrategy[History] = st.tuples(*(st.lists(ROWS[table], max_size=8) for table in TABLES)).map(
    lambda lists: dict(zip(TABLES, lists, strict=True))
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = Ledger.open(Settings(home=tmp_path_factory.mktemp("ledger"), database_url="", hash_key=""))
    yield ledger
    ledger.close()


@contextmanager
def empty(ledger: Ledger) -> Iterator[Connection]:
    """A transaction on the empty ledger that is taken back at the end."""
    with ledger.write() as conn:
        yield conn
        conn.rollback()


def put(conn: Connection, ledger: Ledger, table: str, rows: list[dict[str, Any]], *, live: bool = False) -> Outcome:
    return append_rows(conn, table, rows, live=live, now_us=NOW, hasher=ledger.hasher)


def content(conn: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, without the numbers that only say in which order rows came."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name in TABLES:
        columns = ", ".join(c.name for c in metadata.tables[name].c if not c.name.endswith("_no"))
        rows = conn.exec_driver_sql(f"SELECT {columns} FROM {name}")
        found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


@quick
@given(history=HISTORIES, cuts=st.lists(st.integers(0, 8), max_size=4), live=st.booleans())
def test_any_split_ends_in_the_same_ledger(ledger: Ledger, history: History, cuts: list[int], live: bool) -> None:
    with empty(ledger) as conn:
        outcomes = {table: put(conn, ledger, table, rows, live=live) for table, rows in history.items()}
        whole = content(conn)
    edges = sorted({0, 8, *cuts})
    with empty(ledger) as conn:
        for table, rows in history.items():
            parts = [put(conn, ledger, table, rows[a:b], live=live) for a, b in pairwise(edges)]
            assert sum(part.accepted for part in parts) == outcomes[table].accepted
            assert sum(part.duplicates for part in parts) == outcomes[table].duplicates
            refused = [
                (start + reject.index, reject.column, reject.reason)
                for start, part in zip(edges, parts, strict=False)
                for reject in part.rejects
            ]
            assert refused == [(r.index, r.column, r.reason) for r in outcomes[table].rejects]
        assert content(conn) == whole


@quick
@given(history=HISTORIES, live=st.booleans())
def test_the_same_again_changes_nothing(ledger: Ledger, history: History, live: bool) -> None:
    with empty(ledger) as conn:
        first = {table: put(conn, ledger, table, rows) for table, rows in history.items()}
        before = content(conn)
        for table, rows in history.items():
            refused = {reject.index for reject in first[table].rejects}
            taken = [row for index, row in enumerate(rows) if index not in refused]
            again = put(conn, ledger, table, taken, live=live)
            assert (again.accepted, again.duplicates, again.rejects) == (0, len(taken), [])
        assert content(conn) == before


@quick
@given(history=HISTORIES)
def test_every_row_is_accounted_for(ledger: Ledger, history: History) -> None:
    with empty(ledger) as conn:
        for table, rows in history.items():
            outcome = put(conn, ledger, table, rows)
            assert outcome.accepted + outcome.duplicates + len(outcome.rejects) == len(rows)
            stored = conn.exec_driver_sql(f"SELECT count(*), min(recorded_at) FROM {table}").one()
            assert stored == (outcome.accepted, outcome.earliest_recorded_us)
        quantities = "SELECT coalesce(sum(quantity), 0) FROM order_lines"
        values = {(r["order_id"], r["line_id"]): r["quantity"] for r in reversed(history["order_lines"])}
        known = {row["order_id"] for row in history["orders"]}
        expected = sum(quantity for (order_id, _), quantity in values.items() if order_id in known)
        assert conn.exec_driver_sql(quantities).scalar() == expected


@quick
@given(history=HISTORIES, extra=st.lists(ROWS["returns"], max_size=12), live=st.booleans())
def test_never_more_returned_than_bought(
    ledger: Ledger, history: History, extra: list[dict[str, Any]], live: bool
) -> None:
    with empty(ledger) as conn:
        for table, rows in history.items():
            put(conn, ledger, table, rows, live=live)
        for row in extra:
            put(conn, ledger, "returns", [row], live=not live)
        left = conn.exec_driver_sql(
            "SELECT min(l.quantity - (SELECT coalesce(sum(r.quantity), 0) FROM returns r "
            "WHERE r.order_no = l.order_no AND r.line_id = l.line_id)) FROM order_lines l"
        ).scalar()
        assert left is None or left >= 0
        leads = conn.exec_driver_sql("SELECT sum(leads) FROM returns GROUP BY return_id").scalars().all()
        assert set(leads) <= {1}


@quick
@given(history=HISTORIES)
def test_nothing_is_known_before_what_it_belongs_to(ledger: Ledger, history: History) -> None:
    with empty(ledger) as conn:
        for table, rows in history.items():
            put(conn, ledger, table, rows, live=True)
        for table in TABLES[1:]:
            early = f"SELECT count(*) FROM {table} c JOIN orders o USING (order_no) WHERE c.recorded_at < o.recorded_at"
            assert conn.exec_driver_sql(early).scalar() == 0


EVENTS = st.lists(
    st.one_of(
        *(st.tuples(st.just(table), rows) for table, rows in ROWS.items()),
        st.tuples(st.just("assess"), st.tuples(CUSTOMERS, ADDRESSES, MOMENTS)),
    ),
    max_size=30,
)
SEEN = (
    "SELECT '{0}', t.digest FROM {0} t JOIN orders o ON o.order_no = t.order_no "
    "WHERE (o.customer_id = ? OR o.address_id = ?) AND t.recorded_at < ?"
)


@settings(quick, max_examples=150)
@given(history=HISTORIES, events=EVENTS)
def test_an_assessment_made_again_sees_what_it_saw(
    ledger: Ledger, history: History, events: list[tuple[str, Any]]
) -> None:
    """Whatever arrives later, however late, the rows recorded before an assessment stay those that it read."""

    def seen(conn: Connection, customer: str, address: str | None, moment: int) -> set[tuple[str, bytes]]:
        rows: set[tuple[str, bytes]] = set()
        for table in TABLES:
            rows.update((r[0], r[1]) for r in conn.exec_driver_sql(SEEN.format(table), (customer, address, moment)))
        return rows

    with empty(ledger) as conn:
        for table, rows in history.items():
            put(conn, ledger, table, rows, live=True)
        read: dict[tuple[str, str | None, int], set[tuple[str, bytes]]] = {}
        arrived: dict[str, int] = defaultdict(int)
        for kind, value in events:
            if kind == "assess":
                customer, raw, moment = value
                address = ledger.hasher.address(raw)
                keys = [("customer", customer), *([("address", address)] if address else [])]
                read[customer, address, moment] = seen(conn, customer, address, moment)
                raise_watermarks(conn, keys, moment)
            else:
                arrived[kind] += put(conn, ledger, kind, [value], live=True).accepted
            for question, answer in read.items():
                assert seen(conn, *question) == answer
        for question in read:  # and an assessment of after now sees all that has arrived
            customer, address, _ = question
            everything = seen(conn, customer, address, 2**62)
            assert seen(conn, customer, address, NOW + 1) == everything

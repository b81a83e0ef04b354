"""An empty ledger per test, and short ways to make rows and to append them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.append import TABLES, Outcome, append_rows
from features.ledger.identity import KeyHasher
from features.ledger.store import Ledger
from features.ledger.tables import metadata
from features.settings import Settings

NOW = 20_000 * DAY


class Rows:
    """Rows of the table contract with everything filled in that a test does not care about."""

    now = NOW

    def order(self, order_id: str = "O1", **values: Any) -> dict[str, Any]:
        row = {"order_id": order_id, "customer_id": "C1", "ordered_at": NOW - 100 * DAY, "country": "DE"}
        return row | values

    def line(self, order_id: str = "O1", line_id: str = "1", **values: Any) -> dict[str, Any]:
        row = {"order_id": order_id, "line_id": line_id, "sku": "S1", "quantity": 3, "unit_price_e4": 199_500}
        return row | values

    def delivery(self, order_id: str = "O1", **values: Any) -> dict[str, Any]:
        return {"order_id": order_id, "delivered_at": NOW - 98 * DAY, "proof": "scan"} | values

    def returned(
        self, return_id: str = "R1", order_id: str = "O1", line_id: str = "1", **values: Any
    ) -> dict[str, Any]:
        row = {
            "return_id": return_id,
            "order_id": order_id,
            "line_id": line_id,
            "requested_at": NOW - 90 * DAY,
            "quantity": 1,
            "reason": "size_fit",
        }
        return row | values

    def inspection(self, return_id: str = "R1", **values: Any) -> dict[str, Any]:
        return {"return_id": return_id, "inspected_at": NOW - 80 * DAY, "finding": "as_described"} | values

    def verdict(self, return_id: str = "R1", **values: Any) -> dict[str, Any]:
        return {"return_id": return_id, "decided_at": NOW - 79 * DAY, "verdict": "cleared"} | values

    def history(self) -> dict[str, list[dict[str, Any]]]:
        """One order with a line, delivered, returned, inspected and concluded."""
        rows = (self.order(), self.line(), self.delivery(), self.returned(), self.inspection(), self.verdict())
        return {table: [row] for table, row in zip(TABLES, rows, strict=True)}


class Book:
    """A ledger with short ways to append to it and to look at what it holds."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.rows = Rows()

    def append(self, table: str, *rows: dict[str, Any], live: bool = False, now: int = NOW) -> Outcome:
        with self.ledger.write() as conn:
            return append_rows(conn, table, rows, live=live, now_us=now, hasher=self.ledger.hasher)

    def ok(self, table: str, *rows: dict[str, Any], live: bool = False, now: int = NOW) -> Outcome:
        """Appends rows that must all get in."""
        outcome = self.append(table, *rows, live=live, now=now)
        assert outcome.rejects == []
        assert outcome.accepted == len(rows)
        return outcome

    def refused(self, table: str, row: dict[str, Any], *, live: bool = False) -> tuple[str, str]:
        """Appends a row that must not get in; the column at fault and the reason."""
        before = self.content()
        outcome = self.append(table, row, live=live)
        assert outcome.accepted == 0
        assert self.content() == before
        (reject,) = outcome.rejects
        assert reject.index == 0
        return reject.column, reject.reason

    def fill(self) -> None:
        for table, rows in self.rows.history().items():
            self.ok(table, *rows)

    def table(self, name: str) -> list[dict[str, Any]]:
        with self.ledger.read() as conn:
            return rows_of(conn, name)

    def content(self) -> dict[str, list[dict[str, Any]]]:
        with self.ledger.read() as conn:
            return content_of(conn)

    def execute(self, statement: str, *parameters: Any) -> None:
        with self.ledger.write() as conn:
            conn.exec_driver_sql(statement, parameters)


def rows_of(conn: Connection, name: str) -> list[dict[str, Any]]:
    table = metadata.tables[name]
    return [dict(row._mapping) for row in conn.execute(sa.select(table).order_by(*table.primary_key))]


def content_of(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    return {name: rows_of(conn, name) for name in (*TABLES, "live_events", "watermarks")}


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("migrated")
    Ledger.open(Settings(home=home)).close()
    return home


@pytest.fixture
def settings(_migrated: Path, tmp_path: Path) -> Settings:
    """Settings with a home that holds an empty ledger."""
    home = tmp_path / "home"
    shutil.copytree(_migrated, home)
    return Settings(home=home, database_url="", hash_key="")


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    ledger = Ledger.open(settings)
    yield ledger
    ledger.close()


@pytest.fixture
def book(ledger: Ledger) -> Book:
    return Book(ledger)


@pytest.fixture(scope="session")
def hasher() -> KeyHasher:
    return KeyHasher(b"a key for tests")

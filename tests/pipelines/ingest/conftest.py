"""A home of its own for each test, small tables to ingest, and what is in the ledger afterwards."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features.ledger.store import Ledger
from features.ledger.tables import metadata
from features.settings import Settings
from pipelines.ingest.report import IngestReport
from pipelines.ingest.run import ingest

GOOD: dict[str, list[dict[str, str]]] = {
    "orders": [
        {
            "order_id": "O1",
            "customer_id": "C1",
            "ordered_at": "2026-01-01T10:00:00Z",
            "channel": "web",
            "country": "DE",
            "currency": "EUR",
            "email_id": "ann@example.com",
            "address_id": "A1",
            "payment_id": "P1",
            "device_id": "D1",
            "courier": "swift",
        },
        {"order_id": "O2", "customer_id": "C2", "ordered_at": "2026-01-02T10:00:00+02:00", "channel": "store"},
    ],
    "order_lines": [
        {"order_id": "O1", "line_id": "1", "sku": "S1", "quantity": "2", "unit_price": "9.99", "category": "shoes"},
        {"order_id": "O1", "line_id": "2", "sku": "S2", "quantity": "1", "unit_price": "100", "discount": "10.5"},
        {"order_id": "O2", "line_id": "1", "sku": "S1", "quantity": "3", "unit_price": "9.9999"},
    ],
    "deliveries": [{"order_id": "O1", "delivered_at": "2026-01-03T10:00:00Z", "proof": "photo"}],
    "returns": [
        {
            "return_id": "R1",
            "order_id": "O1",
            "line_id": "1",
            "requested_at": "2026-01-09T10:00:00Z",
            "quantity": "1",
            "reason": "size_fit",
            "kind": "return",
            "resolution": "refund",
            "channel": "web",
            "tender": "original",
            "proof_of_purchase": "true",
        }
    ],
    "inspections": [
        {
            "return_id": "R1",
            "inspected_at": "2026-01-12T10:00:00Z",
            "finding": "as_described",
            "trigger": "random",
            "propensity": "0.05",
        }
    ],
    "verdicts": [
        {"return_id": "R1", "decided_at": "2026-01-13T10:00:00Z", "verdict": "cleared", "basis": "inspection"}
    ],
}


@dataclass
class Shop:
    """A folder of tables, a home, and shortcuts to ingest the one into the other."""

    folder: Path
    settings: Settings

    def text(self, table: str, content: str | bytes) -> Path:
        """Writes a table's CSV file as given."""
        path = self.folder / f"{table}.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def write(self, tables: dict[str, list[dict[str, str]]], form: str = "csv") -> None:
        """Writes tables with the columns that any of their rows has."""
        for table, rows in tables.items():
            names = list(dict.fromkeys(name for row in rows for name in row))
            path = self.folder / f"{table}.{form}"
            if form == "parquet":
                pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)
                continue
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                writer.writerows(rows)

    def ingest(self, **options: Any) -> IngestReport:
        """Ingests the folder."""
        return ingest(self.folder, settings=self.settings, **options)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The ledger's rows of a table, without serial numbers, in the order of ingest."""
        return dump(self.settings)[table]

    @staticmethod
    def rejects(report: IngestReport) -> list[tuple[str, int, str, str]]:
        """(file, line, column, reason) of the rejects file."""
        return [(r["file"], int(r["line"]), r["column"], r["reason"]) for r in rejected_rows(report)]


def rejected_rows(report: IngestReport) -> list[dict[str, Any]]:
    """The rejects file; `row` parsed."""
    if report.rejects_file is None:
        return []
    with report.rejects_file.open(encoding="utf-8", newline="") as file:
        return [{**row, "row": json.loads(row["row"])} for row in csv.DictReader(file)]


def dump(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Everything that the ledger says, by table; not how many steps it took to write it (`order_changes`)."""
    ledger = Ledger.open(settings)
    try:
        with ledger.read() as conn:
            return {
                name: [dict(row) for row in conn.execute(sa.select(table)).mappings()]
                for name, table in metadata.tables.items()
                if name != "order_changes"
            }
    finally:
        ledger.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own and a known hash key."""
    return Settings(home=tmp_path / "home", hash_key="a key for tests only")


@pytest.fixture
def shop(tmp_path: Path, settings: Settings) -> Shop:
    """A folder without tables and an empty home."""
    folder = tmp_path / "tables"
    folder.mkdir()
    return Shop(folder, settings)


@pytest.fixture
def good() -> dict[str, list[dict[str, str]]]:
    """Every table with good rows, free to be changed."""
    return {table: [dict(row) for row in rows] for table, rows in GOOD.items()}


@pytest.fixture
def rejected() -> Callable[[IngestReport], list[dict[str, Any]]]:
    """Reads a report's rejects file."""
    return rejected_rows


@pytest.fixture
def dumped() -> Callable[[Settings], dict[str, list[dict[str, Any]]]]:
    """Reads everything in a ledger."""
    return dump

"""Everything that is stored about a person, read from all tables that are declared as personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy import Column, LargeBinary, MetaData, Table
from sqlalchemy.engine import Connection

from features.ledger.tables import metadata as ledger_metadata
from serving.all_tables import metadata as service_metadata
from serving.clock import iso
from serving.privacy.declarations import PERSONAL, STAFF_COLUMNS
from serving.privacy.describe import plain_rows
from serving.privacy.person import Person, rows_of
from serving.texts.catalogue import SOURCE

#: What stands for whoever of the staff did something.
STAFF: Final = "a member of staff"
_METADATA: Final[tuple[MetaData, ...]] = (ledger_metadata, service_metadata)
#: Columns whose text is JSON.
_JSON: Final = frozenset(
    (
        ("assessments", "answer"),
        ("audit", "content"),
        ("requests_of_people", "content"),
        ("webhook_messages", "content"),
    )
)


@dataclass(slots=True)
class Collected:
    """What was found: rows by table, as JSON has them, and the photos by the name of their file."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table, of those that have any."""
        return {table: len(rows) for table, rows in self.tables.items() if rows}


def collect(conn: Connection, person: Person, language: str = SOURCE) -> Collected:
    """Read everything about a person; what their values mean is told in a language. Not for the event loop."""
    found = Collected()
    for name in PERSONAL:
        table = table_of(name)
        columns = [str(column.name) for column in table.columns]
        found.tables[name] = [
            _told(table, dict(zip(columns, row, strict=True)), found.files, language)
            for row in rows_of(conn, person, name, columns)
        ]
    return found


def table_of(name: str) -> Table:
    """A table of the ledger or of the service."""
    return next(metadata.tables[name] for metadata in _METADATA if name in metadata.tables)


def _told(table: Table, row: dict[str, Any], files: dict[str, bytes], language: str) -> dict[str, Any]:
    """A row as JSON has it: times in ISO 8601, JSON unpacked, photos as files, vectors value by value."""
    told: dict[str, Any] = {}
    for column in table.columns:
        name = str(column.name)
        value = row[name]
        if value is None:
            told[name] = None
        elif name in STAFF_COLUMNS:
            told[name] = STAFF
        elif table.name == "assessments" and name == "vector":
            told["features"] = plain_rows(row["feature_service"], bytes(value), language)
        elif (table.name, name) in _JSON:
            told[name] = orjson.loads(value)
        elif table.name == "case_photos" and name in ("content", "thumbnail"):
            told[name] = f"photos/{row['photo_no']}{'-small' if name == 'thumbnail' else ''}.jpg"
            files[told[name]] = bytes(value)
        else:
            told[name] = _plain(column, value)
    return told


def _plain(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, LargeBinary):
        return bytes(value).hex()
    if isinstance(value, int) and is_time(column.name):
        return iso(value)
    return value


def is_time(column: str) -> bool:
    """Whether a column holds a moment.

    >>> is_time("opened_at"), is_time("assessed_until"), is_time("case_no")
    (True, True, False)
    """
    return column == "at" or column.endswith(("_at", "_until", "_since"))

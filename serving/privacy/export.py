"""The file that a person gets: everything as JSON, a page to read it with, and the photos, in one ZIP."""

from __future__ import annotations

import io
import zipfile
from functools import cache, partial
from pathlib import Path
from typing import Final

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.engine import Connection

from serving.clock import iso
from serving.privacy.collect import Collected, collect
from serving.privacy.person import Person
from serving.privacy.telling import cell, shown_columns
from serving.reasons.told import told
from serving.texts import texts

_FOLDER: Final = Path(__file__).parent
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)  # no entry of the archive tells more than its content does


def export(conn: Connection, person: Person, *, language: str, now: int) -> tuple[bytes, dict[str, int]]:
    """The ZIP with everything about a person, and how many rows of which table are in it. Not for the event loop."""
    found = collect(conn, person, language)
    return archive(found, person.customer_id, language=language, now=now), found.counts


def archive(found: Collected, customer_id: str, *, language: str, now: int) -> bytes:
    """The ZIP of what was collected."""
    document = {
        "customer_id": customer_id,
        "made_at": iso(now),
        "tables": {
            table: {"meaning": texts(language)(f"export.tables.{table}"), "rows": rows}
            for table, rows in found.tables.items()
        },
    }
    files = {
        "index.html": page(found, customer_id, language=language, now=now).encode(),
        "data.json": orjson.dumps(document, option=orjson.OPT_INDENT_2),
        **found.files,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _OLDEST), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def page(found: Collected, customer_id: str, *, language: str, now: int) -> str:
    """The page to read it with; needs nothing from anywhere else."""
    filled = {table: rows for table, rows in found.tables.items() if rows}
    return (
        _environment()
        .get_template("export.html")
        .render(
            t=texts(language),
            language=language,
            customer_id=customer_id,
            day=texts(language).writing.date_text(now),
            sections={table: (shown_columns(rows), rows) for table, rows in filled.items()},
            empty=[table for table in found.tables if table not in filled],
            cell=partial(cell, texts(language)),
            told=partial(told, language=language),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""The file that a person gets: all that is stored, told in words, and nobody else's."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.ledger.tables import metadata as ledger_metadata
from features.service import VECTOR
from serving.all_tables import metadata as service_metadata
from serving.audit import trail
from serving.audit.trail import Actor
from serving.privacy import service
from serving.privacy.collect import collect, table_of
from serving.privacy.declarations import NOT_PERSONAL, PERSONAL, STAFF_COLUMNS
from serving.privacy.export import export
from serving.privacy.person import Person, find_person
from serving.privacy.telling import cell, shown_columns
from serving.problems import Forbidden
from serving.texts import LANGUAGES, texts
from tests.serving.privacy.conftest import LEAD, NOW, TELLING, WHO

TABLES = {**ledger_metadata.tables, **service_metadata.tables}


def test_every_table_is_declared_as_personal_or_not() -> None:
    declared = {*PERSONAL, *NOT_PERSONAL}
    assert set(TABLES) - declared == set(), "say in serving/privacy/declarations.py what the table holds of customers"
    assert declared - set(TABLES) == set()
    assert not set(PERSONAL) & set(NOT_PERSONAL)


def test_columns_that_lead_to_customers_are_only_in_personal_tables() -> None:
    leading = {"customer_id", "return_id", "case_no", "order_no", "assessment_id", "subject", "words"}
    for name in NOT_PERSONAL:
        found = leading & {column.name for column in TABLES[name].columns}
        assert not found or name == "order_changes", (name, found)


def test_what_finds_the_rows_is_a_column() -> None:
    for name, personal in PERSONAL.items():
        assert {column for column, _ in personal.ways} <= set(TABLES[name].columns.keys()), name
    assert {column.name for table in TABLES.values() for column in table.columns} >= STAFF_COLUMNS - {"not_by"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_has_words(language: str) -> None:
    t = texts(language)
    assert all(f"export.names.{name}" in t and f"export.tables.{name}" in t for name in PERSONAL)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_that_is_shown_has_a_name(language: str) -> None:
    t = texts(language)
    for table in PERSONAL:
        filled = {column.name: 1 for column in table_of(table).columns if column.name not in ("answer", "vector")}
        assert [name for name in shown_columns([filled]) if f"export.columns.{name}" not in t] == [], table


@pytest.mark.parametrize(
    ("table", "name", "value", "words"),
    [
        ("returns", "reason", "size_fit", "Maat of pasvorm"),
        ("returns", "kind", "claim", "Claim zonder retour"),
        ("returns", "requested_at", "2026-11-05T08:40:00.000000Z", "5 nov 2026, 08:40"),
        ("order_lines", "value_minor", 123_456, "1.234,56"),
        ("case_verdicts", "second_opinion", 1, "ja"),
        ("audit", "staff_id", "a member of staff", "een medewerker"),
        ("audit", "operation", "customer.export", "Alles geëxporteerd"),
        ("assessments", "risk", 0.25, "0,2500"),
        ("cases", "verdict", None, ""),
        ("orders", "order_no", 1_234, "1234"),
    ],
)
def test_a_value_is_told_in_words(table: str, name: str, value: Any, words: str) -> None:
    assert cell(texts("nl"), table, name, value).replace("\N{NO-BREAK SPACE}", " ") == words


def person(ledger: Ledger, who: str = WHO) -> Person:
    with ledger.read() as conn:
        return find_person(conn, ledger.hasher, who)


def opened(ledger: Ledger, language: str = "en") -> tuple[zipfile.ZipFile, dict[str, Any], str]:
    with ledger.read() as conn:
        content, _ = export(conn, find_person(conn, ledger.hasher, WHO), language=language, now=NOW)
    archive = zipfile.ZipFile(io.BytesIO(content))
    return archive, json.loads(archive.read("data.json")), archive.read("index.html").decode()


def test_a_customer_who_is_everywhere_is_found_everywhere(ledger: Ledger) -> None:
    with ledger.read() as conn:
        found = collect(conn, person(ledger))
    assert {name for name, count in found.counts.items() if count} == set(PERSONAL)
    assert [row["message_id"] for row in found.tables["webhook_messages"]] == ["m"]  # another case has a longer number
    assert len(found.tables["orders"]) == 8


def test_the_archive_tells_all_of_it(ledger: Ledger) -> None:
    archive, data, page = opened(ledger)
    assert archive.testzip() is None
    assert set(archive.namelist()) == {"index.html", "data.json", "photos/1.jpg", "photos/1-small.jpg"}
    assert archive.read("photos/1.jpg") == b"a picture"
    assert set(data["tables"]) == set(PERSONAL)
    for words in (*TELLING, WHO, "3 of 4 came back.", "seal"):
        assert words in page
    (assessment,) = data["tables"]["assessments"]["rows"]
    assert [each["name"] for each in assessment["features"]] == list(VECTOR)
    assert all(each["meaning"] for each in assessment["features"])
    assert {each["name"] for each in assessment["features"] if each["withheld"]} >= {
        "others_at_address_confirmed_lifetime",
        "address_returns_90d",
    }
    assert not any(each["withheld"] for each in assessment["features"] if each["name"].startswith("customer_"))


def test_it_names_no_colleague_and_nobody_else(ledger: Ledger) -> None:
    archive, data, page = opened(ledger)
    text = page + json.dumps(data)
    assert "reviewer-1" not in text
    assert "lead-1" not in text
    assert '"role": "lead"' in json.dumps(data["tables"]["audit"])
    others = {f'"c{number}"' for number in range(12)} - {f'"{WHO}"'}
    assert not any(name in text for name in others)
    del archive


def test_the_page_is_in_the_language_of_the_person_and_escapes_what_it_shows(ledger: Ledger) -> None:
    with ledger.write() as conn:
        conn.exec_driver_sql("UPDATE case_notes SET words = '<script>alert(1)</script>'")
    _, _, page = opened(ledger, "nl")
    assert '<html lang="nl">' in page
    assert "Bestellingen" in page
    assert "claims zonder dat er goederen terugkomen, in 30 dagen (van de klant)" in page
    assert "een medewerker" in page
    assert "a member of staff" not in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_of_somebody_unknown_there_is_nothing(ledger: Ledger) -> None:
    nobody = person(ledger, "nobody")
    assert not nobody.is_known
    with ledger.read() as conn:
        assert collect(conn, nobody).counts == {}


def test_handing_it_out_is_noted(ledger: Ledger) -> None:
    who = person(ledger)
    with ledger.write() as conn:
        service.note_export(conn, LEAD, who, {"orders": 8}, now=NOW)
        entry = trail.of_subject(conn, who.subject)[0]
        assert (entry.operation, entry.content["rows"]) == ("customer.export", 8)
        assert rows(conn, "SELECT count(*) FROM requests_of_people WHERE kind = 'export'") == [(2,)]
        with pytest.raises(Forbidden):
            service.note_export(conn, Actor("staff", "r", "reviewer"), who, {}, now=NOW)

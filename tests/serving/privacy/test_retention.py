"""Retention: each class after its time, nothing before, and only once."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.clock import DAY
from features.ledger.sql import rows
from features.ledger.store import Ledger
from pipelines.cli import app
from serving.privacy.periods import FILE, RetentionError, read_periods
from serving.privacy.retention import CLASSES, RULES, due, remove
from tests.support.closed_cases import OPENED
from tests.support.service import HASH_KEY

PERIODS = read_periods(FILE, CLASSES)
LONGEST = max(PERIODS.values())


def count(ledger: Ledger, table: str) -> int:
    with ledger.read() as conn:
        return int(rows(conn, f"SELECT count(*) FROM {table}")[0][0])


def test_nothing_goes_before_its_time(ledger: Ledger) -> None:
    assert remove(ledger.write, PERIODS, OPENED + DAY) == {}
    with ledger.read() as conn:
        assert rows(conn, "SELECT 1 FROM audit WHERE operation = 'system.retention'") == []


def test_photos_go_first_and_the_case_last(ledger: Ledger) -> None:
    now = OPENED + (PERIODS["photos"] + 2) * DAY
    with ledger.read() as conn:
        would = due(conn, PERIODS, now)
    assert would["case_photos"] == 1
    assert count(ledger, "case_photos") == 1  # only looked
    assert remove(ledger.write, PERIODS, now) == would
    assert (count(ledger, "case_photos"), count(ledger, "case_notes"), count(ledger, "cases")) == (0, 1, 1)
    assert remove(ledger.write, PERIODS, now) == {}  # once
    with ledger.read() as conn:
        ((content,),) = rows(conn, "SELECT content FROM audit WHERE operation = 'system.retention'")
    assert '"case_photos":1' in content

    now = OPENED + (PERIODS["notes"] + 2) * DAY
    assert remove(ledger.write, PERIODS, now)["case_notes"] == 1
    with ledger.read() as conn:
        assert rows(conn, "SELECT words FROM case_verdicts UNION ALL SELECT words FROM disputes") == [("",), ("",)]

    ledgers = {table: count(ledger, table) for table in ("orders", "returns", "verdicts", "audit")}
    done = remove(ledger.write, PERIODS, OPENED + (LONGEST + 100) * DAY)
    assert done["cases"] == 1
    assert done["notices"] == 1
    assert done["restrictions"] == 1
    for table in ("cases", "case_findings", "case_checks", "case_verdicts", "disputes", "webhook_messages", "notices"):
        assert count(ledger, table) == 0, table
    with ledger.read() as conn:
        assert rows(conn, "SELECT length(vector), feature_service, risk FROM assessments") == [(0, "removed", 0.3)]
        assert not rows(conn, "PRAGMA foreign_key_check")
    assert {table: count(ledger, table) for table in ledgers} == ledgers | {"audit": ledgers["audit"] + 1}


def test_what_is_open_stays_however_old(ledger: Ledger) -> None:
    with ledger.write() as conn:
        conn.exec_driver_sql("UPDATE cases SET state = 'disputed'")
    done = remove(ledger.write, PERIODS, OPENED + (LONGEST + 100) * DAY)
    assert not {"cases", "case_notes", "case_photos", "case_verdicts", "disputes"} & set(done)


def test_every_class_is_written_down_and_every_rule_has_a_table(ledger: Ledger) -> None:
    assert set(PERIODS) == CLASSES
    with ledger.read() as conn:
        for rule in RULES:
            rows(conn, f"SELECT {rule.key} FROM {rule.table} WHERE {rule.old}", (0,))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("[photos]", "[pictures]"), "photos is missing|pictures is no class"),
        (("days = 365", "days = 0"), "photos.days must be a whole number"),
        (("days = 365", "days = true"), "photos.days must be a whole number"),
        (("days = 365", "weeks = 3"), "photos must have days"),
        (("[photos]", "[photos"), "own.toml: "),
    ],
)
def test_a_file_that_is_wrong_names_the_place(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(FILE.read_text().replace(*change, 1))
    with pytest.raises(RetentionError, match=told):
        read_periods(path, CLASSES)
    with pytest.raises(RetentionError, match=r"none\.toml"):
        read_periods(tmp_path / "none.toml", CLASSES)


def test_the_command_tells_what_it_did(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path))
    monkeypatch.setenv("RETURNWISE_HASH_KEY", HASH_KEY)
    from features.settings import get_settings

    get_settings.cache_clear()
    try:
        with ledger.write() as conn:  # long ago by any clock
            conn.exec_driver_sql("UPDATE notices SET made_at = 1")
        looked = CliRunner().invoke(app, ["retention", "--dry-run"])
        assert (looked.exit_code, "notices: 1" in looked.stdout, count(ledger, "notices")) == (0, True, 1)
        did = CliRunner().invoke(app, ["retention"])
        assert (did.exit_code, "notices: 1" in did.stdout, count(ledger, "notices")) == (0, True, 0)
        again = CliRunner().invoke(app, ["retention"])
        assert (again.exit_code, "nothing" in again.stdout) == (0, True)
        wrong = CliRunner().invoke(app, ["retention", "--file", str(tmp_path / "none.toml")])
        assert wrong.exit_code == 1
    finally:
        get_settings.cache_clear()

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from features.ledger import schema, tables
from features.ledger.errors import LedgerError
from features.ledger.store import Ledger
from features.settings import Settings
from serving import all_tables as service_tables

SCRIPTS = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))


def statements(engine: sa.Engine) -> set[str]:
    """The CREATE statements of a database, without what does not matter in them."""
    with engine.connect() as conn:
        found = conn.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").scalars()
        return {re.sub(r"\s+", "", sql).replace(",CONSTRAINT", ",") for sql in found}


def test_the_migrated_schema_is_that_of_the_tables(ledger: Ledger, tmp_path: Path) -> None:
    wanted = sa.create_engine(f"sqlite:///{tmp_path / 'wanted.db'}")
    tables.metadata.create_all(wanted)
    service_tables.metadata.create_all(wanted)
    migrated = {sql for sql in statements(ledger.engine) if schema.VERSION_TABLE not in sql}
    assert migrated == statements(wanted)
    wanted.dispose()


def test_alembic_finds_no_difference_either(ledger: Ledger) -> None:
    both: Any = [tables.metadata, service_tables.metadata]  # a list will do, whatever the signature says
    with ledger.read() as conn:
        context = MigrationContext.configure(
            conn, opts={"compare_type": True, "version_table": schema.VERSION_TABLE, "target_metadata": both}
        )
        assert compare_metadata(context, both) == []


def test_head_is_the_newest_revision() -> None:
    assert SCRIPTS.get_heads() == [schema.HEAD]


def test_an_open_ledger_is_at_head(ledger: Ledger) -> None:
    with ledger.read() as conn:
        assert schema.current_revision(conn) == schema.HEAD


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="")
    in_the_way = sa.create_engine(settings.ledger_url)
    with in_the_way.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE verdicts (somebody_elses int)")
    with pytest.raises(LedgerError, match="table verdicts already exists"):
        Ledger.open(settings)
    assert sa.inspect(in_the_way).get_table_names() == ["verdicts"]
    in_the_way.dispose()


def test_the_database_may_hold_the_migrations_of_others(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="")
    others = sa.create_engine(settings.ledger_url)
    with others.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE alembic_version (version_num varchar(32))")
        conn.exec_driver_sql("INSERT INTO alembic_version VALUES ('of mlflow')")
    Ledger.open(settings).close()
    Ledger.open(settings).close()
    with others.connect() as conn:
        assert conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["of mlflow"]
    others.dispose()


def test_a_ledger_of_a_newer_version_is_left_alone(settings: Settings) -> None:
    ledger = Ledger.open(settings)
    with ledger.write() as conn:
        conn.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    ledger.close()
    with pytest.raises(LedgerError, match="9999, which this version of Returnwise does not know"):
        Ledger.open(settings)


def test_every_revision_can_be_taken_back(ledger: Ledger) -> None:
    from alembic.operations import Operations

    with ledger.write() as conn, Operations.context(MigrationContext.configure(conn)):
        for script in SCRIPTS.walk_revisions():
            script.module.downgrade()
    with ledger.read() as conn:
        assert sa.inspect(conn).get_table_names() == [schema.VERSION_TABLE]

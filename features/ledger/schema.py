"""Brings a ledger's database to the schema of this version of Returnwise."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from features.ledger.errors import LedgerError

#: The newest revision in `migrations/versions`; a ledger that is there needs no look at Alembic to open.
HEAD = "0008"
#: Not Alembic's default name: MLflow keeps its own under that one, perhaps in the same database.
VERSION_TABLE = "ledger_version"

_VERSION = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))


def current_revision(conn: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not sa.inspect(conn).has_table(VERSION_TABLE):
        return None
    return conn.execute(sa.select(_VERSION.c.version_num)).scalar()


def upgrade(conn: Connection) -> None:
    """Runs the missing migrations within the transaction of `conn`: all of them take effect or none does.

    Raises:
        LedgerError: the database was made by a newer version of Returnwise.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    config.attributes["version_table"] = VERSION_TABLE
    revision = current_revision(conn)
    if revision is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(revision)
        except CommandError as error:
            raise LedgerError(
                f"the ledger is at schema revision {revision}, which this version of Returnwise does not know: "
                "use the version that made it, or a newer one"
            ) from error
    command.upgrade(config, "head")

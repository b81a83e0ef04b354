"""`returnwise retention`: remove what has been kept long enough."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.opening import opened_ledger
from pipelines.console import say


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="Periods by class of data (TOML).", show_default="the written ones")
    ] = None,
) -> None:
    """Remove photos, notes, notices and the like whose written time is over; run it once a day."""
    from serving.clock import now_us
    from serving.privacy.periods import FILE, read_periods
    from serving.privacy.retention import CLASSES, due, remove

    periods = read_periods(file or FILE, CLASSES)
    with opened_ledger() as ledger:
        if dry_run:
            with ledger.read() as conn:
                counts = due(conn, periods, now_us())
        else:
            counts = remove(ledger.write, periods, now_us())
    for table, count in counts.items():
        say(f"{table}: {count:,}")
    if not counts:
        say("nothing has been kept for too long")

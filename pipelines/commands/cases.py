"""`returnwise cases ...`: what the service does to cases by itself, by hand."""

from __future__ import annotations

import typer

from pipelines.commands.opening import opened_ledger
from pipelines.console import say

app = typer.Typer(no_args_is_help=True, help="Look after the cases.")


@app.callback()
def _cases() -> None:
    """So that `sweep` is a command of its own even while it is the only one."""


@app.command("sweep")
def sweep() -> None:
    """Do what the time has come for: end claims and waits, clear or hand on cases past their deadline."""
    from serving.cases.deadlines import Swept
    from serving.cases.deadlines import sweep as run
    from serving.clock import now_us

    total = Swept()
    with opened_ledger() as ledger:
        while True:
            with ledger.write() as conn:
                swept = run(conn, now_us(), hasher=ledger.hasher)
            if not swept.changed:
                break
            total = Swept(*(a + b for a, b in zip(total, swept, strict=True)))
    say(f"claims ended: {total.lapsed}")
    say(f"goods looked at: {total.arrived}")
    say(f"handed on: {total.escalated}")
    say(f"cleared: {total.cleared}")

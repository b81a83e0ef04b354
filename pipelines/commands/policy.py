"""`returnwise policy`: what is wrong with a policy file, which one is in force, and what another would have done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.opening import opened_ledger
from pipelines.console import note, say

app = typer.Typer(no_args_is_help=True, help="Check, show and simulate policies: what is done about a return.")


@app.command("check")
def check(file: Annotated[Path, typer.Argument(help="Policy (YAML).")]) -> None:
    """Tell what is wrong with a policy file: place and remedy of each fault, all at once."""
    from serving.policy.faults import PolicyError
    from serving.policy.reading import load

    try:
        policy = load(file)
    except PolicyError as error:
        for fault in error.faults:
            say(fault.told(str(file)))
        note(f"returnwise: {file} has {_faults(len(error.faults))}")
        raise typer.Exit(1) from None
    count = len(policy.rules)
    rules = "no rules" if not count else "1 rule" if count == 1 else f"{count} rules"
    rest = "; the rest by expected cost" if policy.way == "expected_cost" else ""
    say(f"policy {policy.version} is in order: {rules}{rest}")


@app.command("show")
def show() -> None:
    """Print the text of the policy in force."""
    from serving.policy.source import in_force

    with opened_ledger() as ledger, ledger.read() as conn:
        say(in_force(conn).text.rstrip("\n").splitlines())


def _faults(number: int) -> str:
    return "1 fault" if number == 1 else f"{number} faults"

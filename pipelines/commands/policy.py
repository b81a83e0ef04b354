"""`returnwise policy`: what is wrong with a policy file, which one is in force, and what another would have done."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from features.settings import get_settings
from pipelines.commands.opening import opened_ledger
from pipelines.console import bars, note, say, show_tables

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


@app.command("simulate")
def simulate(
    file: Annotated[Path, typer.Argument(help="Policy (YAML).")],
    against: Annotated[
        Path | None, typer.Option(help="Policy to hold it against.", show_default="the one in force")
    ] = None,
    since: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Returns since that day (UTC).",
            show_default="a year before the end",
        ),
    ] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="Returns until that day (UTC).", show_default="the latest return"
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="File for a picture: PNG, SVG, PDF or HTML by its ending.", show_default="none")
    ] = None,
) -> None:
    """Tell what a policy would have done to last year's returns, beside another.

    Checks a day and what is over capacity, money found, honest shoppers put off, and the share of each action, by
    segment.
    Returns that were assessed count as they were; the others are assessed now by the champion.
    """
    from pipelines.policy import simulate as run
    from pipelines.policy.report import report_of

    with bars() as progress:
        report = run(get_settings(), file, against, since=since, until=until, plot=plot, progress=progress)
    show_tables(report_of(report.simulation))
    if report.plot is not None:
        say(f"picture: {report.plot}")


def _faults(number: int) -> str:
    return "1 fault" if number == 1 else f"{number} faults"

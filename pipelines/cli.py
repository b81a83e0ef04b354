"""The command line: `returnwise COMMAND`. Each command only reads its options, calls one room and prints its report.

Rooms are imported inside the commands, so that `--help` and small commands do not wait for libraries they do not use.
Results go to stdout, progress and errors to stderr. Exit status: 0 everything asked for was done; 1 it was not, for a
reason told in one line; 2 the command was not understood; 130 interrupted.
"""

from __future__ import annotations

import datetime as dt
import enum
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from features.errors import ReturnwiseError
from features.settings import get_settings
from pipelines.commands import cases, policy, shops, staff, webhooks
from pipelines.commands.opening import opened_ledger
from pipelines.commands.retention import retention
from pipelines.console import bars, note, say


class Commands(TyperGroup):
    """Turns what a person can put right into one line on stderr; a defect keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command of `ctx`."""
        try:
            return super().invoke(ctx)
        except ReturnwiseError as error:
            _fail(error.message, error.exit_code)
        except KeyboardInterrupt:
            _fail("interrupted; running it again is safe", 130)
        except ValidationError as error:
            if not error.title.endswith("Settings"):
                raise
            first = error.errors()[0]
            _fail(f"RETURNWISE_{str(first['loc'][0]).upper()}: {first['msg']}")
        except OSError as error:
            if error.strerror is None or isinstance(error, BrokenPipeError):
                raise
            _fail(f"{error.strerror}: {error.filename}" if error.filename else error.strerror)
        except Exception as error:
            cause = _unusable_database(error)
            if cause is None:
                raise
            _fail(f"the database cannot be used: {cause}")


def _unusable_database(error: Exception) -> str | None:
    """What is wrong with a database (ledger or MLflow's), such as full, locked, damaged; None for other errors."""
    sqlalchemy = sys.modules.get("sqlalchemy.exc")  # not imported: commands that need none should not wait for it
    if sqlalchemy is None:
        return None
    # of DatabaseError itself, not of what derives from it: a broken constraint or statement is a defect of ours
    if isinstance(error, sqlalchemy.OperationalError) or type(error) is sqlalchemy.DatabaseError:
        return " ".join(str(getattr(error, "orig", error)).split())
    return None


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    note(f"returnwise: {message}")
    raise typer.Exit(exit_code)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Returnwise: how likely an inspection of a return would confirm abuse, why, and which check would settle it.",
    epilog="Everything lives under RETURNWISE_HOME (default: var). Settings: docs/operations.md",
)
features_app = typer.Typer(no_args_is_help=True, help="Compute what is derived from the ledger.")
keys_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
app.add_typer(features_app, name="features")
app.add_typer(keys_app, name="keys")
app.add_typer(cases.app, name="cases")
app.command()(retention)
app.add_typer(policy.app, name="policy")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(shops.app, name="shops")
app.add_typer(staff.app, name="staff")


class TableFormat(enum.StrEnum):
    """File formats of tables."""

    CSV = "csv"
    PARQUET = "parquet"


class InputFormat(enum.StrEnum):
    """What `ingest` reads."""

    TABLES = "tables"
    UCI_ONLINE_RETAIL = "uci-online-retail"


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write the tables to; made if it is not there.")],
    customers: Annotated[int, typer.Option(min=1, help="Number of customers.")] = 5_000,
    days: Annotated[int, typer.Option(min=1, help="Length of the history in days.")] = 365,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and sizes give the same files.")] = 1,
    end: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the history (UTC).", metavar="DATE")
    ] = None,
    table_format: Annotated[TableFormat, typer.Option("--format", help="Format of the files.")] = TableFormat.CSV,
) -> None:
    """Write the tables of a simulated shop: customers, products, couriers, returns, inspections and verdicts."""
    from pipelines.simulate.run import LAST_DAY
    from pipelines.simulate.run import simulate as run

    with bars() as progress:
        report = run(
            out,
            customers=customers,
            days=days,
            seed=seed,
            progress=progress,
            format=table_format.value,
            end=LAST_DAY if end is None else end.date(),
        )
    say(report.lines())


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of tables, or the file of another format.")],
    input_format: Annotated[InputFormat, typer.Option("--format", help="What DIR holds.")] = InputFormat.TABLES,
    rejects: Annotated[
        Path | None, typer.Option(help="File for refused rows.", show_default="a new one in the home")
    ] = None,
) -> None:
    """Append tables (CSV or Parquet) to the ledger. Doing it twice changes nothing.

    Rows that break the contract are written to the rejects file with line, column and reason; the others stay in the
    ledger, and the exit status is then 1.
    """
    from pipelines.ingest.run import ingest as run

    with bars() as progress:
        report = run(path, settings=get_settings(), format=input_format.value, rejects=rejects, progress=progress)
    say(report.lines())
    raise typer.Exit(report.exit_status)


@features_app.command("build")
def features_build() -> None:
    """Bring everything derived from the ledger up to date. Safe to interrupt and to run again."""
    from features.build import build

    with bars() as progress:
        report = build(get_settings(), progress)
    say(report.lines())


@app.command()
def train(
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Use nothing that happened or became known after it (UTC).")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="FILE", help="Recipe that `search` found, or one of your own (TOML).")
    ] = None,
) -> None:
    """Train a model on the ledger's history and register it as a new version."""
    from training.recipe_file import read_recipe
    from training.run import train as run

    chosen = read_recipe(Path(recipe)) if recipe else None
    with bars() as progress:
        progress.add_task("training", total=None)
        report = run(get_settings(), until or None, recipe=chosen)
    say(report.message)


@app.command()
def evaluate(
    version: Annotated[
        str | None, typer.Argument(help="Registered version.", show_default="the champion, else the newest")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Use nothing that happened or became known after it (UTC).")
    ] = None,
) -> None:
    """Judge a registered version on labelled returns later than what it learned from; writes its model card."""
    from training.evaluate import evaluate as run

    with bars() as progress:
        progress.add_task("evaluating", total=None)
        report = run(get_settings(), version or None, until or None)
    say(report.message)


@app.command()
def search(
    trials: Annotated[int, typer.Option(min=1, help="Number of recipes to compare, the default one first.")] = 20,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Use nothing that happened or became known after it (UTC).")
    ] = None,
    register: Annotated[bool, typer.Option(help="Train with the best recipe and register the version.")] = False,
) -> None:
    """Look for a better recipe over folds in order of time, and write the best one to the home."""
    from training.search import search as run

    with bars() as progress:
        report = run(get_settings(), until or None, trials=trials, register=register, progress=progress)
    say(report.message.splitlines())


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="Registered version.", show_default="the newest")] = None,
    override: Annotated[
        bool, typer.Option("--override/--no-override", help="Promote it whatever the checks say; needs --why.")
    ] = False,
    why: Annotated[str, typer.Option(help="Why the checks are overridden; kept with the version.")] = "",
    by: Annotated[
        str, typer.Option(metavar="NAME", help="Who decides.", show_default="the user of the operating system")
    ] = "",
) -> None:
    """Make a registered version the champion, if it passes the gate; a running service picks it up by itself.

    Refused is a version that is worse than the champion, badly calibrated, unfair, slow, or untrue or unstable in its
    reasons, each beyond a written bound (docs/gate.md).
    """
    if override != bool(why.strip()):
        raise typer.BadParameter("--override and --why go together: say why the checks are overridden")
    from training.gate import promote_judged as run

    with bars() as progress:
        progress.add_task("judging", total=None)
        promotion = run(get_settings(), version or None, override=why if override else None, by=by)
    say(promotion.lines())


@app.command()
def challenge(
    version: Annotated[str | None, typer.Argument(help="Registered version.", show_default=False)] = None,
    end: Annotated[bool, typer.Option("--end", help="There is no challenger any more.")] = False,
    fill: Annotated[
        bool, typer.Option("--fill", help="Score the assessments that the service has not scored in the shadow.")
    ] = False,
) -> None:
    """Make a registered version the challenger: running services assess in the shadow with it, and never show it."""
    if end == (version is not None or fill):
        raise typer.BadParameter("name a version or give --fill, or end the challenge with --end")
    from training.registry import challenge as begin
    from training.registry import end_challenge

    if end:
        former = end_challenge(get_settings())
        say("there is no challenger" if former is None else f"version {former} is the challenger no more")
    if version is not None:
        say(f"version {begin(get_settings(), version)} is the challenger")
    if fill:
        from pipelines.compare import fill as run

        with bars() as progress:
            report = run(get_settings(), progress)
        say(report.lines())


@app.command()
def compare(
    since: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Assessments requested since that day (UTC).",
            show_default="since the training of both versions ended",
            metavar="DATE",
        ),
    ] = None,
) -> None:
    """Compare champion and challenger on live assessments, as far as labels have arrived."""
    from pipelines.compare import compare as run

    with bars() as progress:
        report = run(get_settings(), since, progress)
    say(report.lines())


@app.command()
def drift(
    days: Annotated[int, typer.Option(min=1, help="Judge the assessments of so many days before the latest.")] = 30,
    against: Annotated[
        str, typer.Option(help="The version to judge against: its number or alias.", metavar="champion|VERSION")
    ] = "champion",
    fail_on_alarm: Annotated[bool, typer.Option("--fail-on-alarm", help="End with exit status 1 on an alarm.")] = False,
) -> None:
    """Tell whether live returns and random checks still look like those that the model was trained on.

    Writes `drift/report.html` and `drift/report.json` in the home, and a run in MLflow.
    """
    from pipelines.drift import drift as run

    job = run(get_settings(), days=days, against=against)
    say(job.lines())
    raise typer.Exit(1 if fail_on_alarm and job.report.alarm else 0)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes.")] = 1,
) -> None:
    """Serve the HTTP API and the console until interrupted."""
    from serving.run import serve as run

    run(get_settings(), host, port, workers, tell=note)


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="Returns in the form of the `returns` table (CSV or Parquet).")],
    out: Annotated[Path, typer.Option(help="File to write, CSV or Parquet by its ending.")],
    rejects: Annotated[
        Path | None, typer.Option(help="File for refused rows.", show_default="a new one in the home")
    ] = None,
) -> None:
    """Assess returns as of their own `requested_at` with the champion: a row for each return_id.

    A return with a row that breaks the contract or does not fit the ledger is refused whole: its rows are written to
    the rejects file with line, column and reason. The others are assessed, and the exit status is then 1.
    """
    from pipelines.score import score as run

    with bars() as progress:
        report = run(get_settings(), file, out, progress, rejects=rejects)
    say(report.lines())
    raise typer.Exit(report.exit_status)


_SCOPES = ["events:write", "assessments:write", "assessments:read"]  # what a returns system needs


@keys_app.command("create")
def keys_create(
    scope: Annotated[list[str], typer.Option(help="What the key may do; repeat the option for more.")] = _SCOPES,
    label: Annotated[str, typer.Option(help="Whose key it is, for `keys list`.")] = "",
) -> None:
    """Make an API key and print it: the only time that anybody sees it."""
    from serving.keys.service import create

    with opened_ledger() as ledger:
        say(create(ledger, scope, label))
    note("Keep it: only its hash is stored.")


@keys_app.command("list")
def keys_list() -> None:
    """List the keys, without their secrets: id, when made, when revoked, scopes, label."""
    from serving.keys.service import listing

    with opened_ledger() as ledger:
        for key in listing(ledger):
            state = f"revoked {key.revoked_at}" if key.revoked_at else "valid"
            say(f"{key.key_id}  made {key.created_at}  {state}  {','.join(key.scopes)}  {key.label}".rstrip())


@keys_app.command("revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument(help="The id that `keys list` shows.")]) -> None:
    """Revoke a key; running services refuse it within a second."""
    from serving.keys.service import revoke

    with opened_ledger() as ledger:
        revoke(ledger, key_id)
    say(f"{key_id} is revoked")


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = 8000,
    customers: Annotated[int, typer.Option(min=1, help="Number of customers of the simulated shop.")] = 20_000,
) -> None:
    """Simulate a shop, ingest it, train, and serve on localhost with a key and a curl to try.

    Everything goes to the folder `demo` of the home and nowhere else. Running it again goes on where it was.
    """
    from pipelines.demo import run

    run(get_settings(), port=port, customers=customers)


def main() -> None:
    """Run the command line (also `python -m pipelines.cli`)."""
    app()


if __name__ == "__main__":
    main()

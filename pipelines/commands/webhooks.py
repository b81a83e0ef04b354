"""`returnwise webhooks`: where messages go."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.opening import opened_ledger
from pipelines.console import note, say

app = typer.Typer(no_args_is_help=True, help="Say where signed webhooks go, and look after them.")

_Id = Annotated[str, typer.Argument(metavar="ID", help="The id that `webhooks list` shows.")]


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where messages are posted to; https.")],
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", help="Type of messages; repeat the option for more.", show_default="all types"),
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for, for `webhooks list`.")] = "",
) -> None:
    """Add an endpoint and print its secret: the only time that anybody sees it."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.hooks import service
    from serving.sealing import Sealer
    from serving.settings import ServingSettings

    inside = ServingSettings().webhook_private_addresses
    with opened_ledger() as ledger, ledger.write() as conn:
        made = service.add(
            conn,
            SYSTEM,
            Sealer(ledger.hasher),
            url,
            kind or (),
            description=description,
            inside=inside,
            now=now_us(),
        )
    say(f"{made.endpoint.endpoint_id}  {made.secret}")
    note("Give the receiver the secret: messages are signed with it (docs/webhooks.md).")


@app.command("list")
def list_endpoints() -> None:
    """List the endpoints: id, state, waiting and given-up messages, URL, types, description."""
    from serving.hooks import repository

    with opened_ledger() as ledger, ledger.read() as conn:
        counts = repository.counts(conn)
        for endpoint in repository.every(conn):
            state = f"disabled ({endpoint.disabled_because})" if endpoint.disabled_at else "in use"
            of_it = counts[endpoint.endpoint_id]
            line = f"{endpoint.endpoint_id}  {state}  {of_it.waiting} waiting  {of_it.given_up} given up  "
            say(f"{line}{endpoint.url}  {endpoint.types.replace(' ', ',')}  {endpoint.description}".rstrip())


@app.command("disable")
def disable(endpoint_id: _Id) -> None:
    """Send nothing to an endpoint any more; what waits for it stays, for `enable`."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.hooks import service

    with opened_ledger() as ledger, ledger.write() as conn:
        service.disable(conn, SYSTEM, endpoint_id, now=now_us())
    say(f"{endpoint_id} is disabled")


@app.command("enable")
def enable(endpoint_id: _Id) -> None:
    """Use a disabled endpoint again; what waited for it goes out."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.hooks import service

    with opened_ledger() as ledger, ledger.write() as conn:
        service.enable(conn, SYSTEM, endpoint_id, now=now_us())
    say(f"{endpoint_id} is in use")


@app.command("rotate")
def rotate(endpoint_id: _Id) -> None:
    """Give an endpoint a new secret and print it; for a day messages carry the former signature, too."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.hooks import service
    from serving.sealing import Sealer

    with opened_ledger() as ledger, ledger.write() as conn:
        made = service.rotate(conn, SYSTEM, Sealer(ledger.hasher), endpoint_id, now=now_us())
    say(f"{endpoint_id}  {made.secret}")


@app.command("retry")
def retry(endpoint_id: _Id) -> None:
    """Send an endpoint again, as soon as the service runs, what was given up (at most 1,000 messages)."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.hooks import service

    with opened_ledger() as ledger, ledger.write() as conn:
        count = service.retry(conn, SYSTEM, endpoint_id, None, now=now_us())
    say(f"{count} messages go out again")


@app.command("test")
def test(endpoint_id: _Id) -> None:
    """Send an endpoint a message of the type `webhook.test` now, and tell what came of it."""
    from serving.hooks.trial import try_out
    from serving.sealing import Sealer
    from serving.settings import ServingSettings

    with opened_ledger() as ledger:
        inside = ServingSettings().webhook_private_addresses
        outcome = try_out(ledger, Sealer(ledger.hasher), endpoint_id, inside=inside)
    say(f"{endpoint_id}: {outcome.trouble or f'answered {outcome.status}'}")
    raise typer.Exit(0 if outcome.delivered else 1)

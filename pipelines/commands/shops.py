"""`returnwise shops`: shops whose webhooks are taken in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.opening import opened_ledger
from pipelines.console import note, say

app = typer.Typer(no_args_is_help=True, help="Connect Shopify and WooCommerce shops by their webhooks.")


@app.command("connect")
def connect(
    kind: Annotated[str, typer.Argument(metavar="shopify|woocommerce", help="The kind of shop.")],
    name: Annotated[str, typer.Option(help="What the shop is called, for `shops list`.")],
    prefix: Annotated[
        str, typer.Option(help="Put before all ids of the shop, where several shops count alike.", show_default=False)
    ] = "",
    secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File with the secret that the shop signs with; `-` reads it from stdin.",
            show_default="asked for",
        ),
    ] = None,
) -> None:
    """Connect a shop, and print the address for its webhooks.

    Shopify signs with a secret of its own, which is asked for here. For WooCommerce one is made and printed, once.
    """
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.sealing import Sealer
    from serving.shops import connections
    from serving.shops.adapters import ADAPTERS

    secret = None
    if secret_file is not None:
        secret = sys.stdin.readline() if str(secret_file) == "-" else secret_file.read_text(encoding="utf-8")
    elif kind in ADAPTERS and not ADAPTERS[kind].makes_secret:
        secret = typer.prompt("The secret that the shop signs its webhooks with", hide_input=True, err=True)
    with opened_ledger() as ledger, ledger.write() as conn:
        made = connections.connect(
            conn, SYSTEM, Sealer(ledger.hasher), kind, name, secret=secret, prefix=prefix, now=now_us()
        )
    say(f"{made.shop.connection_id}  {made.path}" + (f"  {made.secret}" if made.secret else ""))
    note("Let the shop send its webhooks to that path of the service (docs/shops.md).")


@app.command("list")
def list_shops() -> None:
    """List the connected shops: id, kind, state, events that wait for their order, prefix, name."""
    from serving.shops import repository

    with opened_ledger() as ledger, ledger.read() as conn:
        waiting = repository.count_waiting(conn)
        for shop in repository.every(conn):
            state = "disconnected" if shop.disabled_at else "connected"
            line = f"{shop.connection_id}  {shop.kind}  {state}  {waiting.get(shop.connection_id, 0)} waiting"
            say(f"{line}  prefix {shop.prefix or '-'}  {shop.name}")


@app.command("disconnect")
def disconnect(
    connection_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `shops list` shows.")],
) -> None:
    """Take nothing from a shop any more; running services refuse it within a second."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.shops import connections

    with opened_ledger() as ledger, ledger.write() as conn:
        connections.disconnect(conn, SYSTEM, connection_id, now=now_us())
    say(f"{connection_id} is disconnected")

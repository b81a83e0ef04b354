"""`returnwise staff`: accounts of the console, for whoever runs the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.opening import opened_ledger
from pipelines.console import note, say

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from serving.staff.repository import Person

app = typer.Typer(no_args_is_help=True, help="Make accounts for the console, and one-time links for them.")

_ADDRESS = "http://127.0.0.1:8000"
_Login = Annotated[str, typer.Argument(help="The login that `staff list` shows.")]
_Url = Annotated[
    str,
    typer.Option(help="Address of the service, for the link.", show_default=f"RETURNWISE_PUBLIC_URL, else {_ADDRESS}"),
]


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="What they sign in with; an e-mail address fits.")],
    name: Annotated[str, typer.Option(help="Their name, as others see it.")],
    role: Annotated[str, typer.Option(help="desk, reviewer, lead, analyst or administrator.")],
    url: _Url = "",
) -> None:
    """Make an account and print the one-time link with which its person chooses a password."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.staff import accounts

    with opened_ledger() as ledger, ledger.write() as conn:
        _, token = accounts.invite(conn, SYSTEM, login=login, name=name, role=role, now=now_us())
    _say_link(token, url)


@app.command("link")
def link(
    login: Annotated[
        str | None, typer.Argument(help="Whose password is to be chosen anew.", show_default="the first administrator")
    ] = None,
    url: _Url = "",
) -> None:
    """Print a one-time link: for the first administrator while nobody has an account, or for a new password."""
    from features.errors import ReturnwiseError
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.staff import accounts, links, repository

    with opened_ledger() as ledger, ledger.write() as conn:
        if login is not None:
            token = accounts.new_link(conn, SYSTEM, _person(conn, login).staff_id, now_us())
        elif repository.is_empty(conn):
            token = links.make(conn, "first_start", None, now_us())
        else:
            raise ReturnwiseError("there are accounts already: name the login that the link is for")
    _say_link(token, url)


@app.command("list")
def list_staff() -> None:
    """List the accounts: login, role, state, name."""
    from serving.staff import repository

    with opened_ledger() as ledger, ledger.read() as conn:
        for person in repository.everybody(conn):
            state = "disabled" if not person.is_active else "invited" if person.is_invited else "active"
            say(f"{person.login}  {person.role}  {state}  {person.name}")


@app.command("disable")
def disable(login: _Login) -> None:
    """Let somebody sign in no more; their sessions end at once."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.staff import accounts

    with opened_ledger() as ledger, ledger.write() as conn:
        accounts.disable(conn, SYSTEM, _person(conn, login).staff_id, now_us())
    say(f"{login} may not sign in any more")


@app.command("enable")
def enable(login: _Login) -> None:
    """Let somebody sign in again."""
    from serving.audit.trail import SYSTEM
    from serving.clock import now_us
    from serving.staff import accounts

    with opened_ledger() as ledger, ledger.write() as conn:
        accounts.enable(conn, SYSTEM, _person(conn, login).staff_id, now_us())
    say(f"{login} may sign in")


def _person(conn: Connection, login: str) -> Person:
    from features.errors import ReturnwiseError
    from serving.staff import accounts, repository

    person = repository.find_login(conn, accounts.normal_login(login))
    if person is None:
        raise ReturnwiseError(f"there is no account {login!r}; `returnwise staff list` lists them")
    return person


def _say_link(token: str, url: str) -> None:
    from serving.settings import ServingSettings
    from serving.staff.links import address

    say(address(url or ServingSettings().public_url or _ADDRESS, token))
    note("It works once. Send it on a way that only its person reads.")

"""Signing in and out, one-time links, and the words of a session that had ended."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from sqlalchemy.engine import Connection
from starlette.responses import Response

from serving.clock import now_us
from serving.console.guest import Guest
from serving.console.kept import unseal
from serving.console.routing import Anybody, Pages, SignedIn, drop_session_cookie, set_session_cookie
from serving.console.troubles import resume, sign_in_page
from serving.metrics import sign_ins_total
from serving.staff import accounts, links, passwords, repository
from serving.staff.errors import Refused
from serving.staff.links import Opened
from serving.staff.repository import Person
from serving.staff.signing_in import SignedIn as SignedInNow
from serving.staff.signing_in import TooOften, begin_session, sign_in
from serving.texts import LANGUAGES

pages = Pages()


@pages.page("/sign-in", None)
def show(guest: Anybody) -> Response:
    """The form for signing in."""
    wanted = wanted_path(guest.request.query_params.get("next", ""))
    if guest.person is not None:
        return guest.redirect(wanted)
    with guest.context.ledger.read() as conn:
        is_first = repository.is_empty(conn) and guest.context.serving.passwords
    return sign_in_page(guest, 200, wanted=wanted, is_first=is_first)


@pages.form("/sign-in", None)
async def send(guest: Anybody) -> Response:
    """Signs in."""
    login = guest.form.text("login", longest=accounts.LONGEST_LOGIN, required=True)
    password = guest.form.secret("password")
    if not password:
        guest.form.refuse("password", "form.missing")
    if not guest.context.serving.passwords:
        guest.form.refuse("login", "sign_in.refused")
    wanted, sealed = wanted_path(guest.form.raw("next")), guest.form.raw("kept")
    status, wait = 422, dict[str, str]()
    if guest.form.is_fine:
        try:
            signed_in = await sign_in(guest.context, login, password, guest.now)
            sign_ins_total.labels("password", "taken").inc()
            return welcome(guest, signed_in, wanted, sealed)
        except TooOften as error:
            sign_ins_total.labels("password", "too_often").inc()
            status = 429
            wait = {"Retry-After": str(error.seconds)}
            guest.form.refuse("login", error.key, **error.values)
        except Refused as error:
            sign_ins_total.labels("password", "refused").inc()
            guest.form.refuse("login", error.key)
    response = sign_in_page(guest, status, wanted=wanted, sealed=sealed, login=login)
    response.headers.update(wait)
    return response


@pages.form("/sign-out", "account.own")
async def leave(visit: SignedIn) -> Response:
    """Ends the session."""
    session = visit.session
    assert session is not None
    await visit.write(lambda conn: repository.end_session(conn, session.digest, visit.now))
    response = visit.redirect("/sign-in", said="sign_in.signed_out")
    drop_session_cookie(visit, response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@pages.form("/kept", None)
async def take_up(guest: Anybody) -> Response:
    """Gives back words to somebody who has signed in again in another tab."""
    sealed = guest.form.raw("kept")
    if guest.person is None:
        return sign_in_page(guest, 401, wanted="/", sealed=sealed)
    return _give_back(guest, guest.person, sealed) or guest.redirect("/")


@pages.page("/link/{token}", None)
def open_link(guest: Anybody, token: str) -> Response:
    """The form behind a one-time link."""
    try:
        with guest.context.ledger.read() as conn:
            opened = _opened(guest, conn, token)
    except Refused:
        return guest.render("link_gone.html", 404)
    return guest.render("link.html", opened=opened, token=token)


@pages.form("/link/{token}", None)
async def use_link(guest: Anybody, token: str) -> Response:
    """Uses a one-time link up: chooses a password, and signs in."""
    form = guest.form
    try:
        opened = await guest.read(lambda conn: _opened(guest, conn, token))
    except Refused:
        return guest.render("link_gone.html", 404)
    login, name = _who(guest, opened)
    password = new_password(guest, login=login, name=name)
    if form.is_fine:
        hashed = await asyncio.to_thread(passwords.hashed, password)

        def accept(conn: Connection) -> SignedInNow:
            again = links.opened(conn, token, now_us())  # of two who send it at once, one comes first
            person = accounts.accept(conn, again, login=login, name=name, password_hash=hashed, now=guest.now)
            return begin_session(conn, person, guest.now, hours=guest.context.serving.session_hours)

        try:
            signed_in = await guest.write(accept)
            response = welcome(guest, signed_in, "/")
            guest.say(response, "link.done", name=signed_in.person.name)
            return response
        except Refused as error:
            if not error.field:
                return guest.render("link_gone.html", 404)
            form.refuse(error.field, error.key, **error.values)
    return guest.render("link.html", 422, opened=opened, token=token)


def new_password(guest: Guest, *, login: str, name: str) -> str:
    """The password that a form chooses, twice; what is wrong with it is noted in the form."""
    password = guest.form.secret("new_password")
    why = passwords.refusal(password, login=login, name=name)
    if why is not None:
        guest.form.refuse("new_password", why, least=passwords.SHORTEST, most=passwords.LONGEST)
    elif password != guest.form.secret("new_password_again"):
        guest.form.refuse("new_password_again", "password.not_the_same")
    return password


def _opened(guest: Guest, conn: Connection, token: str) -> Opened:
    if not guest.context.serving.passwords:  # there is nothing to choose
        raise Refused("link.gone")
    return links.opened(conn, token, guest.now)


def _who(guest: Guest, opened: Opened) -> tuple[str, str]:
    if opened.person is not None:
        return opened.person.login, opened.person.name
    login = guest.form.text("login", longest=accounts.LONGEST_LOGIN, required=True)
    return login, guest.form.text("name", longest=accounts.LONGEST_NAME, required=True)


def welcome(guest: Guest, signed_in: SignedInNow, wanted: str, sealed: str = "") -> Response:
    """Where signing in leads: to the words of the session before, if there are any, else to the wanted page."""
    guest.person, guest.session = signed_in.person, signed_in.session
    if signed_in.person.language in LANGUAGES:
        guest.language = signed_in.person.language
    response = _give_back(guest, signed_in.person, sealed) or guest.redirect(wanted)
    set_session_cookie(guest, response, signed_in.token)
    return response


def _give_back(guest: Guest, person: Person, sealed: str) -> Response | None:
    kept = unseal(sealed, guest.context.ledger.hasher)
    return resume(guest, kept) if kept is not None and kept.is_for(person.staff_id) else None


def wanted_path(path: str) -> str:
    """A path below the console that somebody wanted to see; anything else leads home."""
    is_one = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return quote(path, safe="/?&=%+-_.~:,") if is_one and not path.startswith("/sign-") else "/"

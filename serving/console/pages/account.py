"""What a member of staff sets for themselves: name, language, theme, keys, password, sessions."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy.engine import Connection
from starlette.responses import Response

from serving.console.guest import Visit
from serving.console.pages.signing_in import new_password
from serving.console.routing import Pages, SignedIn
from serving.staff import accounts, passwords, repository, sessions
from serving.staff.errors import Refused
from serving.staff.signing_in import TooOften, confirms
from serving.texts import LANGUAGES, texts

pages = Pages()
_THEMES: Final = ("light", "dark")


@pages.page("/account", "account.own")
async def show(visit: SignedIn) -> Response:
    """The account of who is signed in."""
    return await _page(visit)


@pages.form("/account", "account.own")
async def change(visit: SignedIn) -> Response:
    """Changes what one chooses for oneself."""
    form = visit.form
    name = form.text("name", longest=accounts.LONGEST_NAME, required=True)
    language = form.choice("language", LANGUAGES, required=False) or None
    theme = form.choice("theme", _THEMES, required=False) or None
    shortcuts = form.flag("shortcuts")
    if form.is_fine:
        try:
            await visit.write(
                lambda conn: accounts.set_own(
                    conn,
                    visit.who.staff_id,
                    name=name,
                    language=language,
                    theme=theme,
                    shortcuts=shortcuts,
                    now=visit.now,
                )
            )
            return visit.redirect("/account", said="account.saved")
        except Refused as error:
            form.refuse(error.field, error.key)
    return await _page(visit, 422)


@pages.form("/account/password", "account.own")
async def change_password(visit: SignedIn) -> Response:
    """Changes the password; all other sessions end."""
    form, person, session = visit.form, visit.who, visit.session
    assert session is not None
    former = form.secret("password")
    password = new_password(visit, login=person.login, name=person.name)
    try:
        if not await confirms(visit.context, person, former, visit.now):
            form.refuse("password", "account.password_wrong")
    except TooOften as error:
        form.refuse("password", error.key, **error.values)
        response = await _page(visit, 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    if not form.is_fine:
        return await _page(visit, 422)
    hashed = await asyncio.to_thread(passwords.hashed, password)

    def keep(conn: Connection) -> bool:
        current = repository.find(conn, person.staff_id)
        if current is None or current.password_hash != person.password_hash:  # another one was chosen meanwhile
            return False
        accounts.set_password(conn, visit.actor, current, hashed, visit.now, keep_session=session.digest)
        return True

    if not await visit.write(keep):
        form.refuse("password", "account.password_wrong")
        return await _page(visit, 422)
    return visit.redirect("/account", said="account.password_changed")


@pages.form("/account/sessions", "account.own")
async def end_others(visit: SignedIn) -> Response:
    """Ends all sessions of one's own but this one."""
    session = visit.session
    assert session is not None
    await visit.write(lambda conn: repository.end_sessions(conn, visit.who.staff_id, visit.now, but=session.digest))
    return visit.redirect("/account", said="account.sessions_ended")


async def _page(visit: Visit, status: int = 200) -> Response:
    idle = visit.context.serving.session_idle_minutes
    running = await visit.read(lambda conn: sessions.running(conn, visit.who.staff_id, visit.now, idle_minutes=idle))
    return visit.render(
        "account/page.html",
        status,
        sessions=running,
        language_names=[(language, texts(language).writing.name) for language in LANGUAGES],
        theme_names=[(theme, visit.t(f"account.themes.{theme}")) for theme in _THEMES],
    )

"""How a page or a form is declared, and who is let in.

Each area makes a `Pages` and declares its pages (GET) and forms (POST) with the one operation that they are:

    pages = Pages()

    @pages.page("/queue", "queue.view")
    def queue(visit: SignedIn) -> Response:
        with visit.context.ledger.read() as conn:
            ...
        return visit.render("queue/page.html", ...)

    @pages.form("/cases/{case_no}/notes", "case.note")
    async def add_note(visit: SignedIn, case_no: int) -> Response:
        words = visit.form.text("words", longest=4000, required=True, lines=True)
        ...
        await visit.write(lambda conn: work.note(conn, visit.actor, ...))
        return visit.redirect(f"/cases/{case_no}", said="case.noted")

A page that reads is a plain function, and runs in a thread; a form that writes is a coroutine, and runs on the event
loop. By the time that either runs, the person is signed in, their role may do the operation, and a form came from a
page of this session. A test finds every route and asks it as every role.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serving.clock import now_us
from serving.console.errors import ForeignForm, NotAllowed, SessionOver, SignInNeeded, StaleForm
from serving.console.form import KEY, Form, read_form
from serving.console.guest import Guest, Visit
from serving.context import Context, context_of
from serving.problems import Unavailable
from serving.staff import repository, sessions
from serving.staff.permissions import PERMISSIONS
from serving.staff.sessions import Found
from serving.texts import LANGUAGES, preferred_language

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

FORM_BYTES: Final = 256 * 1024
_COOKIES: Final = ("__Host-returnwise", "returnwise")  # over HTTPS, and over plain HTTP


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets a request in, or not. `operation` is None for the few addresses that are open to everybody.

    `is_quiet`: asked for by a page and not by a person, so that it does not keep a session alive.
    """

    operation: str | None
    is_form: bool
    max_bytes: int
    max_files: int
    is_quiet: bool

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        """Leave who asks, and the form, for the page; when that is done, let go of the form's files.

        Raises:
            ConsoleError: the request is not let in.
        """
        guest = await guest_of(request)
        request.state.guest = guest
        try:
            await self._admit(request, guest)
            yield
        finally:
            await guest.form.close()

    async def _admit(self, request: Request, guest: Guest) -> None:
        if self.is_form:
            if not _is_from_here(request, guest):
                raise ForeignForm
            guest.form = await read_form(request, max_bytes=self.max_bytes, max_files=self.max_files)
        if self.operation is None:
            return
        visit = self._visit(guest, self.operation)
        request.state.guest = visit
        if self.is_form and not _has_key(request, visit):
            raise StaleForm
        if not visit.may(self.operation):
            raise NotAllowed(self.operation)
        if not self.is_quiet:
            await _note(visit)

    def _visit(self, guest: Guest, operation: str) -> Visit:
        if guest.session is None or guest.person is None:
            raise SessionOver() if self.is_form else SignInNeeded()
        return Visit(
            guest.request,
            guest.context,
            guest.now,
            guest.language,
            guest.form,
            guest.person,
            guest.session,
            operation=operation,
        )


class Pages:
    """The pages and forms of one area."""

    def __init__(self) -> None:
        self.router = APIRouter(include_in_schema=False)

    def page(self, path: str, operation: str | None, *, is_quiet: bool = False) -> Callable[[Endpoint], Endpoint]:
        """Declares a page, or a part of one."""
        return self._declare("GET", path, Admission(_known(operation), False, 0, 0, is_quiet))

    def form(
        self,
        path: str,
        operation: str | None,
        *,
        max_bytes: int = FORM_BYTES,
        max_files: int = 0,
        is_quiet: bool = False,
    ) -> Callable[[Endpoint], Endpoint]:
        """Declares where a form is sent."""
        return self._declare("POST", path, Admission(_known(operation), True, max_bytes, max_files, is_quiet))

    def _declare(self, method: str, path: str, admission: Admission) -> Callable[[Endpoint], Endpoint]:
        def register(endpoint: Endpoint) -> Endpoint:
            self.router.add_api_route(
                path, endpoint, methods=[method], dependencies=[Depends(admission)], response_class=Response,
                response_model=None,
            )  # fmt: skip
            return endpoint

        return register


async def _guest(request: Request) -> Guest:
    guest: Guest = request.state.guest
    return guest


async def _visit(request: Request) -> Visit:
    visit: Visit = request.state.guest
    assert isinstance(visit, Visit), "a page that is open to everybody takes an `Anybody`"
    return visit


#: What a page takes that is open to everybody.
Anybody = Annotated[Guest, Depends(_guest)]
#: What all other pages take.
SignedIn = Annotated[Visit, Depends(_visit)]


async def guest_of(request: Request) -> Guest:
    """Who asks."""
    context, now = context_of(request), now_us()
    guest = Guest(request, context, now, language_of(request))
    found = await run_in_threadpool(_find, context, token_of(request, guest), now)
    if found is not None and found.holds:
        guest.person, guest.session = found.person, found.session
    if guest.person is not None and guest.person.language in LANGUAGES:
        guest.language = guest.person.language
    return guest


def language_of(request: Request) -> str:
    """The language for somebody who is not signed in: chosen on the page, else as the browser asks."""
    chosen = request.query_params.get("language", "")
    return chosen if chosen in LANGUAGES else preferred_language(request.headers.get("accept-language"))


def token_of(request: Request, guest: Guest) -> str | None:
    """The value of the session's cookie."""
    return request.cookies.get(_COOKIES[0 if guest.is_secure else 1])


def set_session_cookie(guest: Guest, response: Response, token: str) -> None:
    """Give the browser its session; it forgets it when it is closed."""
    response.set_cookie(
        _COOKIES[0 if guest.is_secure else 1], token, path="/", secure=guest.is_secure, httponly=True, samesite="lax"
    )


def drop_session_cookie(guest: Guest, response: Response) -> None:
    """Take the session from the browser."""
    name = _COOKIES[0 if guest.is_secure else 1]
    response.delete_cookie(name, path="/", secure=guest.is_secure, httponly=True, samesite="lax")


def former_staff_id(guest: Guest) -> str | None:
    """Whose session the cookie was, if that is still known; reads the ledger."""
    found = _find(guest.context, token_of(guest.request, guest), guest.now)
    return found.person.staff_id if found is not None else None


def _find(context: Context, token: str | None, now: int) -> Found | None:
    if token is None:
        return None
    with context.ledger.read() as conn:
        return sessions.find(conn, token, now, idle_minutes=context.serving.session_idle_minutes)


async def _note(visit: Visit) -> None:
    session = visit.session
    assert session is not None
    if visit.now - session.seen_at < sessions.NOTED_EVERY:
        return
    try:
        await visit.write(lambda conn: repository.touch_session(conn, session.digest, visit.now))
    except Unavailable:  # pages that only read go on while nothing can be written
        return


def _is_from_here(request: Request, guest: Guest) -> bool:
    """Whether a form was sent by a page of this service: browsers say so, and no other page can make them lie."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", ""))
    hosts = {request.headers.get("host", ""), urlsplit(guest.base_url).netloc}
    return origin.scheme in ("http", "https") and origin.netloc in hosts


def _has_key(request: Request, visit: Visit) -> bool:
    assert visit.session is not None
    sent = request.headers.get("x-form-key") or visit.form.raw(KEY)
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), visit.session.form_key.encode())


def _known(operation: str | None) -> str | None:
    if operation is not None and operation not in PERMISSIONS:
        raise KeyError(f"no operation {operation!r} in serving.staff.permissions")
    return operation


def form_of(request: Request) -> Form:
    """The form of a request, as far as it was read."""
    guest: Guest | None = getattr(request.state, "guest", None)
    return guest.form if guest is not None else Form()

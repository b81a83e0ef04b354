"""What goes wrong, as a page: what happened, what to do now, and whatever was typed."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from serving.body import DrainingResponse
from serving.clock import now_us
from serving.console.errors import ConsoleError, NotAllowed, SessionOver, SignInNeeded, StaleForm
from serving.console.guest import Guest
from serving.console.kept import Kept, keep, seal
from serving.console.routing import former_staff_id, guest_of, language_of
from serving.context import context_of
from serving.outages import is_outage
from serving.problems import Problem
from serving.staff.permissions import PERMISSIONS

_CHALLENGE: Final = 'Session realm="returnwise"'
_KNOWN: Final = frozenset(("400", "403", "404", "405", "409", "413", "422", "429", "500", "503", "foreign"))


def install(app: FastAPI) -> None:
    """Let `app` answer with pages whatever goes wrong."""
    app.add_exception_handler(ConsoleError, _console_error)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http_error)


async def _console_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConsoleError)
    guest = await _guest(request)
    if isinstance(error, SignInNeeded) and guest.is_partial:
        return _over_here(guest)
    if isinstance(error, SignInNeeded):
        return guest.redirect(f"/sign-in?next={quote(_own_path(request, guest), safe='/')}")
    if isinstance(error, SessionOver):
        return await _session_over(guest)
    if isinstance(error, StaleForm):
        return resume(guest, _kept(guest, None), status=409, why="kept.stale")
    roles: list[str] = sorted(PERMISSIONS[error.operation]) if isinstance(error, NotAllowed) else []
    return error_page(guest, error.status, error.slug, roles=roles)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    response = error_page(await _guest(request), error.status, detail=error.message)
    response.headers.update(error.headers)
    if error.status == 413:  # the body was left unread
        return DrainingResponse(bytes(response.body), 413, dict(response.headers))
    return response


async def _unreadable(request: Request, _error: Exception) -> Response:
    """An address with a part that cannot be: `/cases/x`."""
    return error_page(await _guest(request), 404)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = error_page(await _guest(request), error.status_code)
    response.headers.update(error.headers or {})
    return response


async def defect(request: Request, error: Exception) -> Response:
    """The page of a defect, or of a database that failed."""
    return error_page(await _guest(request), 503 if is_outage(error) else 500)


def error_page(
    guest: Guest, status: int, slug: str | None = None, *, roles: list[str] | None = None, detail: str = ""
) -> Response:
    """A page that says what went wrong, and shows again what was typed."""
    slug = slug or str(status)
    kept = _kept(guest, None) if guest.form.fields else None
    response = guest.render(
        "error.html",
        status,
        slug=slug if slug in _KNOWN else "500",
        detail=detail,
        roles=roles or [],
        back=_page_before(guest),
        typed=[] if kept is None else [(name, value) for name, value in kept.fields if f"field.{name}" in guest.t],
    )
    return whole(guest, response)


def resume(guest: Guest, kept: Kept, *, status: int = 200, why: str = "kept.signed_in") -> Response:
    """The form again, with the words in it, for sending it once more."""
    return whole(guest, guest.render("resume.html", status, kept=kept, why=why))


def sign_in_page(
    guest: Guest,
    status: int,
    *,
    wanted: str,
    sealed: str = "",
    login: str = "",
    is_over: bool = False,
    is_first: bool = False,
) -> Response:
    """The page for signing in. `wanted` is the path to go on to, `sealed` what was typed before the session ended."""
    provider = guest.context.provider
    return guest.render(
        "sign_in.html",
        status,
        next=wanted,
        kept=sealed,
        is_over=is_over or bool(sealed),
        login=login,
        is_first=is_first,
        has_passwords=guest.context.serving.passwords,
        provider=provider.name if provider is not None else None,
    )


def whole(guest: Guest, response: Response) -> Response:
    """A whole page also where htmx asked for a part of one."""
    if guest.is_partial:
        response.headers.update(
            {"HX-Retarget": "body", "HX-Reswap": "innerHTML show:window:top", "HX-Push-Url": "false"}
        )
    return response


def _over_here(guest: Guest) -> Response:
    """A part of a page was asked for, perhaps by the page itself: it must not go away under somebody who is typing."""
    response = guest.render("_over.html", 401)
    response.headers.update({"HX-Retarget": "#said", "HX-Reswap": "innerHTML", "WWW-Authenticate": _CHALLENGE})
    return response


async def _session_over(guest: Guest) -> Response:
    kept = _kept(guest, await run_in_threadpool(former_staff_id, guest))
    sealed = seal(kept, guest.context.ledger.hasher)
    response = sign_in_page(guest, 401, wanted=kept.page, sealed=sealed, is_over=True)
    response.headers["WWW-Authenticate"] = _CHALLENGE
    return whole(guest, response)


def _kept(guest: Guest, staff_id: str | None) -> Kept:
    return keep(guest.form, path=_own_path(guest.request, guest), page=_page_before(guest), staff_id=staff_id)


def _own_path(request: Request, guest: Guest) -> str:
    path = request.url.path.removeprefix(guest.root) or "/"
    return f"{path}?{request.url.query}" if request.url.query else path


def _page_before(guest: Guest) -> str:
    """The page that led here, if it is one of the console."""
    before = urlsplit(guest.request.headers.get("hx-current-url") or guest.request.headers.get("referer", ""))
    here = guest.request.headers.get("host", "")
    if before.netloc not in (here, urlsplit(guest.base_url).netloc) or not before.path.startswith(f"{guest.root}/"):
        return "/"
    return before.path.removeprefix(guest.root)


async def _guest(request: Request) -> Guest:
    """Who asks, also where no page was found, or something went wrong before that was known."""
    known: Guest | None = getattr(request.state, "guest", None)
    if known is not None:
        return known
    try:
        return await guest_of(request)
    except SQLAlchemyError:
        return Guest(request, context_of(request), now_us(), language_of(request))

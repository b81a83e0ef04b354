"""The console as an application of its own, mounted into the service at `/console`.

Of its own, because it answers with pages and not with problem documents, and so that a request of the API passes by it
untouched. It shares the service's context.
"""

from __future__ import annotations

import logging
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders, State
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.console import troubles
from serving.console.pages import AREAS

_log = logging.getLogger(__name__)

PATH: Final = "/console"
#: Nothing but the console's own files, no script or style inside a page, no frame around it.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with less, browsers would no longer say where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}


def create_console(state: State) -> FastAPI:
    """The console, over the state of the service."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state = state
    app.state.places = {}
    for area in AREAS:
        app.include_router(area.router)
    troubles.install(app)
    app.add_middleware(Guard)
    return app


class Guard:
    """Gives every answer its security headers, and turns a defect into a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception as error:
            if begun:  # only ending the connection tells that the answer is not whole
                raise
            _log.exception("%s %s failed", scope["method"], getattr(scope.get("route"), "path", "unknown"))
            response = await troubles.defect(Request(scope, receive), error)
            await response(scope, receive, guarded)

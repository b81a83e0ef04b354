"""The outermost layer: counts requests, and turns whatever goes wrong into a problem document."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import metrics
from serving.outages import is_outage
from serving.problems import InternalError, Problem, Unavailable

_log = logging.getLogger(__name__)
_UNKNOWN: Final = "unknown"


class Edge:
    """Wraps the application. Routes are counted by their template; what has none counts as `unknown`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._seconds: dict[str, Callable[[float], None]] = {}
        self._counts: dict[tuple[str, str, int], Callable[[], None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            _log.exception("%s %s failed", scope["method"], _route(scope))
            if status:  # the answer has begun: only ending the connection tells that it is not whole
                raise
            await _problem(error).response()(scope, receive, noting)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if route != _UNKNOWN else _UNKNOWN
        key = (route, method, status)
        if key not in self._counts:
            self._counts[key] = metrics.requests_total.labels(route, method, str(status)).inc
        if route not in self._seconds:
            self._seconds[route] = metrics.request_seconds.labels(route).observe
        self._counts[key]()
        self._seconds[route](seconds)


def _problem(error: Exception) -> Problem:
    """A ledger that cannot be read, for a key or a stored assessment, is no defect: the request may be sent again."""
    if is_outage(error):
        return Unavailable("The ledger cannot be read; the request had no effect. Send it again.")
    return InternalError()


def _route(scope: Scope) -> str:
    path: str = getattr(scope.get("route"), "path", _UNKNOWN)
    if path != _UNKNOWN:  # below where an application is mounted, such as the console
        path = scope.get("root_path", "").removeprefix(scope.get("app_root_path", "")) + path
    return path

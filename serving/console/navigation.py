"""The pages that every page leads to, by what a role may do."""

from __future__ import annotations

from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.routing import Match

from serving.staff.permissions import may


class Place(NamedTuple):
    """An entry of the navigation: the operation of the page, its path, the key of its text, and of the keyboard."""

    operation: str
    path: str
    text: str
    key: str


#: In the order in which they stand, and in which the first that a role may see is its home.
PLACES: Final = (
    Place("queue.view", "/queue", "navigation.queue", "g q"),
    Place("customer.view", "/customers", "navigation.customers", "g c"),
    Place("overview.view", "/overview", "navigation.overview", "g o"),
    Place("staff.manage", "/staff", "navigation.staff", "g s"),
    Place("connections.manage", "/connections", "navigation.connections", "g v"),
    Place("policy.view", "/policy", "navigation.policy", "g p"),
    Place("help.view", "/help", "navigation.help", "g h"),
)


def navigation(role: str, request: Request) -> tuple[Place, ...]:
    """The places that a role may see, of those that there are."""
    return tuple(place for place in PLACES if may(role, place.operation) and _exists(request, place.path))


def _exists(request: Request, path: str) -> bool:
    known: dict[str, bool] = request.app.state.places
    if path not in known:
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        known[path] = any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    return known[path]

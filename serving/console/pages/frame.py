"""What belongs to no area: the way home, and the console's own files."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving.console.navigation import navigation
from serving.console.routing import Pages, SignedIn
from serving.console.statics import answer

pages = Pages()


@pages.page("/", "account.own")
async def home(visit: SignedIn) -> Response:
    """Leads to the first page that the role is for."""
    places = navigation(visit.who.role, visit.request)
    return visit.redirect(places[0].path if places else "/account")


@pages.page("/static/{digest}/{name}", None)
async def static(request: Request, digest: str, name: str) -> Response:
    """A file of the console."""
    return answer(request, digest, name)

"""Signing in through an OpenID Connect provider: leaving for it, and coming back."""

from __future__ import annotations

from typing import Any, Final

import orjson
from cryptography.fernet import InvalidToken
from sqlalchemy.engine import Connection
from starlette.responses import Response

from serving.console.guest import Guest
from serving.console.kept import sealing
from serving.console.pages.signing_in import wanted_path, welcome
from serving.console.routing import Anybody, Pages
from serving.console.troubles import sign_in_page
from serving.metrics import sign_ins_total
from serving.problems import NotFound
from serving.staff import oidc
from serving.staff.errors import Refused
from serving.staff.oidc import Provider, ProviderError
from serving.staff.signing_in import SignedIn, begin_session

pages = Pages()

_COOKIE: Final = "returnwise_oidc"
_SECONDS: Final = 900
_NEXT: Final = "next"


@pages.page("/oidc", None)
async def leave(guest: Anybody) -> Response:
    """Leads to the provider."""
    provider = _provider(guest)
    guest.request.scope["session"] = session = {_NEXT: wanted_path(guest.request.query_params.get("next", ""))}
    try:
        response = await provider.leave(guest.request, f"{guest.base_url}{guest.root}/oidc/back")
    except ProviderError:
        guest.form.refuse("login", "sign_in.provider_failed")
        return sign_in_page(guest, 502, wanted=session[_NEXT])
    sealed = sealing(guest.context.ledger.hasher).encrypt(orjson.dumps(session)).decode()
    response.set_cookie(
        _COOKIE, sealed, _SECONDS, path=f"{guest.root}/oidc", secure=guest.is_secure, httponly=True, samesite="lax"
    )
    return response


@pages.page("/oidc/back", None)
async def come_back(guest: Anybody) -> Response:
    """Signs in whoever comes back from the provider, with what their browser remembers of having left for it."""
    provider = _provider(guest)
    guest.request.scope["session"] = session = _remembered(guest)
    wanted = wanted_path(str(session.get(_NEXT, "")))
    try:
        identity = await provider.identify(guest.request)

        def begin(conn: Connection) -> SignedIn | None:
            person = oidc.person_of(conn, identity, guest.now)
            hours = guest.context.serving.session_hours
            return begin_session(conn, person, guest.now, hours=hours) if person is not None else None

        signed_in = await guest.write(begin)
        if signed_in is None:
            raise Refused("sign_in.no_role")
        response, outcome = welcome(guest, signed_in, wanted), "taken"
    except ProviderError:
        outcome = "failed"
        guest.form.refuse("login", "sign_in.provider_failed")
        response = sign_in_page(guest, 401, wanted=wanted)
    except Refused as error:
        outcome = "refused"
        guest.form.refuse("login", error.key)
        response = sign_in_page(guest, 403, wanted=wanted)
    sign_ins_total.labels("provider", outcome).inc()
    response.delete_cookie(_COOKIE, path=f"{guest.root}/oidc", secure=guest.is_secure, httponly=True, samesite="lax")
    return response


def _provider(guest: Guest) -> Provider:
    if guest.context.provider is None:
        raise NotFound("No provider is set up.")
    return guest.context.provider


def _remembered(guest: Guest) -> dict[str, Any]:
    sealed = guest.request.cookies.get(_COOKIE, "")
    try:
        content = sealing(guest.context.ledger.hasher).decrypt(sealed.encode("utf-8", "surrogatepass"), ttl=_SECONDS)
    except InvalidToken:
        return {}
    remembered: dict[str, Any] = orjson.loads(content)
    return remembered

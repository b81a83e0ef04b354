"""Signing in through an OpenID Connect provider: the code flow with PKCE, state and nonce.

Who somebody is, is told by issuer and subject, never by an e-mail address that may have belonged to somebody else. What
they may do is told by a claim, at every sign-in anew.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import Response

from features.errors import ReturnwiseError
from serving.audit.trail import SYSTEM
from serving.settings import ServingSettings
from serving.staff import accounts, repository
from serving.staff.errors import Refused
from serving.staff.repository import Person

_log = logging.getLogger(__name__)

#: Signatures with the provider's public keys. `none` and those with a shared secret are not taken, whatever it says.
_SIGNATURES: Final = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
)
_TIMEOUT_S: Final = 10
_LEEWAY_S: Final = 60
_NOT_IN_A_LOGIN: Final = re.compile(r"[^a-z0-9._@+-]+", re.ASCII)


class ProviderError(ReturnwiseError):
    """The provider does not answer, refused, or what it answered does not hold."""


class Identity(NamedTuple):
    """Who the provider says somebody is."""

    subject: str  # "issuer subject"
    login: str
    name: str
    role: str | None


class Provider:
    """The provider of the settings."""

    def __init__(self, serving: ServingSettings) -> None:
        # imported here: who uses no provider need not wait for it
        with warnings.catch_warnings():
            from authlib.deprecate import AuthlibDeprecationWarning  # also turns them on

            warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # it would rather have httpx2
            from authlib.integrations.starlette_client import OAuth

        self._issuer = serving.oidc_issuer
        self._claim = serving.oidc_role_claim
        self._roles = serving.oidc_roles
        self._client_id = serving.oidc_client_id
        self.name = serving.oidc_name
        self._app: Any = OAuth().register(
            "staff",
            client_id=serving.oidc_client_id,
            client_secret=serving.oidc_client_secret,
            server_metadata_url=f"{serving.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": serving.oidc_scope, "code_challenge_method": "S256", "timeout": _TIMEOUT_S},
        )

    async def leave(self, request: Request, back: str) -> Response:
        """Leads to the provider, which leads to the address `back`; what has to be remembered is in `request.session`.

        Raises:
            ProviderError: it cannot be reached.
        """
        try:
            await self._check_provider()
            response: Response = await self._app.authorize_redirect(request, back)
        except Exception as error:
            raise _told(error) from error
        return response

    async def identify(self, request: Request) -> Identity:
        """Who came back from the provider.

        Raises:
            ProviderError: nobody was sent there from this browser, it refused, or its answer does not hold.
        """
        try:
            await self._check_provider()
            token = await self._app.authorize_access_token(
                request,
                leeway=_LEEWAY_S,
                claims_options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                },
            )
            claims: Mapping[str, Any] = token["userinfo"]
            return self._identity(claims)
        except Exception as error:
            raise _told(error) from error

    async def _check_provider(self) -> None:
        metadata = await self._app.load_server_metadata()
        if metadata.get("issuer") != self._issuer:
            raise ProviderError(f"the provider calls itself {metadata.get('issuer')!r}, not {self._issuer!r}")
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in _SIGNATURES]

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject = str(claims["sub"])
        login = str(claims.get("preferred_username") or claims.get("email") or subject)
        name = str(claims.get("name") or login)
        return Identity(f"{self._issuer} {subject}", login, name, self._role(claims))

    def _role(self, claims: Mapping[str, Any]) -> str | None:
        found: Any = claims
        for part in [self._claim] if self._claim in claims else self._claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        held = {found} if isinstance(found, str) else {each for each in found or () if isinstance(each, str)}
        return next((role for group, role in self._roles.items() if group in held), None)


def person_of(conn: Connection, identity: Identity, now: int) -> Person | None:
    """The account of somebody who came from the provider: made at the first time, and with the role that they have now.
    None if they have no role; then their sessions end, too.

    Raises:
        Refused: their account is disabled.
    """
    person = repository.find_subject(conn, identity.subject)
    if identity.role is None:
        if person is not None:
            repository.end_sessions(conn, person.staff_id, now)
        return None
    if person is None:
        return accounts.add(
            conn,
            SYSTEM,
            login=_free_login(conn, identity.login),
            name=_name(identity),
            role=identity.role,
            now=now,
            oidc_subject=identity.subject,
        )
    if not person.is_active:
        raise Refused("sign_in.refused")
    return accounts.set_role(conn, SYSTEM, person.staff_id, identity.role, now)


def _free_login(conn: Connection, wanted: str) -> str:
    """A login like the wanted one that nobody has."""
    login = _NOT_IN_A_LOGIN.sub("-", wanted.strip().lower())[:80].strip("._@+-") or "somebody"
    login = login if len(login) > 1 else f"{login}-1"
    free, number = login, 1
    while repository.find_login(conn, free) is not None:
        number += 1
        free = f"{login}-{number}"
    return free


def _name(identity: Identity) -> str:
    shown = "".join(character if character.isprintable() else " " for character in identity.name)
    return " ".join(shown.split())[: accounts.LONGEST_NAME].strip() or identity.login[: accounts.LONGEST_NAME]


def _told(error: Exception) -> ProviderError:
    """Whatever a provider does wrong is told in one way; what it was is in the log."""
    _log.warning("signing in through the provider failed: %s: %s", type(error).__name__, error)
    return error if isinstance(error, ProviderError) else ProviderError("the provider did not say who it was")

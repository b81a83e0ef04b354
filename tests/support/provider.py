"""A small OpenID Connect provider, as strict as a real one, and wrong in one thing where a test wants that."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.service import running

CLIENT = ("returnwise", "a secret for tests")


@dataclass
class Provider:
    """Its state: who is signed in there (`claims`), and what it does wrong (`wrong`)."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u1"})
    wrong: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def settings(self, **more: Any) -> dict[str, Any]:
        """Settings of a service that uses it."""
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": CLIENT[0],
            "oidc_client_secret": CLIENT[1],
            "oidc_name": "Shop ID",
            "oidc_roles": {"admins": "administrator", "leads": "lead", "desk": "desk"},
        } | more

    def configuration(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": "https://elsewhere.example" if self.wrong == "issuer of itself" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }
        )

    def keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT[0]
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        assert asked["nonce"]
        answer = {"state": asked["state"]}
        if self.wrong == "refusal":
            answer |= {"error": "access_denied"}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            answer |= {"code": code}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}")

    async def token(self, request: Request) -> Response:
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        credentials = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        asked = self.codes.pop(sent.get("code", ""), None)
        challenge = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or credentials != ":".join(CLIENT)
            or sent["redirect_uri"] != asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = {"access_token": "access", "token_type": "Bearer", "expires_in": 60}
        if self.wrong != "no id token":
            token["id_token"] = self._id_token(asked)
        return JSONResponse(token)

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT[0],
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
        } | self.claims
        claims |= {
            "nonce": {"nonce": "another"},
            "issuer": {"iss": "https://elsewhere.example"},
            "audience": {"aud": "another", "azp": CLIENT[0]},
            "time": {"iat": now - 7200, "exp": now - 3600},
        }.get(self.wrong, {})
        if self.wrong == "subject":
            del claims["sub"]
        match self.wrong:
            case "key":
                other = RSAKey.generate_key(2048, {"kid": "1"})
                return jwt.encode({"alg": "RS256", "kid": "1"}, claims, other)
            case "shared secret":
                return jwt.encode(
                    {"alg": "HS256"}, claims, OctKey.import_key(CLIENT[1].ljust(32)), algorithms=["HS256"]
                )
            case "no signature":
                parts = ({"alg": "none"}, claims)
                return ".".join(map(_encoded, parts)) + "."
            case _:
                return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)


def _encoded(part: Any) -> str:
    import json

    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@contextmanager
def provider() -> Iterator[Provider]:
    """A running provider."""
    made = Provider()
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", made.configuration),
            Route("/keys", made.keys),
            Route("/authorize", made.authorize),
            Route("/token", made.token, methods=["POST"]),
        ]
    )
    with running(app) as client:
        made.issuer = str(client.base_url).rstrip("/")
        yield made

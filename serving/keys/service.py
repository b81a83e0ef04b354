"""Making, listing and revoking API keys, and checking the one that a request carries.

A key reads `rw_<id>_<secret>`. The secret is 256 random bits; the database holds only its SHA-256, which nobody can
turn back, and which needs no slow hash because there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

from features.errors import ReturnwiseError
from features.ledger.store import Ledger
from serving.audit.trail import Actor, record
from serving.clock import iso, now_us
from serving.keys import repository
from serving.keys.repository import StoredKey
from serving.keys.scopes import Scope
from serving.problems import Forbidden, Unauthorized

_FORM: Final = re.compile(r"rw_([a-z0-9]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_ID_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_CACHE_S: Final = 0.5
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="returnwise"'}
_NO_DIGEST: Final = bytes(32)
_LONGEST_LABEL: Final = 100


class ApiKeyError(ReturnwiseError):
    """A key could not be made or found; the message says why."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as the command line shows it; times are ISO 8601."""

    key_id: str
    scopes: tuple[str, ...]
    label: str
    created_at: str
    revoked_at: str | None


def create(ledger: Ledger, scopes: Iterable[str], label: str = "") -> str:
    """Make a key and return it whole; this is the only time that anybody sees it.

    Raises:
        ApiKeyError: no scope, an unknown scope, or a label that is too long or has control characters.
    """
    wanted = frozenset(scopes)
    known = [scope.value for scope in Scope]
    if not wanted:
        raise ApiKeyError(f"a key needs at least one scope: {', '.join(known)}")
    unknown = sorted(wanted - set(known))
    if unknown:
        raise ApiKeyError(f"unknown scope {unknown[0]!r}; there are {', '.join(known)}")
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        raise ApiKeyError(f"a label has at most {_LONGEST_LABEL} printable characters")
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    with ledger.write() as conn:
        repository.insert(conn, StoredKey(key_id, _digest(secret), wanted, label, now_us(), None))
    return f"rw_{key_id}_{secret}"


def listing(ledger: Ledger) -> list[KeyInfo]:
    """All keys, oldest first, without their secrets."""
    with ledger.read() as conn:
        keys = repository.every(conn)
    return [
        KeyInfo(
            key.key_id,
            tuple(sorted(key.scopes)),
            key.label,
            iso(key.created_at),
            None if key.revoked_at is None else iso(key.revoked_at),
        )
        for key in keys
    ]


def revoke(ledger: Ledger, key_id: str) -> None:
    """Revoke a key; running services refuse it within a second. Revoking it again changes nothing.

    Raises:
        ApiKeyError: there is no such key.
    """
    with ledger.write() as conn:
        if repository.find(conn, key_id) is None:
            raise ApiKeyError(f"no key {key_id!r}; `returnwise keys list` shows them")
        repository.set_revoked(conn, key_id, now_us())


def revoke_by(conn: Connection, actor: Actor, key_id: str, *, now: int) -> None:
    """Revoke a key in the caller's transaction, and note who did; revoking it again changes nothing.

    Raises:
        ApiKeyError: there is no such key.
    """
    key = repository.find(conn, key_id)
    if key is None:
        raise ApiKeyError(f"no key {key_id!r}")
    if key.revoked_at is None:
        repository.set_revoked(conn, key_id, now)
        record(conn, actor, "connections.manage", at=now, subject=f"key:{key_id}", content={"what": "revoked"})


class KeyGuard:
    """Checks the keys of requests; knows each for half a second before it looks at the database again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, tuple[StoredKey, float]] = {}

    def check(self, authorization: str | None, scope: Scope) -> None:
        """Lets a request pass whose `Authorization` header carries a valid key with the scope.

        Raises:
            Unauthorized: no key, a wrong one or a revoked one.
            Forbidden: the key lacks the scope.
        """
        if not authorization:
            raise Unauthorized("Send an API key as `Authorization: Bearer rw_...`.", headers=_CHALLENGE)
        scheme, _, token = authorization.partition(" ")
        form = _FORM.fullmatch(token.strip()) if scheme.lower() == "bearer" else None
        key = None if form is None else self._find(form[1])
        # compared in any case, so that the time taken does not tell whether the id exists
        same = hmac.compare_digest(_digest(form[2] if form else ""), key.digest if key else _NO_DIGEST)
        if key is None or not same or key.revoked_at is not None:
            challenge = {"WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'}
            raise Unauthorized("The API key is not valid.", headers=challenge)
        if scope not in key.scopes:
            challenge = {
                "WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="insufficient_scope", scope="{scope}"'
            }
            raise Forbidden(f"The API key lacks the scope {scope}.", headers=challenge)

    def _find(self, key_id: str) -> StoredKey | None:
        now = time.monotonic()
        known = self._known.get(key_id)
        if known is not None and now - known[1] < _CACHE_S:
            return known[0]
        with self._ledger.read() as conn:
            key = repository.find(conn, key_id)
        if key is None:
            self._known.pop(key_id, None)
        else:
            self._known[key_id] = (key, now)
        return key


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()

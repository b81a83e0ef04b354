"""Connecting shops, and knowing them when they send something.

Everything that is done to a connection is in the audit trail, under `shop:ID`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

from features.ledger.characters import FORBIDDEN_PATTERN
from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM, Actor, Entry, of_subject, record
from serving.problems import BadSignature
from serving.refused import Refused
from serving.sealing import Sealer
from serving.shops import repository
from serving.shops.adapters import ADAPTERS
from serving.shops.reading import Adapter
from serving.shops.repository import Shop

_OPERATION: Final = "connections.manage"
_SHOP_ASKS: Final = "redact_asked"
LONGEST_NAME: Final = 100
LONGEST_PREFIX: Final = 20
_SHORTEST_SECRET: Final = 16
_CACHE_S: Final = 0.5
_NO_KEY: Final = b"no shop"


class ShopError(Refused):
    """A shop could not be connected or found."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A new connection. `secret` is there where it was made here; nobody sees it again."""

    shop: Shop
    secret: str | None

    @property
    def path(self) -> str:
        """Where the shop sends its webhooks."""
        return f"/v1/shops/{self.shop.connection_id}"


def connect(
    conn: Connection,
    actor: Actor,
    sealer: Sealer,
    kind: str,
    name: str,
    *,
    secret: str | None = None,
    prefix: str = "",
    now: int,
) -> Connected:
    """A new connection. `secret`: what the shop signs with; one is made, if none is given and the kind of shop allows.

    `prefix` stands before all ids of the shop in the ledger, so that two shops that count alike stay apart.

    Raises:
        ShopError: an unknown kind, no name, a secret that is missing or too short, a prefix that cannot be one.
    """
    adapter = ADAPTERS.get(kind)
    if adapter is None:
        raise ShopError("shops.kind_unknown", "kind", kind=kind, known=", ".join(ADAPTERS))
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ShopError("shops.name_form", "shop_name", most=LONGEST_NAME)
    if len(prefix) > LONGEST_PREFIX or FORBIDDEN_PATTERN.search(prefix) or any(char.isspace() for char in prefix):
        raise ShopError("shops.prefix_form", "prefix", most=LONGEST_PREFIX)
    if not secret and not adapter.makes_secret:
        raise ShopError("shops.secret_needed", "shop_secret", shop=adapter.title)
    if secret and len(secret.strip()) < _SHORTEST_SECRET:
        raise ShopError("shops.secret_short", "shop_secret", least=_SHORTEST_SECRET)
    made = None if secret else secrets.token_urlsafe(32)
    shop = Shop(secrets.token_hex(12), kind, name, prefix, sealer.seal((secret or made or "").strip()), now, None)
    repository.insert(conn, shop)
    _note(conn, actor, shop.connection_id, "connected", now)
    return Connected(shop, made)


def disconnect(conn: Connection, actor: Actor, connection_id: str, *, now: int) -> None:
    """Take nothing from a shop any more; running services refuse it within a second. What was taken stays.

    Raises:
        ShopError: there is no such connection.
    """
    shop = repository.find(conn, connection_id)
    if shop is None:
        raise ShopError("shops.unknown", id=connection_id)
    if shop.disabled_at is None:
        repository.set_disabled(conn, connection_id, now)
        _note(conn, actor, connection_id, "disconnected", now)


def note_shop_asks(conn: Connection, connection_id: str, domain: str, *, now: int) -> None:
    """Keep that a shop asks for all that came from it to be erased, once.

    Nothing else is done by it: the secret of an app signs for each of its shops, and an app that is installed anew
    would find its history gone. A person disconnects the shop and erases.
    """
    if shop_asks(conn, connection_id) is None:
        content = {"what": _SHOP_ASKS, "domain": domain}
        record(conn, SYSTEM, _OPERATION, at=now, subject=f"shop:{connection_id}", content=content)


def shop_asks(conn: Connection, connection_id: str) -> Entry | None:
    """The entry that a shop asks for all that came from it to be erased."""
    entries = of_subject(conn, f"shop:{connection_id}")
    return next((entry for entry in entries if entry.content.get("what") == _SHOP_ASKS), None)


class ShopGuard:
    """Checks who sends; knows each shop for half a second before it looks at the database again."""

    def __init__(self, ledger: Ledger, sealer: Sealer) -> None:
        self._ledger = ledger
        self._sealer = sealer
        self._known: dict[str, tuple[Shop, bytes, float]] = {}

    def knows(self, connection_id: str) -> Shop | None:
        """The connection of that id, if it is in use."""
        found = self._find(connection_id)
        return found[0] if found else None

    def check(self, connection_id: str, headers: Mapping[str, str], body: bytes) -> tuple[Shop, Adapter]:
        """The shop that signed a message, and its kind.

        Raises:
            BadSignature: nobody whom we know did. It does not say whether there is such a connection.
        """
        found = self._find(connection_id)
        adapter = ADAPTERS[found[0].kind] if found else None
        claimed = headers.get(adapter.signature_header, "") if adapter else ""
        # computed in any case, so that the time taken does not tell whether the connection exists
        digest = hmac.new(found[1] if found else _NO_KEY, body, hashlib.sha256).digest()
        same = hmac.compare_digest(base64.b64encode(digest), claimed.strip().encode("utf-8", "replace"))
        if found is None or adapter is None or not same:
            raise BadSignature("The message was not accepted.")
        return found[0], adapter

    def _find(self, connection_id: str) -> tuple[Shop, bytes] | None:
        now = time.monotonic()
        known = self._known.get(connection_id)
        if known is not None and now - known[2] < _CACHE_S:
            return known[:2]
        with self._ledger.read() as conn:
            shop = repository.find(conn, connection_id)
        if shop is None or shop.disabled_at is not None or shop.kind not in ADAPTERS:
            self._known.pop(connection_id, None)
            return None
        key = self._sealer.open(shop.secret).encode()
        self._known[connection_id] = (shop, key, now)
        return shop, key


def _note(conn: Connection, actor: Actor, connection_id: str, what: str, now: int) -> None:
    record(conn, actor, _OPERATION, at=now, subject=f"shop:{connection_id}", content={"what": what})

"""Endpoints of webhooks: adding, changing and trying them.

Like all services these run in the caller's transaction. Everything that is done to an endpoint is in the audit trail,
under `webhook:ID`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

from features.clock import SECOND
from serving.audit.trail import Actor, record
from serving.hooks import outbox, repository
from serving.hooks.address import parse
from serving.hooks.repository import Endpoint
from serving.hooks.types import TYPES
from serving.refused import Refused
from serving.sealing import Sealer

_OPERATION: Final = "connections.manage"
LONGEST_DESCRIPTION: Final = 200
_MOST_ENDPOINTS: Final = 20
_SECRET_BYTES: Final = 32
#: How long both secrets sign after a change.
ROTATION_S: Final = 24 * 3600
_MOST_RETRIED: Final = 1_000


class HookError(Refused):
    """An endpoint could not be made, found or changed."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new endpoint, or one with a new secret. Nobody sees the secret again."""

    endpoint: Endpoint
    secret: str


def add(
    conn: Connection,
    actor: Actor,
    sealer: Sealer,
    url: str,
    types: Collection[str],
    *,
    description: str = "",
    inside: bool,
    now: int,
) -> Made:
    """A new endpoint for messages of these types; of all types, if none is named.

    Raises:
        AddressError: webhooks may not go there.
        HookError: an unknown type, a description that is too long, or too many endpoints.
    """
    parse(url, inside=inside)
    unknown = sorted(set(types) - TYPES.keys())
    if unknown:
        raise HookError("hooks.type_unknown", "types", type=unknown[0], known=", ".join(TYPES))
    if len(description) > LONGEST_DESCRIPTION or not description.isprintable():
        raise HookError("hooks.description_form", "description", most=LONGEST_DESCRIPTION)
    if len(repository.every(conn)) >= _MOST_ENDPOINTS:
        raise HookError("hooks.too_many", "url", most=_MOST_ENDPOINTS)
    secret = new_secret()
    wanted = " ".join(name for name in TYPES if name in types or not types)
    endpoint_id = f"ep_{secrets.token_hex(8)}"
    endpoint = Endpoint(endpoint_id, url, sealer.seal(secret), None, None, wanted, description.strip(), now, None, None)
    repository.insert(conn, endpoint)
    _note(conn, actor, endpoint_id, "added", now)
    return Made(endpoint, secret)


def get(conn: Connection, endpoint_id: str) -> Endpoint:
    """The endpoint of that id.

    Raises:
        HookError: there is none.
    """
    endpoint = repository.find(conn, endpoint_id)
    if endpoint is None:
        raise HookError("hooks.unknown", id=endpoint_id)
    return endpoint


def disable(conn: Connection, actor: Actor, endpoint_id: str, *, now: int, because: str = "hand") -> None:
    """Send nothing to an endpoint any more; what waits for it stays. Disabling it again changes nothing."""
    if get(conn, endpoint_id).disabled_at is None:
        repository.set_disabled(conn, endpoint_id, now, because)
        _note(conn, actor, endpoint_id, "disabled", now)


def enable(conn: Connection, actor: Actor, endpoint_id: str, *, now: int) -> None:
    """Use an endpoint again; what waited for it goes out."""
    if get(conn, endpoint_id).disabled_at is not None:
        repository.set_disabled(conn, endpoint_id, None, None)
        _note(conn, actor, endpoint_id, "enabled", now)


def rotate(conn: Connection, actor: Actor, sealer: Sealer, endpoint_id: str, *, now: int) -> Made:
    """A new secret. For a day the former one signs, too, so that the receiver can change over without losing any."""
    endpoint = get(conn, endpoint_id)
    secret = new_secret()
    sealed, until = sealer.seal(secret), now + ROTATION_S * SECOND
    repository.set_secrets(conn, endpoint_id, sealed, endpoint.secret, until)
    _note(conn, actor, endpoint_id, "rotated", now)
    return Made(endpoint._replace(secret=sealed, former_secret=endpoint.secret, former_until=until), secret)


def retry(conn: Connection, actor: Actor, endpoint_id: str, message_no: int | None, *, now: int) -> int:
    """Send a message that was not delivered again at once, or with None all that were given up (at most 1,000); how
    many."""
    get(conn, endpoint_id)
    chosen = repository.given_up(conn, endpoint_id, _MOST_RETRIED) if message_no is None else [message_no]
    repository.send_now(conn, endpoint_id, chosen, now)
    _note(conn, actor, endpoint_id, "retried", now)
    return len(chosen)


def test(conn: Connection, actor: Actor, endpoint_id: str, *, now: int) -> int:
    """Send an endpoint a message of the type `webhook.test`; the number of the message."""
    if get(conn, endpoint_id).disabled_at is not None:
        raise HookError("hooks.is_disabled")
    _note(conn, actor, endpoint_id, "tested", now)
    return outbox.put_test(conn, endpoint_id, now)


def signing_secrets(endpoint: Endpoint, sealer: Sealer, now: int) -> list[str]:
    """The secrets that sign at a moment, that in force first."""
    found = [sealer.open(endpoint.secret)]
    if endpoint.former_secret is not None and (endpoint.former_until or 0) > now:
        found.append(sealer.open(endpoint.former_secret))
    return found


def new_secret() -> str:
    """A secret as the specification serialises them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _note(conn: Connection, actor: Actor, endpoint_id: str, what: str, now: int) -> None:
    record(conn, actor, _OPERATION, at=now, subject=f"webhook:{endpoint_id}", content={"what": what})

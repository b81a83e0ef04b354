"""SQL of the API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from serving.tables import api_keys


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as the database holds it: everything but the secret. Times in microseconds since 1970 UTC."""

    key_id: str
    digest: bytes
    scopes: frozenset[str]
    label: str
    created_at: int
    revoked_at: int | None


def insert(conn: Connection, key: StoredKey) -> None:
    """Store a new key."""
    conn.execute(
        sa.insert(api_keys).values(
            key_id=key.key_id,
            digest=key.digest,
            scopes=" ".join(sorted(key.scopes)),
            label=key.label,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )
    )


def find(conn: Connection, key_id: str) -> StoredKey | None:
    """The key of that id."""
    row = conn.execute(sa.select(api_keys).where(api_keys.c.key_id == key_id)).one_or_none()
    return None if row is None else _stored(row)


def every(conn: Connection) -> list[StoredKey]:
    """All keys, oldest first."""
    rows = conn.execute(sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id))
    return [_stored(row) for row in rows]


def set_revoked(conn: Connection, key_id: str, moment: int) -> None:
    """Mark a key as revoked; the first revocation stands."""
    conn.execute(
        sa.update(api_keys)
        .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=moment)
    )


def _stored(row: Sequence[object]) -> StoredKey:
    key_id, digest, scopes, label, created_at, revoked_at = row
    assert isinstance(digest, bytes)
    assert isinstance(created_at, int)
    return StoredKey(
        str(key_id),
        bytes(digest),
        frozenset(str(scopes).split()),
        str(label),
        created_at,
        revoked_at if isinstance(revoked_at, int) else None,
    )

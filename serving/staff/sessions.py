"""Sessions of the console: a cookie with 256 random bits, of which only the SHA-256 is kept.

A session ends when its person signs out, does nothing for a while, or after some hours; and all of a person's sessions
end when the password or the role changes or the account is disabled. The row stays for some days more: a form that is
sent too late then still tells whose words it holds.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from serving.staff import repository
from serving.staff.repository import Person, Session

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_MINUTE: Final = 60_000_000
_DAY: Final = 1_440 * _MINUTE
_KEPT: Final = 7 * _DAY
#: A session that is used is noted so often at most: each note is a write.
NOTED_EVERY: Final = _MINUTE


class Found(NamedTuple):
    """What a cookie leads to: whose session it is or was, and whether it still holds."""

    session: Session
    person: Person
    holds: bool


def begin(conn: Connection, person: Person, now: int, *, hours: int) -> tuple[Session, str]:
    """Begin a session and give it with its cookie's value: the only time that anybody sees that."""
    token = secrets.token_urlsafe(32)
    session = Session(
        digest_of(token), person.staff_id, secrets.token_urlsafe(32), now, now, now + hours * 60 * _MINUTE
    )
    repository.forget_sessions(conn, now - _KEPT)
    repository.insert_session(conn, session)
    return session, token


def find(conn: Connection, token: str | None, now: int, *, idle_minutes: int) -> Found | None:
    """The session of a cookie's value; None if there never was one, or not lately."""
    if token is None or not _TOKEN.fullmatch(token):
        return None
    session = repository.find_session(conn, digest_of(token))
    person = repository.find(conn, session.staff_id) if session is not None else None
    if session is None or person is None:
        return None
    return Found(session, person, _holds(session, person, now, idle_minutes))


def running(conn: Connection, staff_id: str, now: int, *, idle_minutes: int) -> list[Session]:
    """The sessions of a person that hold, the latest seen first."""
    found = repository.sessions_of(conn, staff_id, now)
    return [session for session in found if now - session.seen_at < idle_minutes * _MINUTE]


def _holds(session: Session, person: Person, now: int, idle_minutes: int) -> bool:
    return now < session.expires_at and now - session.seen_at < idle_minutes * _MINUTE and person.is_active


def digest_of(token: str) -> bytes:
    """What is kept of a cookie's value, or of a link's."""
    return hashlib.sha256(token.encode()).digest()

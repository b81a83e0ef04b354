"""Signing in with login and password.

Whoever tries a login too often waits, whether it exists or not, and the answer takes as long for a login that nobody
has. Attempts are kept under a keyed digest of the login, as people sometimes type a password into that field.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from serving.context import Context
from serving.staff import accounts, passwords, repository, sessions
from serving.staff.errors import Refused
from serving.staff.repository import Person, Session

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
#: So many failures are free; each further one doubles the wait, from the first to the longest.
_FREE: Final = 5
_FIRST_WAIT: Final = 15 * _SECOND
_LONGEST_WAIT: Final = 15 * _MINUTE
_COUNTED: Final = 24 * 60 * _MINUTE
_KEPT: Final = 30 * 24 * 60 * _MINUTE


class SignedIn(NamedTuple):
    """Somebody's new session; `token` is the value of its cookie."""

    person: Person
    session: Session
    token: str


class TooOften(Refused):
    """The login was tried too often; `seconds` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__("sign_in.too_often", "login", count=max(1, -(-seconds // 60)))
        self.seconds = seconds


async def sign_in(context: Context, login: str, password: str, now: int) -> SignedIn:
    """Begin a session.

    Raises:
        TooOften: the login has to wait.
        Refused: login and password do not fit, or the account is disabled; it does not say which.
    """
    login = accounts.normal_login(login)
    attempted = _digest(context, login)

    def look(conn: Connection) -> Person | None:
        _attempt(conn, attempted, now)
        return repository.find_login(conn, login)

    person = await context.writer.run(look)
    former = person.password_hash if person is not None else None
    fits = await asyncio.to_thread(passwords.matches, password[: passwords.LONGEST + 1], former)
    if person is None or former is None or not fits or not person.is_active:
        raise Refused("sign_in.refused", "login")
    anew = await asyncio.to_thread(passwords.hashed, password) if passwords.is_outdated(former) else former

    def begin(conn: Connection) -> SignedIn:
        current = repository.find(conn, person.staff_id)
        if current is None or not current.is_active or current.password_hash != former:
            raise Refused("sign_in.refused", "login")
        if anew != former:
            repository.update(conn, current._replace(password_hash=anew))
        repository.insert_attempt(conn, attempted, now, succeeded=True)
        return begin_session(conn, current, now, hours=context.serving.session_hours)

    return await context.writer.run(begin)


async def confirms(context: Context, person: Person, password: str, now: int) -> bool:
    """Whether a password is that of a person who is signed in already. A session that was left open is no way to guess
    it: this counts as an attempt to sign in.

    Raises:
        TooOften: the login has to wait.
    """
    attempted = _digest(context, person.login)
    await context.writer.run(lambda conn: _attempt(conn, attempted, now))
    fits = await asyncio.to_thread(passwords.matches, password[: passwords.LONGEST + 1], person.password_hash)
    if fits:
        await context.writer.run(lambda conn: repository.insert_attempt(conn, attempted, now, succeeded=True))
    return fits


def begin_session(conn: Connection, person: Person, now: int, *, hours: int) -> SignedIn:
    """Begin a session of a person who has shown who they are."""
    return SignedIn(person, *sessions.begin(conn, person, now, hours=hours))


def _attempt(conn: Connection, attempted: str, now: int) -> None:
    """Note an attempt, before the password is looked at: many at once are no way around the wait.

    Raises:
        TooOften: the login has to wait.
    """
    wait = wait_us(conn, attempted, now)
    if wait > 0:
        raise TooOften(-(-wait // _SECOND))
    repository.insert_attempt(conn, attempted, now, succeeded=False)
    repository.forget_attempts(conn, now - _KEPT)


def wait_us(conn: Connection, attempted: str, now: int) -> int:
    """How long a login still has to wait before it may be tried again, in microseconds."""
    count, latest = repository.failures(conn, attempted, now - _COUNTED)
    if count < _FREE:
        return 0
    wait = min(_FIRST_WAIT << min(count - _FREE, 20), _LONGEST_WAIT)
    return max(0, latest + wait - now)


def _digest(context: Context, login: str) -> str:
    key = context.ledger.hasher.subkey(b"sign-in attempts")
    return hmac.digest(key, login.encode("utf-8", "surrogatepass"), "sha256").hex()

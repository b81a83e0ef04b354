"""Making and changing accounts of staff. Every change is recorded in the audit trail, in the same transaction.

Passwords arrive here hashed (`serving.staff.passwords`): hashing is slow, and these functions run in a transaction.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from sqlalchemy.engine import Connection

from serving.audit import trail
from serving.audit.trail import Actor
from serving.staff import links, repository
from serving.staff.errors import Refused
from serving.staff.links import Opened, Purpose
from serving.staff.permissions import ROLES
from serving.staff.repository import Person

LONGEST_LOGIN: Final = 100
LONGEST_NAME: Final = 100
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}", re.ASCII)
_ID_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_MANAGE: Final = "staff.manage"
_OWN: Final = "account.own"


def normal_login(login: str) -> str:
    """A login as it is kept."""
    return login.strip().lower()


def actor_of(person: Person) -> Actor:
    """The person, as the audit trail names who does something."""
    return Actor("staff", person.staff_id, person.role, person.name)


def add(
    conn: Connection,
    actor: Actor,
    *,
    login: str,
    name: str,
    role: str,
    now: int,
    password_hash: str | None = None,
    oidc_subject: str | None = None,
) -> Person:
    """Make an account.

    Raises:
        Refused: the login is taken or has characters that it may not have, there is no name or no such role.
    """
    login, name = normal_login(login), " ".join(name.split())
    if not _LOGIN.fullmatch(login):
        raise Refused("staff.login_form", "login")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("staff.name_form", "name")
    if role not in ROLES:
        raise Refused("staff.role_unknown", "role")
    if repository.find_login(conn, login) is not None:
        raise Refused("staff.login_taken", "login")
    staff_id = "s" + "".join(secrets.choice(_ID_LETTERS) for _ in range(11))
    person = Person(
        staff_id, login, name, role, password_hash, oidc_subject, None, None, True, now, actor.staff_id, None
    )
    repository.insert(conn, person)
    _record(conn, actor, person, "added", now, role=role)
    return person


def invite(conn: Connection, actor: Actor, *, login: str, name: str, role: str, now: int) -> tuple[Person, str]:
    """Make an account and a link with which its person chooses a password.

    Raises:
        Refused: as `add`.
    """
    person = add(conn, actor, login=login, name=name, role=role, now=now)
    return person, links.make(conn, "invitation", person.staff_id, now)


def new_link(conn: Connection, actor: Actor, staff_id: str, now: int) -> str:
    """A link with which a person chooses a (new) password.

    Raises:
        Refused: there is nobody of that id, or they may not sign in.
    """
    person = _active(conn, staff_id)
    purpose: Purpose = "invitation" if person.is_invited else "new_password"
    token = links.make(conn, purpose, staff_id, now)
    _record(conn, actor, person, "link_made", now, purpose=purpose)
    return token


def accept(conn: Connection, opened: Opened, *, login: str, name: str, password_hash: str, now: int) -> Person:
    """Use a link up: the first administrator, or somebody invited, chooses how to sign in.

    `login` and `name` count for the first administrator only.

    Raises:
        Refused: as `add`.
    """
    repository.use_link(conn, opened.link.digest, now)
    if opened.person is None:
        administrator = add(
            conn,
            trail.SYSTEM,
            login=login,
            name=name,
            role="administrator",
            now=now,
            password_hash=password_hash,
        )
        repository.withdraw_links(conn, None, now)
        return administrator
    return set_password(conn, actor_of(opened.person), opened.person, password_hash, now)


def set_password(
    conn: Connection, actor: Actor, person: Person, password_hash: str, now: int, *, keep_session: bytes = b""
) -> Person:
    """Give a person another password; ends all their sessions but one."""
    changed = person._replace(password_hash=password_hash)
    repository.update(conn, changed)
    repository.end_sessions(conn, person.staff_id, now, but=keep_session)
    repository.withdraw_links(conn, person.staff_id, now)
    trail.record(conn, actor, _OWN, at=now, subject=f"staff:{person.staff_id}", content={"what": "password_changed"})
    return changed


def set_own(
    conn: Connection, staff_id: str, *, name: str, language: str | None, theme: str | None, shortcuts: bool, now: int
) -> Person:
    """Change what a person chooses for themselves.

    Raises:
        Refused: the name is empty, too long or not printable.
    """
    person = _active(conn, staff_id)
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("staff.name_form", "name")
    changed = person._replace(name=name, language=language, theme=theme, shortcuts=shortcuts)
    repository.update(conn, changed)
    content = {"what": "account_changed", "renamed": name != person.name}
    trail.record(conn, actor_of(person), _OWN, at=now, subject=f"staff:{staff_id}", content=content)
    return changed


def set_role(conn: Connection, actor: Actor, staff_id: str, role: str, now: int) -> Person:
    """Give a person another role; ends their sessions.

    Raises:
        Refused: there is nobody of that id, no such role, or nobody else would be an administrator.
    """
    person = _active(conn, staff_id)
    if role not in ROLES:
        raise Refused("staff.role_unknown", "role")
    if role == person.role:
        return person
    if person.role == "administrator" and actor.is_staff:
        _not_the_last(conn, person)
    changed = person._replace(role=role)
    repository.update(conn, changed)
    repository.end_sessions(conn, staff_id, now)
    _record(conn, actor, person, "role_changed", now, role=role, former=person.role)
    return changed


def disable(conn: Connection, actor: Actor, staff_id: str, now: int) -> Person:
    """Let a person sign in no more; ends their sessions and links.

    Raises:
        Refused: there is nobody of that id, or nobody else would be an administrator.
    """
    person = _active(conn, staff_id)
    if person.role == "administrator":
        _not_the_last(conn, person)
    changed = person._replace(disabled_at=now)
    repository.update(conn, changed)
    repository.end_sessions(conn, staff_id, now)
    repository.withdraw_links(conn, staff_id, now)
    _record(conn, actor, person, "disabled", now)
    return changed


def enable(conn: Connection, actor: Actor, staff_id: str, now: int) -> Person:
    """Let a person sign in again.

    Raises:
        Refused: there is nobody of that id.
    """
    person = repository.find(conn, staff_id)
    if person is None:
        raise Refused("staff.unknown")
    changed = person._replace(disabled_at=None)
    repository.update(conn, changed)
    _record(conn, actor, person, "enabled", now)
    return changed


def _active(conn: Connection, staff_id: str) -> Person:
    person = repository.find(conn, staff_id)
    if person is None or not person.is_active:
        raise Refused("staff.unknown")
    return person


def _not_the_last(conn: Connection, person: Person) -> None:
    if repository.other_administrators(conn, person.staff_id) == 0:
        raise Refused("staff.last_administrator")


def _record(conn: Connection, actor: Actor, person: Person, what: str, now: int, **more: str) -> None:
    trail.record(conn, actor, _MANAGE, at=now, subject=f"staff:{person.staff_id}", content={"what": what, **more})

"""Rows of staff, their sessions, one-time links and attempts to sign in. Times are microseconds since 1970 UTC."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows


class Person(NamedTuple):
    """A member of staff."""

    staff_id: str
    login: str
    name: str
    role: str
    password_hash: str | None
    oidc_subject: str | None
    language: str | None
    theme: str | None
    shortcuts: bool
    created_at: int
    created_by: str | None
    disabled_at: int | None

    @property
    def is_active(self) -> bool:
        """Whether they may sign in."""
        return self.disabled_at is None

    @property
    def is_invited(self) -> bool:
        """Whether they have not yet chosen how to sign in."""
        return self.password_hash is None and self.oidc_subject is None


class Session(NamedTuple):
    """A row of `staff_sessions`."""

    digest: bytes
    staff_id: str
    form_key: str
    created_at: int
    seen_at: int
    expires_at: int


class Link(NamedTuple):
    """A row of `staff_links`."""

    digest: bytes
    purpose: str
    staff_id: str | None
    created_at: int
    expires_at: int
    used_at: int | None


_PERSON: Final = ", ".join(Person._fields)
_SESSION: Final = ", ".join(Session._fields)
_LINK: Final = ", ".join(Link._fields)


def _person(row: tuple[Any, ...]) -> Person:
    person = Person(*row)
    return person._replace(shortcuts=bool(person.shortcuts))


def find(conn: Connection, staff_id: str) -> Person | None:
    """The person of an id."""
    found = rows(conn, f"SELECT {_PERSON} FROM staff WHERE staff_id = ?", (staff_id,))
    return _person(found[0]) if found else None


def find_login(conn: Connection, login: str) -> Person | None:
    """The person of a login (lower case)."""
    found = rows(conn, f"SELECT {_PERSON} FROM staff WHERE login = ?", (login,))
    return _person(found[0]) if found else None


def find_subject(conn: Connection, subject: str) -> Person | None:
    """The person of an OpenID Connect subject ("issuer subject")."""
    found = rows(conn, f"SELECT {_PERSON} FROM staff WHERE oidc_subject = ?", (subject,))
    return _person(found[0]) if found else None


def everybody(conn: Connection) -> list[Person]:
    """All staff: the active ones first, by name."""
    sql = f"SELECT {_PERSON} FROM staff ORDER BY CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END, name, staff_id"
    return [_person(row) for row in rows(conn, sql)]


def names(conn: Connection) -> dict[str, str]:
    """Names by staff id, of everybody there ever was."""
    return {str(staff_id): str(name) for staff_id, name in rows(conn, "SELECT staff_id, name FROM staff")}


def is_empty(conn: Connection) -> bool:
    """Whether nobody has an account yet."""
    return not rows(conn, "SELECT staff_id FROM staff LIMIT 1")


def other_administrators(conn: Connection, staff_id: str) -> int:
    """How many others can sign in as administrators."""
    sql = (
        "SELECT count(*) FROM staff WHERE role = 'administrator' AND disabled_at IS NULL AND staff_id <> ? "
        "AND (password_hash IS NOT NULL OR oidc_subject IS NOT NULL)"
    )
    return int(rows(conn, sql, (staff_id,))[0][0])


def insert(conn: Connection, person: Person) -> None:
    """Add a person."""
    execute(conn, f"INSERT INTO staff ({_PERSON}) VALUES ({', '.join('?' * len(person))})", _stored(person))


def update(conn: Connection, person: Person) -> None:
    """Replace all columns of a person."""
    assignments = ", ".join(f"{name} = ?" for name in Person._fields[1:])
    execute(conn, f"UPDATE staff SET {assignments} WHERE staff_id = ?", (*_stored(person)[1:], person.staff_id))


def _stored(person: Person) -> tuple[Any, ...]:
    return tuple(int(value) if isinstance(value, bool) else value for value in person)


def insert_session(conn: Connection, session: Session) -> None:
    """Add a session."""
    execute(conn, f"INSERT INTO staff_sessions ({_SESSION}) VALUES ({', '.join('?' * len(session))})", session)


def find_session(conn: Connection, digest: bytes) -> Session | None:
    """The session of a cookie's digest, ended or not."""
    found = rows(conn, f"SELECT {_SESSION} FROM staff_sessions WHERE digest = ?", (digest,))
    return Session(*found[0])._replace(digest=digest) if found else None


def sessions_of(conn: Connection, staff_id: str, now: int) -> list[Session]:
    """The sessions of a person that have not passed their end, the latest seen first."""
    sql = f"SELECT {_SESSION} FROM staff_sessions WHERE staff_id = ? AND expires_at > ? ORDER BY seen_at DESC"
    return [Session(bytes(row[0]), *row[1:]) for row in rows(conn, sql, (staff_id, now))]


def touch_session(conn: Connection, digest: bytes, now: int) -> None:
    """Note that the session was used."""
    execute(conn, "UPDATE staff_sessions SET seen_at = ? WHERE digest = ? AND seen_at < ?", (now, digest, now))


def end_session(conn: Connection, digest: bytes, now: int) -> None:
    """End one session; its row stays for a while, so that a form that comes too late is known."""
    execute(conn, "UPDATE staff_sessions SET expires_at = ? WHERE digest = ? AND expires_at > ?", (now, digest, now))


def end_sessions(conn: Connection, staff_id: str, now: int, *, but: bytes = b"") -> None:
    """End all sessions of a person, but one."""
    sql = "UPDATE staff_sessions SET expires_at = ? WHERE staff_id = ? AND expires_at > ? AND digest <> ?"
    execute(conn, sql, (now, staff_id, now, but))


def forget_sessions(conn: Connection, before: int) -> None:
    """Delete sessions that ended before a moment."""
    execute(conn, "DELETE FROM staff_sessions WHERE expires_at < ?", (before,))


def insert_link(conn: Connection, link: Link) -> None:
    """Add a one-time link."""
    execute(conn, f"INSERT INTO staff_links ({_LINK}) VALUES ({', '.join('?' * len(link))})", link)


def find_link(conn: Connection, digest: bytes) -> Link | None:
    """The link of a digest, used or not."""
    found = rows(conn, f"SELECT {_LINK} FROM staff_links WHERE digest = ?", (digest,))
    return Link(*found[0])._replace(digest=digest) if found else None


def use_link(conn: Connection, digest: bytes, now: int) -> None:
    """Note that the link was used."""
    execute(conn, "UPDATE staff_links SET used_at = ? WHERE digest = ?", (now, digest))


def withdraw_links(conn: Connection, staff_id: str | None, now: int) -> None:
    """Make the unused links of a person useless; of None, those of the first start."""
    whose = "staff_id IS NULL" if staff_id is None else "staff_id = ?"
    parameters = (now, now) if staff_id is None else (now, now, staff_id)
    execute(
        conn, f"UPDATE staff_links SET expires_at = ? WHERE expires_at > ? AND used_at IS NULL AND {whose}", parameters
    )


def insert_attempt(conn: Connection, login: str, at: int, *, succeeded: bool) -> None:
    """Note an attempt to sign in; `login` is a keyed digest."""
    sql = "INSERT INTO sign_in_attempts (login, at, succeeded) VALUES (?, ?, ?)"
    execute(conn, sql, (login, at, int(succeeded)))


def failures(conn: Connection, login: str, since: int) -> tuple[int, int]:
    """How many attempts failed since a moment and since the last that succeeded, and when the latest did (0: never)."""
    sql = (
        "SELECT count(*), coalesce(max(at), 0) FROM sign_in_attempts WHERE login = ? AND at >= ? AND succeeded = 0 AND "
        "at > coalesce((SELECT max(at) FROM sign_in_attempts WHERE login = ? AND succeeded = 1), 0)"
    )
    count, latest = rows(conn, sql, (login, since, login))[0]
    return int(count), int(latest)


def forget_attempts(conn: Connection, before: int) -> None:
    """Delete attempts before a moment."""
    execute(conn, "DELETE FROM sign_in_attempts WHERE at < ?", (before,))

"""One-time links: for the first administrator, for an invitation, for a new password.

A link holds 256 random bits, of which only the SHA-256 is kept. It is used up when the form behind it is sent, not
when it is opened: programs that look at links in messages use none up.
"""

from __future__ import annotations

import re
import secrets
from typing import Final, Literal, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.store import Ledger
from serving.staff import repository
from serving.staff.errors import Refused
from serving.staff.repository import Link, Person
from serving.staff.sessions import digest_of

Purpose = Literal["first_start", "invitation", "new_password"]
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_HOUR: Final = 3_600_000_000
#: How long a link holds.
HOURS: Final[dict[Purpose, int]] = {"first_start": 24, "invitation": 7 * 24, "new_password": 24}


class Opened(NamedTuple):
    """A link that still holds, and who it is for (None: the first administrator)."""

    link: Link
    person: Person | None


def make(conn: Connection, purpose: Purpose, staff_id: str | None, now: int) -> str:
    """Make a link and give its secret; former links of the person hold no more."""
    repository.withdraw_links(conn, staff_id, now)
    token = secrets.token_urlsafe(32)
    repository.insert_link(conn, Link(digest_of(token), purpose, staff_id, now, now + HOURS[purpose] * _HOUR, None))
    return token


def first_link(ledger: Ledger, base: str, now: int) -> str | None:
    """A link for the first administrator, if nobody has an account; former ones hold no more. `base` is the address of
    the service."""
    with ledger.write() as conn:
        return address(base, make(conn, "first_start", None, now)) if repository.is_empty(conn) else None


def opened(conn: Connection, token: str, now: int) -> Opened:
    """What a link's secret leads to.

    Raises:
        Refused: there is no such link, it was used, its time is over, or it leads to nobody any more.
    """
    link = repository.find_link(conn, digest_of(token)) if _TOKEN.fullmatch(token) else None
    if link is None or link.used_at is not None or now >= link.expires_at:
        raise Refused("link.gone")
    if link.purpose == "first_start":
        if not repository.is_empty(conn):
            raise Refused("link.gone")
        return Opened(link, None)
    person = repository.find(conn, link.staff_id or "")
    if person is None or not person.is_active:
        raise Refused("link.gone")
    return Opened(link, person)


def address(base: str, token: str) -> str:
    """The link as one sends it; `base` is the address of the service."""
    return f"{base.rstrip('/')}/console/link/{token}"

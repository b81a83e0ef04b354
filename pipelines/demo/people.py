"""The staff of the simulated shop, and the links with which one signs in as one of them.

Nobody has a password until somebody chooses one by a link: a demo has no default password either.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from serving.audit.trail import SYSTEM, Actor
from serving.staff import accounts, links, repository
from serving.staff.repository import Person

#: login, name, role. The first three are for who tries the demo.
_PEOPLE: Final = (
    ("admin", "Alex Morgan", "administrator"),
    ("robin", "Robin Visser", "reviewer"),
    ("linde", "Linde Bakker", "lead"),
    ("desi", "Desi Willems", "desk"),
    ("milan", "Milan Okafor", "reviewer"),
    ("noor", "Noor Jansen", "reviewer"),
    ("sam", "Sam Peeters", "desk"),
    ("ana", "Ana Silva", "analyst"),
)
_INVITED: Final = ("admin", "robin", "linde", "desi")


class Invitation(NamedTuple):
    """A one-time link for somebody to sign in."""

    role: str
    login: str
    link: str


class Team(NamedTuple):
    """Who works on cases, and on the policy."""

    desk: tuple[Actor, ...]
    reviewers: tuple[Actor, ...]
    leads: tuple[Actor, ...]
    analysts: tuple[Actor, ...]


def employ(conn: Connection, now: int) -> Team:
    """Makes the accounts that are not there yet."""
    people = [
        repository.find_login(conn, login) or accounts.add(conn, SYSTEM, login=login, name=name, role=role, now=now)
        for login, name, role in _PEOPLE
    ]
    return Team(*(_actors(people, role) for role in ("desk", "reviewer", "lead", "analyst")))


def invitations(conn: Connection, address: str, now: int) -> list[Invitation]:
    """New links for some of them; those of an earlier run hold no more."""
    found = [person for login in _INVITED if (person := repository.find_login(conn, login)) and person.is_active]
    return [
        Invitation(
            person.role,
            person.login,
            links.address(address, accounts.new_link(conn, SYSTEM, person.staff_id, now)),
        )
        for person in found
    ]


def _actors(people: list[Person], role: str) -> tuple[Actor, ...]:
    return tuple(accounts.actor_of(person) for person in people if person.role == role)

"""The policy in force: the one that was published last, else the one that Returnwise comes with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection

from features.ledger.sql import rows
from serving.model.troubles import MODE_POLICY, Troubles
from serving.policy.faults import PolicyError
from serving.policy.policy import Policy
from serving.policy.reading import load, read

FILE: Final = Path(__file__).with_name("default.yaml")
_LATEST_FIRST: Final = "FROM policies WHERE decision = 'published' ORDER BY decided_at DESC, policy_no DESC"
_IN_FORCE: Final = f"SELECT policy_no {_LATEST_FIRST} LIMIT 1"
_PUBLISHED: Final = f"SELECT version, content {_LATEST_FIRST} LIMIT 1 OFFSET ?"


@lru_cache
def default_policy() -> Policy:
    """The policy that Returnwise comes with."""
    return load(FILE)


@lru_cache(maxsize=16)
def parsed(content: str, file: str) -> Policy:
    """A policy of the ledger, read once."""
    return read(content, file)


class PolicySource:
    """Gives the policy in force. What was read is kept, so that asking costs one look into an index.

    Every process asks the ledger each time, in the transaction that will hold the answer: a policy that has been
    published decides from the next request on, in all of them.
    """

    def __init__(self) -> None:
        self._no: int | None = None
        self._policy = default_policy()
        self._troubles = Troubles()

    @property
    def troubles(self) -> dict[str, str]:
        """What is wrong with the policy that was published last, by mode in words; none if it decides."""
        return self._troubles.told()

    def current(self, conn: Connection) -> Policy:
        """The policy in force. Where one that was published cannot be read (it was written for another release), the
        one before it stays in force; `troubles` then says so."""
        number = in_force_no(conn)
        if number != self._no:
            self._policy, refused = _latest(conn)
            if refused is None:
                self._troubles.clear(MODE_POLICY)
            else:
                self._troubles.note(MODE_POLICY, refused.message)
            self._no = number
        return self._policy


def in_force_no(conn: Connection) -> int | None:
    """The number of the policy in force; None for the default one."""
    found = rows(conn, _IN_FORCE)
    return int(found[0][0]) if found else None


def in_force(conn: Connection) -> Policy:
    """The policy in force, for who asks now and then."""
    return _latest(conn)[0]


def _latest(conn: Connection) -> tuple[Policy, PolicyError | None]:
    """The latest published policy that can be used, and what is wrong with the very latest if it is another."""
    refused: PolicyError | None = None
    number = 0
    while found := rows(conn, _PUBLISHED, (number,)):
        version, content = found[0]
        try:
            return parsed(content, f"policy {version}"), refused
        except PolicyError as error:
            refused = refused or error
        number += 1
    return default_policy(), refused

"""The policy in force: the one that was published last, else the one that Returnwise comes with."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection

from features.ledger.sql import rows
from serving.policy.faults import PolicyError
from serving.policy.policy import Policy
from serving.policy.reading import load, read

FILE: Final = Path(__file__).with_name("default.yaml")
_log = logging.getLogger(__name__)
_IN_FORCE: Final = (
    "SELECT policy_no FROM policies WHERE decision = 'published' ORDER BY decided_at DESC, policy_no DESC LIMIT 1"
)
_PUBLISHED: Final = (
    "SELECT policy_no, version, content FROM policies WHERE decision = 'published'"
    " ORDER BY decided_at DESC, policy_no DESC"
)


@lru_cache
def default_policy() -> Policy:
    """The policy that Returnwise comes with."""
    return load(FILE)


@lru_cache(maxsize=16)
def _parsed(content: str, file: str) -> Policy:
    return read(content, file)


class PolicySource:
    """Gives the policy in force. What was read is kept, so that asking costs one look into an index.

    Every process asks the ledger each time, in the transaction that will hold the answer: a policy that has been
    published decides from the next request on, in all of them.
    """

    def __init__(self) -> None:
        self._no: int | None = None
        self._policy = default_policy()
        self.trouble: str | None = None

    def current(self, conn: Connection) -> Policy:
        """The policy in force. Where one that was published cannot be read (it was written for another release), the
        one before it stays in force; `trouble` then says so."""
        found = rows(conn, _IN_FORCE)
        number = found[0][0] if found else None
        if number != self._no:
            self._policy = self._read(conn)
            self._no = number
        return self._policy

    def _read(self, conn: Connection) -> Policy:
        self.trouble = None
        for number, version, content in rows(conn, _PUBLISHED):
            try:
                return _parsed(content, f"policy {version}")
            except PolicyError as error:
                self.trouble = (
                    self.trouble or f"policy {version} cannot be used, an earlier one decides: {error.message}"
                )
                _log.error("policy %s (%s) cannot be used: %s", version, number, error.message)
        return default_policy()


def in_force(conn: Connection) -> Policy:
    """The policy in force, for who asks now and then."""
    return PolicySource().current(conn)

"""Cases whose time has come: claims that have ended, goods that were looked at, deadlines that have passed.

A case past its deadline is cleared, or goes to a second person for a little while and is then cleared; nothing is ever
refused because nobody had time. Every process may sweep: writers take turns, and each case is read anew.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import day_of
from features.ledger.identity import KeyHasher
from features.ledger.sql import rows
from serving.audit.trail import SYSTEM
from serving.cases import lookers, records, repository
from serving.cases.concluding import escalate, expire
from serving.cases.repository import Case
from serving.cases.steps import end_claim, finish, start
from serving.cases.terms import current

#: Cases in one transaction: others want to write, too.
AT_ONCE: Final = 50
_LAPSED: Final = "WHERE state = 'claimed' AND state != 'closed' AND claim_until <= ? ORDER BY case_no LIMIT ?"
_PAST: Final = (
    "WHERE state != 'closed' AND state != 'claimed' AND due_day <= ? AND due_at <= ?"
    " ORDER BY due_day, expected_loss_minor DESC, case_no LIMIT ?"
)
_ARRIVED: Final = (
    "WHERE state = 'waiting_inspection' AND state != 'closed' AND inspections_seen < (SELECT COUNT(*)"
    " FROM inspections i WHERE i.return_id = cases.return_id) ORDER BY case_no LIMIT ?"
)


class Swept(NamedTuple):
    """How many cases a sweep changed."""

    lapsed: int = 0
    arrived: int = 0
    escalated: int = 0
    cleared: int = 0

    @property
    def changed(self) -> int:
        """All of them."""
        return sum(self)


def is_due(conn: Connection, now: int) -> bool:
    """Whether a sweep would have something to do; a look that takes no lock."""
    return any(
        rows(conn, f"SELECT 1 FROM cases {ending}", parameters)
        for ending, parameters in ((_LAPSED, (now, 1)), (_PAST, (day_of(now), now, 1)), (_ARRIVED, (1,)))
    )


def sweep(conn: Connection, now: int, *, hasher: KeyHasher, at_most: int = AT_ONCE) -> Swept:
    """Does what the time has come for, for `at_most` cases of each kind; 0 changed means that nothing is left.

    `conn` is of a transaction that writes; `now` in microseconds since 1970 UTC.
    """
    lapsed = repository.select(conn, _LAPSED, (now, at_most))
    for case in lapsed:
        end_claim(conn, case, now)
    arrived = repository.select(conn, _ARRIVED, (at_most,))
    for case in arrived:
        finish(conn, start(conn, SYSTEM, case, "arrive", revision=None, now=now))
    past = repository.select(conn, _PAST, (day_of(now), now, at_most))
    escalated = 0
    for case in past:
        if _goes_on(conn, case):
            escalate(conn, case, now=now)
            escalated += 1
        else:
            expire(conn, case, now=now, hasher=hasher)
    lookers.forget(conn, now)
    return Swept(len(lapsed), len(arrived), escalated, len(past) - escalated)


def _goes_on(conn: Connection, case: Case) -> bool:
    """Whether somebody else is to look first: once, if the policy says so or something of concern was found."""
    if case.escalated_at is not None:
        return False
    because = "dispute" if case.rests_in == "disputed" else case.opened_because
    ending = current(conn).of(because, case.action).ending
    return ending == "escalate" or records.has_concern(conn, case.case_no, case.return_id)

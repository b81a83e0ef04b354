"""How long a case may take, and what happens then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND

Ending = Literal["clear", "escalate"]

#: A claim ends after so long without activity.
CLAIM_US: Final = 3_600 * SECOND


class Term(NamedTuple):
    """Microseconds until the deadline, and what happens to a case that is past it."""

    length: int
    ending: Ending


class Terms(NamedTuple):
    """All deadlines. `by_cause` has the action's name for cases that an action opened."""

    by_cause: Mapping[str, Term]
    wait_customer: int  # a wait puts the deadline off to so long from now,
    wait_inspection: int
    longest: int  # but never beyond so long after the case was opened
    second_opinion: int
    escalated: int  # a case that was escalated gets so much longer, once; then it is cleared

    def of(self, because: str, action: str | None) -> Term:
        """The term of a case by what opened it."""
        by_action = self.by_cause.get(action) if because == "action" and action is not None else None
        return by_action or self.by_cause[because]


#: A refund that waits is due within two weeks, whatever becomes of the case.
DEFAULT: Final = Terms(
    by_cause={
        "staff_review": Term(2 * DAY, "escalate"),
        "inspect_before_refund": Term(10 * DAY, "clear"),
        "action": Term(5 * DAY, "escalate"),
        "draw": Term(21 * DAY, "clear"),
        "hand": Term(5 * DAY, "escalate"),
        "dispute": Term(14 * DAY, "escalate"),
    },
    wait_customer=7 * DAY,
    wait_inspection=14 * DAY,
    longest=30 * DAY,
    second_opinion=2 * DAY,
    escalated=2 * DAY,
)


def current(_conn: Connection) -> Terms:
    """The terms that hold now."""
    return DEFAULT

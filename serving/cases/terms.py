"""How long a case may take, and what happens then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from serving.policy.source import in_force

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
        return by_action or self.by_cause["hand" if because == "action" else because]


def current(conn: Connection) -> Terms:
    """The terms that hold now: those of the policy in force."""
    rules = in_force(conn).cases
    return Terms(
        by_cause={cause: Term(rule.due_days * DAY, rule.past_due) for cause, rule in rules.opened.items()},
        wait_customer=rules.wait_customer_days * DAY,
        wait_inspection=rules.wait_inspection_days * DAY,
        longest=rules.longest_days * DAY,
        second_opinion=rules.second_opinion_days * DAY,
        escalated=rules.escalated_days * DAY,
    )

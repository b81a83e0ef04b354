"""How long a case may take, and what happens then: as the policy in force says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from serving.policy.policy import CaseRules
from serving.policy.source import PolicySource

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
        return self.by_cause[action if because == "action" and action is not None else because]


class _Source:
    """The terms of the policy in force, made anew only when there is another policy."""

    def __init__(self) -> None:
        self._policies = PolicySource()
        self._known: tuple[CaseRules, Terms] | None = None

    def current(self, conn: Connection) -> Terms:
        rules = self._policies.current(conn).cases
        known = self._known
        if known is None or known[0] is not rules:
            self._known = known = (rules, _terms(rules))
        return known[1]


def _terms(rules: CaseRules) -> Terms:
    return Terms(
        {name: Term(rule.due_days * DAY, rule.past_due) for name, rule in rules.opened.items()},
        rules.wait_customer_days * DAY,
        rules.wait_inspection_days * DAY,
        rules.longest_days * DAY,
        rules.second_opinion_days * DAY,
        rules.escalated_days * DAY,
    )


_source: Final = _Source()


def current(conn: Connection) -> Terms:
    """The terms that hold now."""
    return _source.current(conn)

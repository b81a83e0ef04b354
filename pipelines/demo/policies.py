"""What simulated staff change about the policy: one change is published in the first week, another waits for a lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import SECOND
from pipelines.demo.people import Team
from serving.policy.policy import Policy
from serving.policy.publishing import decide, history, propose
from serving.policy.source import in_force

_HOUR: Final = 3_600 * SECOND
#: Days after the first on which something happens.
_FIRST, _PUBLISHED, _SECOND = 4, 5, 25


class Change(NamedTuple):
    """A change of the policy's text, and why."""

    letter: str
    old: str
    new: str
    why: str

    def applied(self, policy: Policy) -> str:
        """The policy's text with the change in it, and a version of its own."""
        version = policy.version.rstrip("abc") + self.letter
        return policy.text.replace(f'version: "{policy.version}"', f'version: "{version}"').replace(self.old, self.new)


MORE_DRAWN: Final = Change(
    "b",
    "random_rate: 0.01",
    "random_rate: 0.02",
    "Twice as many draws for a while: the figures that rest on them are known sooner, and no refund waits for them.",
)
SMALL_VALUES: Final = Change(
    "c",
    "value_below: 15",
    "value_below: 25",
    "A look at goods below 25 costs more than it saves, even where something is found.",
)


class Deed(NamedTuple):
    """Something that happens to the policy, and when (microseconds since 1970 UTC)."""

    at: int
    do: Callable[[Connection, Team, int], None]


def on_day(number: int, begin: int) -> Iterator[Deed]:
    """What happens on a day, counted from 0, that begins at `begin`."""
    if number == _FIRST:
        yield Deed(begin + 10 * _HOUR, _proposing(MORE_DRAWN))
    if number == _PUBLISHED:
        yield Deed(begin + 9 * _HOUR, _publish)
    if number == _SECOND:
        yield Deed(begin + 14 * _HOUR, _proposing(SMALL_VALUES))


def _proposing(change: Change) -> Callable[[Connection, Team, int], None]:
    def do(conn: Connection, team: Team, at: int) -> None:
        policy = in_force(conn)
        is_known = any(each.why == change.why for each in history(conn))
        if change.old in policy.text and not is_known:
            propose(conn, team.analysts[0], change.applied(policy), change.why, at)

    return do


def _publish(conn: Connection, team: Team, at: int) -> None:
    for proposal in history(conn):
        if proposal.is_open:
            decide(conn, team.leads[0], proposal.policy_no, True, at)

"""Parts of a policy that contradict each other, or can never apply.

Within a list the first entry that fits decides, so an exception stands before what it is an exception of. That is the
only way in which two entries may lie over each other: where neither lies inside the other, a reader could not tell
which of them was meant, and an entry that earlier ones leave nothing for was meant for something. (The anomalies of
packet filters, Al-Shaer and Hamed, 2003: shadowing and redundancy, and correlation.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from serving.policy.conditions import EVERYTHING, Box, Space, Tangled
from serving.policy.faults import Fault, Wrong

_TANGLED: Final = (
    "lies over those before it in so many ways that nobody could tell which of them decides; name fewer conditions, or "
    "write fewer entries that each are for more"
)


class Entry(NamedTuple):
    """An entry of a list: where it stands, whom it is for, and what it says."""

    line: int
    column: int
    path: str
    id: str
    box: Box
    says: object

    def fault(self, what: str) -> Fault:
        """Something is wrong with it."""
        return Fault(self.line, self.column, self.path, what)

    @property
    def name(self) -> str:
        """How another entry speaks of it."""
        return f"{self.id!r} (line {self.line})"


def overlaps(space: Space, entries: Sequence[Entry]) -> list[Fault]:
    """What is wrong with the entries of a list as they lie to each other.

    Raises:
        Wrong: that cannot be told.
    """
    faults: list[Fault] = []
    for number, entry in enumerate(entries):
        try:
            faults += _fault_of(space, entry, entries[:number])
        except Tangled:
            raise Wrong([*faults, entry.fault(_TANGLED)]) from None
    return faults


def _fault_of(space: Space, entry: Entry, earlier: Sequence[Entry]) -> list[Fault]:
    if entry.box.empty:
        return [entry.fault("can never apply: value_from must be less than value_below")]
    if space.rest(entry.box, [e.box for e in earlier]) is None:
        return [entry.fault(_never(space, entry, earlier))]
    return _contradictions(space, entry, earlier)


def left_open(space: Space, entries: Sequence[Entry]) -> Box | None:
    """Returns that no entry is for; None if there are none.

    Raises:
        Wrong: that cannot be told.
    """
    return _rest(space, EVERYTHING, entries, entries[-1]) if entries else EVERYTHING


def reached(space: Space, entries: Sequence[Entry], number: int, part: Box) -> Box | None:
    """Returns of `part` that the entry of that number decides; None if there are none.

    Raises:
        Wrong: that cannot be told.
    """
    return _rest(space, space.common(entries[number].box, part), entries[:number], entries[number])


def _rest(space: Space, box: Box, others: Sequence[Entry], at: Entry) -> Box | None:
    try:
        return space.rest(box, [entry.box for entry in others])
    except Tangled:
        raise Wrong([at.fault(_TANGLED)]) from None


def _never(space: Space, entry: Entry, earlier: Sequence[Entry]) -> str:
    over = [e for e in earlier if not space.common(e.box, entry.box).empty]
    whole = next((e for e in over if space.within(entry.box, e.box)), None)
    if whole is None:
        names = " and ".join(e.name for e in over)
        return f"can never apply: {names} come first and leave nothing for it; remove it, or narrow one of them"
    if space.within(whole.box, entry.box):
        same = "the same" if whole.says == entry.says else "something else"
        return f"can never apply: {whole.name} is for the same returns and says {same}; keep one of the two"
    return f"can never apply: {whole.name} comes first and is for all its returns; put this one before it, or remove it"


def _contradictions(space: Space, entry: Entry, earlier: Sequence[Entry]) -> list[Fault]:
    faults = []
    for number, other in enumerate(earlier):
        if other.says == entry.says or space.within(other.box, entry.box):
            continue
        both = space.rest(space.common(other.box, entry.box), [e.box for e in earlier[:number]])
        if both is not None:
            faults.append(
                entry.fault(
                    f"overlaps with {other.name}, which says something else, for {space.told(both)}; narrow one of "
                    "them, or write a rule for what both are for before them"
                )
            )
    return faults

"""Which returns a part of the policy is for, and how such parts lie to each other.

A condition is a box: a set of words along each dimension that it names, and a stretch of values. The returns that it is
for are those inside. Boxes can be cut from each other, so that what the file says can be judged for all returns at
once: which part can never apply, which returns two parts claim, which none does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from features.ledger.vocabulary import CHANNELS, KINDS, REASONS
from serving.policy import countries

UNKNOWN: Final = "unknown"
#: A category that the policy does not name.
ANOTHER: Final = "any other"
BANDS: Final = ("low", "elevated", "high")
HISTORIES: Final = ("thin", "enough")
#: More than anything costs, in 1/100.
DEAREST: Final = 2**53


class Case(NamedTuple):
    """A return as conditions see it; `value` in 1/100 of the policy's currency."""

    kind: str
    band: str
    history: str
    country: str
    channel: str
    category: str
    reason: str
    value: float


DIMENSIONS: Final = Case._fields[:-1]


@dataclass(frozen=True, slots=True)
class Box:
    """Words by position of the dimension (those not named may be any), and values from `least` to below `below`."""

    sets: tuple[tuple[int, frozenset[str]], ...] = ()
    least: int = 0
    below: int = DEAREST

    def fits(self, case: Case) -> bool:
        """Whether a return lies inside."""
        for at, words in self.sets:
            if case[at] not in words:
                return False
        return self.least <= case.value < self.below

    @property
    def empty(self) -> bool:
        """Whether nothing can lie inside."""
        return self.least >= self.below or any(not words for _, words in self.sets)


EVERYTHING: Final = Box()


class Tangled(Exception):
    """Boxes lie over each other in more ways than anybody would look through."""


class Patience:
    """How often boxes may be held against each other: a second's work. In how many ways they can lie over each other
    grows without bounds with their number; no policy that a person can read comes near this often."""

    def __init__(self, times: int = 150_000) -> None:
        self._left = times

    def spend(self, times: int) -> None:
        """So often more.

        Raises:
            Tangled: that was too often.
        """
        self._left -= times
        if self._left < 0:
            raise Tangled


@dataclass(frozen=True)
class Space:
    """All words of each dimension, the policy's categories among them."""

    categories: tuple[str, ...] = ()
    patience: Patience = field(default_factory=Patience, compare=False, repr=False)

    def words(self, at: int) -> frozenset[str]:
        """All that there are along a dimension."""
        return _all_words(self.categories)[at]

    def common(self, one: Box, other: Box) -> Box:
        """What lies inside both."""
        mine, theirs = dict(one.sets), dict(other.sets)
        sets = tuple(
            (at, mine.get(at, self.words(at)) & theirs.get(at, self.words(at))) for at in sorted({*mine, *theirs})
        )
        return Box(sets, max(one.least, other.least), min(one.below, other.below))

    def within(self, one: Box, other: Box) -> bool:
        """Whether all of `one` lies inside `other`."""
        return self.rest(one, [other]) is None

    def rest(self, box: Box, others: Sequence[Box]) -> Box | None:
        """A part of `box` that lies outside of all `others`; None if there is none.

        Raises:
            Tangled: that cannot be told within the space's patience.
        """
        if box.empty:
            return None
        for number, other in enumerate(others):
            if _meet(box, other):
                self.patience.spend(number + 1)
                later = others[number + 1 :]
                return next((left for piece in self._cut(box, other) if (left := self.rest(piece, later))), None)
        self.patience.spend(len(others))
        return box

    def _cut(self, box: Box, other: Box) -> Iterator[Box]:
        """The parts of `box` outside of `other`, in pieces that do not overlap."""
        inside = dict(box.sets)
        for at, words in other.sets:
            mine = inside.get(at, self.words(at))
            if mine - words:
                yield Box(tuple(sorted({**inside, at: mine - words}.items())), box.least, box.below)
            inside[at] = mine & words
        sets = tuple(sorted(inside.items()))
        if box.least < other.least:
            yield Box(sets, box.least, min(box.below, other.least))
        if other.below < box.below:
            yield Box(sets, max(box.least, other.below), box.below)

    def told(self, box: Box) -> str:
        """One return of a box in words."""
        named = {DIMENSIONS[at]: _usual(words) for at, words in box.sets if words != self.words(at)}
        parts = [f"a {named.pop('kind', 'return or claim')}"]
        parts += [f"{name} {word}" for name, word in named.items()]
        if box.least:
            parts.append(f"value {box.least / 100:g}")
        return ", ".join(parts)


def _meet(one: Box, other: Box) -> bool:
    """Whether anything lies inside both of two boxes, of which the first is not empty."""
    if other.empty or one.least >= other.below or other.least >= one.below:
        return False
    mine = dict(one.sets)
    return all(at not in mine or not words.isdisjoint(mine[at]) for at, words in other.sets)


@lru_cache(maxsize=8)
def _all_words(categories: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    return (
        frozenset(KINDS),
        frozenset(BANDS),
        frozenset(HISTORIES),
        frozenset((*countries.ALL, UNKNOWN)),
        frozenset((*CHANNELS, UNKNOWN)),
        frozenset((*categories, ANOTHER, UNKNOWN)),
        frozenset(REASONS),
    )


def _usual(words: frozenset[str]) -> str:
    """The first of some words; a name rather than what stands for others."""
    return min(words, key=lambda word: (word in (ANOTHER, UNKNOWN), word))

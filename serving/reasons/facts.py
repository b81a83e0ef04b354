"""Facts behind reasons: values of the stored vector, made readable, and the sentences that hold them."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from features.errors import ReturnwiseError

Floats = npt.NDArray[np.float64]
FactValue = float | int | str
Show = Literal["count", "about", "money", "percent", "word"]

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION: Final = re.compile(r"(\w+) (==|>=|<=|>|<) ([\w.]+)(?: \+ ([\d.]+))?")
_PLACE: Final = re.compile(r"\{(\w+)(?:([|?])([^{}|]*)(?:\|([^{}|]*))?)?\}")


class CatalogueError(ReturnwiseError):
    """The reason catalogue does not fit together; the message names the place."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value of the vector as people read it."""

    name: str
    source: str
    position: int
    scale: float = 1.0
    decimals: int = 0
    show: Show = "count"
    words: tuple[str, ...] = ()

    def read(self, vector: Floats) -> float | None:
        """The value, or None where it is not known."""
        value = float(vector[self.position])
        if math.isnan(value) or (self.words and not 0 <= value < len(self.words)):
            return None
        return value * self.scale

    def plain(self, value: float) -> FactValue:
        """As it stands in `facts`: a whole number of things that are counted, rounded down, else with its decimals."""
        if self.words:
            return self.words[int(value)]
        return round(value, self.decimals) if self.decimals else int(value)

    def text(self, value: float, currency: str) -> str:
        """As it stands in a sentence."""
        match self.show:
            case "word":
                return self.words[int(value)].replace("_", " ")
            case "money":
                return f"{value:,.2f} {currency}".rstrip()
            case "percent":
                percent = value * 100
                return f"{percent:.0f}%" if percent >= 10 or percent == 0 else f"{percent:.1f}%"
            case "about":
                if value < 0.05:
                    return "fewer than 0.1"
                return f"about {value:.1f}" if value < 9.95 else f"about {value:,.0f}"
            case _:
                return f"{int(value):,}"


@dataclass(frozen=True, slots=True)
class _Condition:
    left: Fact
    holds: Callable[[float, float], bool]
    right: Fact | float
    more: float = 0.0  # added to the right side

    def met(self, vector: Floats) -> bool:
        left = self.left.read(vector)
        right = self.right if isinstance(self.right, float) else self.right.read(vector)
        return left is not None and right is not None and self.holds(left, right + self.more)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands in a sentence: alone, with its noun, or only its form ("is" or "are")."""

    fact: Fact
    singular: str = ""
    plural: str = ""
    bare: bool = False

    def text(self, value: float, currency: str) -> str:
        """What stands there for a value."""
        number = self.fact.text(value, currency)
        if not self.singular:
            return number
        form = self.singular if int(value) == 1 else self.plural
        return form if self.bare else f"{number} {form}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and when it may be said."""

    conditions: tuple[_Condition, ...]
    parts: tuple[str | Place, ...]
    facts: tuple[Fact, ...]  # of the text, then of the conditions
    title: str = ""

    def fill(self, vector: Floats, currency: str) -> tuple[str, dict[str, FactValue]] | None:
        """The sentence with the facts that it rests on; None if a condition does not hold or a fact is not known."""
        for condition in self.conditions:
            if not condition.met(vector):
                return None
        values: dict[str, float] = {}
        for fact in self.facts:
            value = fact.read(vector)
            if value is None:
                return None
            values[fact.name] = value
        text = "".join(
            part if isinstance(part, str) else part.text(values[part.fact.name], currency) for part in self.parts
        )
        return text, {fact.name: fact.plain(values[fact.name]) for fact in self.facts}


def sentence(text: str, when: Sequence[str], facts: Mapping[str, Fact], title: str = "") -> Sentence:
    """Read a sentence of the catalogue.

    Raises:
        CatalogueError: it names a fact that is not declared, or has a brace or a condition that cannot be read.
    """
    parts: list[str | Place] = []
    used: dict[str, Fact] = {}
    end = 0
    for found in _PLACE.finditer(text):
        parts.append(text[end : found.start()])
        end = found.end()
        name, kind, singular, plural = found.groups()
        fact = _fact(name, facts, text)
        used[name] = fact
        if kind is None:
            parts.append(Place(fact))
        elif kind == "?" and plural is None:
            raise CatalogueError(f"both forms are needed in {found[0]!r} of {text!r}")
        else:
            parts.append(Place(fact, singular, plural or f"{singular}s", bare=kind == "?"))
    parts.append(text[end:])
    if any("{" in part or "}" in part for part in parts if isinstance(part, str)):
        raise CatalogueError(f"a brace that cannot be read in {text!r}")
    conditions = tuple(_condition(condition, facts) for condition in when)
    for condition in conditions:
        used |= {side.name: side for side in (condition.left, condition.right) if isinstance(side, Fact)}
    return Sentence(conditions, tuple(part for part in parts if part != ""), tuple(used.values()), title)


def _condition(text: str, facts: Mapping[str, Fact]) -> _Condition:
    found = _CONDITION.fullmatch(text)
    if not found:
        raise CatalogueError(f'the condition {text!r} cannot be read; write such as "orders >= 2"')
    left, symbol, right, more = found.groups()
    try:
        bound: Fact | float = float(right)
    except ValueError:
        bound = _fact(right, facts, text)
    return _Condition(_fact(left, facts, text), _OPERATORS[symbol], bound, float(more or 0))


def _fact(name: str, facts: Mapping[str, Fact], place: str) -> Fact:
    if name not in facts:
        raise CatalogueError(f"unknown fact {name!r} in {place!r}")
    return facts[name]

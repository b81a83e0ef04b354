"""The reason catalogue: read from `catalogue.toml` and checked when the service starts."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.reasons import CODES, GROUPS
from features.service import MODEL_FEATURES, VECTOR
from features.signals import ModelFeature
from serving.reasons.facts import CatalogueError, Fact, Sentence, Show, sentence

FILE = Path(__file__).with_name("catalogue.toml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _FactSpec(_Strict):
    value: str
    scale: float = 1.0
    decimals: int = Field(default=0, ge=0, le=6)
    show: Show = "count"


class _SentenceSpec(_Strict):
    text: str = Field(min_length=1)
    when: tuple[str, ...] = ()
    title: str = ""  # in place of the entry's, where that would not be true


class _ReassuranceSpec(_Strict):
    code: str = Field(pattern=r"^A\d\d$")
    title: str = Field(min_length=1)
    customer: str = Field(min_length=1)
    sentences: Annotated[tuple[_SentenceSpec, ...], Field(min_length=1)]


class _ReasonSpec(_ReassuranceSpec):
    code: str = Field(pattern=r"^R\d\d$")
    check: str = Field(min_length=1)
    check_claim: str | None = None


class _GroupSpec(_Strict):
    reason: _ReasonSpec
    reassurance: _ReassuranceSpec


class _CatalogueSpec(_Strict):
    version: str
    facts: dict[str, _FactSpec]
    groups: tuple[_GroupSpec, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said in one direction of a group. `check` is empty for reassurances."""

    code: str
    title: str
    customer: str
    check: str
    check_claim: str
    sentences: tuple[Sentence, ...]
    sentence_texts: tuple[str, ...]

    def texts(self) -> tuple[str, ...]:
        """Everything that somebody may read."""
        titles = dict.fromkeys([self.title, *(sentence.title for sentence in self.sentences)])
        return (*titles, self.customer, self.check, self.check_claim, *self.sentence_texts)


@dataclass(frozen=True, slots=True)
class Group:
    """Families of features that are told as one reason or one reassurance."""

    families: tuple[str, ...]
    features: tuple[str, ...]
    reason: Entry
    reassurance: Entry


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The groups in the order of `features.reasons.CODES`."""

    version: str
    groups: tuple[Group, ...]
    facts: Mapping[str, Fact]

    def entries(self) -> Iterable[Entry]:
        """All reasons and reassurances."""
        for group in self.groups:
            yield group.reason
            yield group.reassurance


def load(path: Path = FILE, features: Sequence[ModelFeature] = MODEL_FEATURES) -> Catalogue:
    """Read a catalogue.

    Raises:
        CatalogueError: it cannot be read, a code is used twice, or has no words or no features, a fact or a condition
            is unknown, or a last sentence could not always be said.
    """
    try:
        spec = _CatalogueSpec.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CatalogueError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    categories = {feature.name: feature.categories or () for feature in features}
    facts = {name: _fact(name, fact, categories) for name, fact in spec.facts.items()}
    groups = tuple(
        Group(
            GROUPS.get(group.reason.code, ()),
            tuple(feature.name for feature in features if feature.family in GROUPS.get(group.reason.code, ())),
            _entry(group.reason, facts),
            _entry(group.reassurance, facts),
        )
        for group in spec.groups
    )
    _check(groups, facts)
    return Catalogue(spec.version, groups, facts)


@lru_cache
def default_catalogue() -> Catalogue:
    """The catalogue that Returnwise comes with."""
    return load()


def _fact(name: str, spec: _FactSpec, categories: Mapping[str, tuple[str, ...]]) -> Fact:
    if spec.value not in VECTOR:
        raise CatalogueError(f"fact {name!r}: there is no {spec.value!r} in the vector")
    words = categories.get(spec.value, ()) if spec.show == "word" else ()
    if spec.show == "word" and not words:
        raise CatalogueError(f"fact {name!r}: {spec.value!r} is no word of a vocabulary")
    return Fact(name, spec.value, VECTOR.index(spec.value), spec.scale, spec.decimals, spec.show, words)


def _entry(spec: _ReassuranceSpec, facts: Mapping[str, Fact]) -> Entry:
    sentences = tuple(sentence(each.text, each.when, facts, each.title or spec.title) for each in spec.sentences)
    if sentences[-1].facts or sentences[-1].conditions:
        raise CatalogueError(f"{spec.code}: the last sentence must need no fact and no condition")
    check, check_claim = "", ""
    if isinstance(spec, _ReasonSpec):
        check, check_claim = spec.check, spec.check_claim or spec.check
    texts = tuple(each.text for each in spec.sentences)
    return Entry(spec.code, spec.title, spec.customer, check, check_claim, sentences, texts)


def _check(groups: Sequence[Group], facts: Mapping[str, Fact]) -> None:
    codes = Counter(code for group in groups for code in (group.reason.code, group.reassurance.code))
    twice = [code for code, count in codes.items() if count > 1]
    if twice:
        raise CatalogueError(f"code {twice[0]} is used twice")
    listed = tuple(group.reason.code for group in groups)
    odd = set(listed) ^ set(CODES)
    if odd:
        raise CatalogueError(f"{min(odd)} is in only one of features/reasons.py and the catalogue")
    if listed != CODES:
        raise CatalogueError("the groups are not in the order of their codes")
    used = {
        fact.name
        for group in groups
        for entry in (group.reason, group.reassurance)
        for each in entry.sentences
        for fact in each.facts
    }
    unused = set(facts) - used
    if unused:
        raise CatalogueError(f"fact {min(unused)!r} is declared and never used")

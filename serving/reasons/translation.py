"""The words of the reason catalogue in other languages: one file `catalogue.LANGUAGE.toml` for each.

What a reason means, and when which sentence is said, stands in `catalogue.toml` alone. A translation has the same keys
and the same sentences with the same conditions and facts, which is checked when it is read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.reasons.catalogue import FILE, Catalogue, Entry, default_catalogue
from serving.reasons.facts import CatalogueError, Fact, Place, Sentence, sentence
from serving.texts.judging import blaming_words

#: The language of `catalogue.toml`, and of what is stored.
SOURCE: Final = "en"
#: Languages in which reasons can be told.
LANGUAGES: Final = (SOURCE, *sorted(path.name.split(".")[1] for path in FILE.parent.glob("catalogue.*.toml")))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Numbers(_Strict):
    """How a language writes numbers; `about` and `below` hold `{}` where the number stands."""

    decimal: str = Field(min_length=1, max_length=1)
    thousands: str = Field(min_length=1, max_length=1)
    about: str = Field(pattern=r"^[^{}]*\{\}[^{}]*$")
    below: str = Field(pattern=r"^[^{}]*\{\}[^{}]*$")


class _SentenceSpec(_Strict):
    text: str = Field(min_length=1)
    when: tuple[str, ...] = ()
    title: str = ""


class _EntrySpec(_Strict):
    title: str = Field(min_length=1)
    customer: str = Field(min_length=1)
    check: str = ""
    check_claim: str = ""
    sentences: tuple[_SentenceSpec, ...]


@dataclass(frozen=True, slots=True)
class EntryWords:
    """The words of a reason or reassurance; sentences in the order of the catalogue's."""

    title: str
    customer: str
    check: str
    check_claim: str
    sentences: tuple[Sentence, ...]
    texts: tuple[str, ...]  # everything that somebody may read


@dataclass(frozen=True, slots=True)
class Translation:
    """The catalogue's words in one language, by code; `words` by fact and word of its vocabulary."""

    language: str
    numbers: Numbers
    words: Mapping[str, Mapping[str, str]]
    entries: Mapping[str, EntryWords]

    def shown(self, fact: Fact, english: str) -> str:
        """What stands in an English sentence for a fact, as this language writes it: the same figures."""
        if fact.words:
            return self.words[fact.name][english.replace(" ", "_")]
        number, below, about = english, "fewer than ", "about "
        form = "{}"
        if english.startswith(below):
            number, form = english.removeprefix(below), self.numbers.below
        elif english.startswith(about):
            number, form = english.removeprefix(about), self.numbers.about
        swapped = number.translate(str.maketrans(",.", self.numbers.thousands + self.numbers.decimal))
        return form.format(swapped)


@lru_cache
def translation(language: str) -> Translation:
    """The words of a language of `LANGUAGES` other than `SOURCE`.

    Raises:
        CatalogueError: there is no such file, or it does not fit the catalogue.
    """
    return load(FILE.with_name(f"catalogue.{language}.toml"), default_catalogue())


def load(path: Path, catalogue: Catalogue) -> Translation:
    """Read a translation of a catalogue.

    Raises:
        CatalogueError: it cannot be read; a code, a word or a text is missing or too many; a sentence has other
            conditions or facts; or a text blames somebody. The message names the place.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        numbers = Numbers.model_validate(document.pop("numbers", {}))
        words = document.pop("words", {})
        specs = {code: _EntrySpec.model_validate(spec) for code, spec in document.items()}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CatalogueError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    entries = {entry.code: entry for entry in catalogue.entries()}
    _same(set(specs), set(entries), path.name)
    _check_words(words, catalogue.facts, path.name)
    return Translation(
        path.name.split(".")[1],
        numbers,
        words,
        {code: _entry(entries[code], spec, catalogue.facts, f"{path.name}: {code}") for code, spec in specs.items()},
    )


def _entry(entry: Entry, spec: _EntrySpec, facts: Mapping[str, Fact], place: str) -> EntryWords:
    if len(spec.sentences) != len(entry.sentences):
        raise CatalogueError(f"{place}: has {len(spec.sentences)} sentences, not {len(entry.sentences)}")
    if bool(spec.check) != bool(entry.check):
        raise CatalogueError(f"{place}: check " + ("is missing" if entry.check else "is unknown"))
    if bool(spec.check_claim) != (entry.check_claim != entry.check):
        raise CatalogueError(f"{place}: check_claim " + ("is unknown" if spec.check_claim else "is missing"))
    sentences = []
    for number, (ours, theirs) in enumerate(zip(spec.sentences, entry.sentences, strict=True), start=1):
        at = f"{place}: sentence {number}"
        made = sentence(ours.text, ours.when, facts, ours.title or spec.title)
        if made.conditions != theirs.conditions:
            raise CatalogueError(f"{at}: has other conditions")
        if _numbers(made) != _numbers(theirs):
            raise CatalogueError(f"{at}: tells {sorted(_numbers(made))}, not {sorted(_numbers(theirs))}")
        if not {fact.name for fact in made.facts} <= {fact.name for fact in theirs.facts}:
            raise CatalogueError(f"{at}: rests on other facts")
        if bool(ours.title) != (theirs.title != entry.title):
            raise CatalogueError(f"{at}: title " + ("is unknown" if ours.title else "is missing"))
        sentences.append(made)
    _check_twins(entry, sentences, spec, place)
    titles = dict.fromkeys([spec.title, *(each.title for each in sentences)])
    texts = (*titles, spec.customer, spec.check, spec.check_claim, *(each.text for each in spec.sentences))
    for text in texts:
        if blaming := blaming_words(text):
            raise CatalogueError(f"{place}: {blaming[0]!r} in {text!r}")
    return EntryWords(
        spec.title, spec.customer, spec.check, spec.check_claim or spec.check, tuple(sentences), tuple(texts)
    )


def _check_twins(entry: Entry, ours: list[Sentence], spec: _EntrySpec, place: str) -> None:
    """Sentences that are the same in English cannot be told apart afterwards, so they must be so here, too."""
    words: dict[Any, str] = {}
    for number, (theirs, made, each) in enumerate(zip(entry.sentences, ours, spec.sentences, strict=True), start=1):
        twin = (theirs.parts, frozenset(fact.name for fact in theirs.facts), theirs.title)
        if words.setdefault(twin, each.text + made.title) != each.text + made.title:
            raise CatalogueError(f"{place}: sentence {number}: differs, and the catalogue has the same words before")


def _numbers(made: Sentence) -> set[str]:
    """Facts whose value a sentence tells."""
    return {part.fact.name for part in made.parts if isinstance(part, Place) and not part.bare}


def _check_words(words: Any, facts: Mapping[str, Fact], name: str) -> None:
    vocabularies = {fact.name: set(fact.words) for fact in facts.values() if fact.words}
    if not isinstance(words, dict) or not all(isinstance(each, dict) for each in words.values()):
        raise CatalogueError(f"{name}: words: must be tables of words by fact")
    _same(set(words), set(vocabularies), f"{name}: words")
    for fact, vocabulary in vocabularies.items():
        _same(set(words[fact]), vocabulary, f"{name}: words.{fact}")
        for word, text in words[fact].items():
            if not isinstance(text, str) or not text.strip() or blaming_words(text):
                raise CatalogueError(f"{name}: words.{fact}.{word}: {text!r} is no word to use")


def _same(ours: set[str], theirs: set[str], place: str) -> None:
    if missing := theirs - ours:
        raise CatalogueError(f"{place}: {min(missing)} is missing")
    if more := ours - theirs:
        raise CatalogueError(f"{place}: {min(more)} is unknown")

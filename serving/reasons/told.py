"""Telling a stored reason in another language.

An assessment keeps its reasons in English, with their facts, and they stay as they were said. The English sentence is
found again among those of its code, and with it what it shows for each fact; the other language shows the same figures,
digit by digit, so nobody reads "about 10" where the colleague reads "about 11".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from serving.reasons.catalogue import Entry, default_catalogue
from serving.reasons.facts import Fact, Place, Sentence
from serving.reasons.translation import LANGUAGES, SOURCE, EntryWords, Translation, translation

_COUNT: Final = r"-?\d{1,3}(?:,\d{3})*"
_SHOWN: Final = {
    "count": _COUNT,
    "money": _COUNT + r"\.\d\d(?: [A-Z]{3})?",
    "percent": r"-?\d+(?:\.\d)?%",
    "about": rf"fewer than 0\.1|about {_COUNT}(?:\.\d)?",
}


class Told(NamedTuple):
    """A reason or reassurance in the words of `language`; `check` is empty of a reassurance."""

    language: str
    title: str
    detail: str
    check: str
    customer: str


def told(reason: Mapping[str, Any], language: str) -> Told:
    """A reason or reassurance of a stored answer (code, title, detail, facts, check), in a language.

    What the catalogue of today would say otherwise than the stored words comes in the stored English words.
    """
    entry = _entries().get(reason["code"])
    stored = Told(
        SOURCE, reason["title"], reason["detail"], reason.get("check", ""), "" if entry is None else entry.customer
    )
    if entry is None or language == SOURCE or language not in LANGUAGES:
        return stored
    found = _found(entry, reason)
    if found is None or stored.check not in (entry.check, entry.check_claim):
        return stored
    words = translation(language)
    number, shown = found
    ours = words.entries[entry.code]
    sentence = ours.sentences[number]
    check = ours.check if stored.check == entry.check else ours.check_claim
    return Told(language, sentence.title, _filled(sentence, words, shown, reason["facts"]), check, ours.customer)


def words_of(code: str, language: str) -> Entry | EntryWords:
    """Title, customer's text and checks of a code, in a language of `LANGUAGES` (of another: in English).

    Raises:
        KeyError: there is no such code.
    """
    if language == SOURCE or language not in LANGUAGES:
        return _entries()[code]
    return translation(language).entries[code]


@lru_cache
def _entries() -> dict[str, Entry]:
    return {entry.code: entry for entry in default_catalogue().entries()}


def _found(entry: Entry, reason: Mapping[str, Any]) -> tuple[int, dict[str, str]] | None:
    """Which sentence was said, and what it shows for each fact."""
    names = set(reason["facts"])
    for number, sentence in enumerate(entry.sentences):
        if sentence.title == reason["title"] and {fact.name for fact in sentence.facts} == names:
            match = _pattern(sentence).fullmatch(reason["detail"])
            if match:
                return number, match.groupdict()
    return None


@lru_cache(maxsize=512)
def _pattern(sentence: Sentence) -> re.Pattern[str]:
    parts = []
    named: set[str] = set()
    for part in sentence.parts:
        if isinstance(part, str):
            parts.append(re.escape(part))
            continue
        noun = f"(?:{re.escape(part.singular)}|{re.escape(part.plural)})" if part.singular else ""
        if part.bare:
            parts.append(noun)
            continue
        name = part.fact.name
        parts.append(f"(?P={name})" if name in named else f"(?P<{name}>{_shown(part.fact)})")
        named.add(name)
        parts.append(f" {noun}" if noun else "")
    return re.compile("".join(parts))


def _shown(fact: Fact) -> str:
    if fact.words:
        return "|".join(re.escape(word.replace("_", " ")) for word in fact.words)
    return _SHOWN[fact.show]


def _filled(sentence: Sentence, words: Translation, shown: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    def text(part: str | Place) -> str:
        if isinstance(part, str):
            return part
        form = ""
        if part.singular:
            form = part.singular if int(facts[part.fact.name]) == 1 else part.plural
        if part.bare:
            return form
        number = words.shown(part.fact, shown[part.fact.name])
        return f"{number} {form}" if form else number

    return "".join(text(part) for part in sentence.parts)

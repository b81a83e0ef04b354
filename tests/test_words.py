"""Nothing that a customer or a member of staff can read judges or blames a person, down to the names in the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo import phrases
from serving.app import create_app
from serving.cases.checklist import default_checklist
from serving.policy.source import default_policy
from serving.reasons.catalogue import default_catalogue
from serving.reasons.help import helps
from serving.reasons.translation import LANGUAGES as REASON_LANGUAGES
from serving.reasons.translation import SOURCE, translation
from serving.texts import LANGUAGES, judging, texts
from serving.texts.judging import blaming_words
from tests.support import repository, words
from tests.support.repository import ROOT
from tests.support.words import judging_words

TEMPLATES = sorted((ROOT / "serving").rglob("*.html"))


@pytest.mark.parametrize(
    "text",
    [
        "a known fraudster",
        "is_suspect = 1",
        "class SuspectQueue",
        "SUSPECTED_AT",
        "one Liar",
        "the thieves",
        "een fraudeur",
        "retourfraude",
        "de winkeldief",
        "diefstal",
        "een oplichter",
        "schuldig",
        "de verdachte klant",
        "een leugenaar",
        "de misdadiger",
        "crimineel gedrag",
        "bedrog",
        "een bedrieger",
        "de dader",
    ],
)
def test_the_rule_finds_judging_words(text: str) -> None:
    assert judging_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "familiar",
        "peculiar",
        "an abusive return",
        "abuse_confirmed",
        "cheapest",
        "findings",
        "verschuldigd bedrag",
        "geduldig",
        "vlieg",
        "frauded",
    ],
)
def test_the_rule_leaves_other_words_alone(text: str) -> None:
    assert not judging_words(text)


@pytest.mark.parametrize(
    "text", ["the goods were stolen", "a fake label", "it lies", "gestolen", "een valse verklaring"]
)
def test_a_reader_is_told_of_no_deed_either(text: str) -> None:
    assert blaming_words(text)


@pytest.mark.parametrize("text", ["as described", "the item lay in a box", "believe", "een waslabel", "in balans"])
def test_and_of_what_was_seen_anything_may_be_said(text: str) -> None:
    assert not blaming_words(text)


def test_no_text_or_name_judges_a_person() -> None:
    the_rule = {Path(file).resolve() for file in (__file__, words.__file__, judging.__file__)}
    read = [path for path in repository.texts() if path not in the_rule]
    found = {
        f"{path.relative_to(ROOT)}:{number}": judged
        for path in read
        if judging_words(whole := path.read_text(encoding="utf-8"))
        for number, line in enumerate(whole.splitlines(), 1)
        if (judged := judging_words(line))
    }
    assert len(read) > 60
    assert {path.name[:2] for path in read if path.suffix == ".ipynb"} == {"01", "02", "03", "04"}
    assert found == {}


def said_by_catalogues() -> Iterator[tuple[str, str]]:
    """Every text for readers: (where, text)."""
    for language in LANGUAGES:
        t = texts(language)
        yield from ((f"texts {language} {key}", form) for key in t for form in t.forms(key))
    for entry in default_catalogue().entries():
        yield from ((f"reasons {entry.code}", text) for text in entry.texts())
    for language in REASON_LANGUAGES:
        if language != SOURCE:
            translated = translation(language)
            for code, entry_words in translated.entries.items():
                yield from ((f"reasons {language} {code}", text) for text in entry_words.texts)
            for fact, vocabulary in translated.words.items():
                yield from ((f"reasons {language} {fact}", word) for word in vocabulary.values())
        for about in helps(language).values():
            for text in (about.means, about.does_not_mean, about.settles, *about.innocent):
                yield f"help {language} {about.code}", text
    yield from (("checklist", text) for text in default_checklist().texts())
    for language, told in default_policy().languages.texts.items():
        for part in (told.notices, told.conditions, told.offers, told.fees):
            yield from ((f"policy {language} {code}", text) for code, text in part.items())
    yield from (
        ("demo", text) for text in _strings({name: value for name, value in vars(phrases).items() if name[0] != "_"})
    )


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list() | tuple():
            for each in value:
                yield from _strings(each)


def test_no_text_for_a_reader_blames_anybody() -> None:
    read = list(said_by_catalogues())
    assert len(read) > 1_500
    assert {where: found for where, text in read if (found := blaming_words(text))} == {}


def test_neither_does_the_description_of_the_interface() -> None:
    described = list(_strings(create_app().openapi()))
    assert len(described) > 500
    assert {text: found for text in described if (found := judging_words(text))} == {}


def test_all_languages_are_the_same_everywhere() -> None:
    assert set(REASON_LANGUAGES) == set(LANGUAGES) == set(default_checklist().languages)
    assert set(default_policy().languages.texts) >= set(LANGUAGES)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: "/".join(path.parts[-2:]))
def test_templates_have_no_words_of_their_own(path: Path) -> None:
    """What stands in a template would be read in one language only."""
    source = path.read_text(encoding="utf-8")
    for left_out in (
        r"\{% block width %\}\w*",
        r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}",
        r"<(style|script|code|pre)\b.*?</\1>",
        r"&\w+;",
    ):
        source = re.sub(f"(?s){left_out}", " ", source)
    said = re.findall(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', source)
    said.append(re.sub(r'(?s)<[a-zA-Z/!](?:"[^"]*"|[^>"])*>|[\w-]+="[^"]*"', " ", source))
    left = {word for text in said for word in re.findall(r"[^\W\d_]{2,}", text)}
    assert left <= {"PDF", "ZIP", "rw"}

from __future__ import annotations

from pathlib import Path

import pytest

from serving.texts import LANGUAGES, Texts, preferred_language, texts
from serving.texts.catalogue import SOURCE, CatalogueError, check_against, read
from tests.support.repository import ROOT
from tests.support.words import blaming_words

HEAD = """[language]
name = "X"
plural = "one_other"
decimal = "."
thousands = ","
money = "{sign}{amount}"
percent = "{number}%"
date = "{day} {month} {year}"
short_date = "{day} {month}"
date_time = "{date}, {time}"
months = []
units = []
"""


def made(body: str, head: str = HEAD) -> Texts:
    return read("xx.toml", f"{body}\n{head}")


class TestCatalogues:
    def test_there_are_english_and_dutch(self) -> None:
        assert {"en", "nl"} <= set(LANGUAGES)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_each_has_the_same_texts_with_the_same_places(self, language: str) -> None:
        check_against(texts(language), texts(SOURCE), language)
        assert list(texts(language)) == list(texts(SOURCE)), "the texts stand in the same order"

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_no_text_judges_or_blames_anybody(self, language: str) -> None:
        t = texts(language)
        assert {key: found for key in t for form in t.forms(key) if (found := blaming_words(form))} == {}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_each_text_is_tidy(self, language: str) -> None:
        t = texts(language)
        every = [(key, form) for key in t for form in t.forms(key)]
        assert [key for key, form in every if form != form.strip() or not form or "  " in form] == []
        assert [key for key, form in every if "<" in form or "&" in form] == [], "texts hold no markup"
        assert len(t.writing.months) == 12
        assert len(t.writing.units) == 4

    def test_every_language_is_told_of(self) -> None:
        page = (ROOT / "docs" / "texts.md").read_text(encoding="utf-8")
        assert all(f"`{language}.toml`" in page for language in LANGUAGES)

    def test_an_unknown_language_reads_english(self) -> None:
        assert texts("tlh") is texts("en")


class TestReading:
    def test_values_stand_in_their_places(self) -> None:
        t = made('[a]\nb = "{name} has {count}"')
        assert t("a.b", name="<b>", count=1234) == "<b> has 1,234"

    def test_a_plural_form_is_picked_by_count(self) -> None:
        t = made('[a.b]\none = "one thing"\nother = "{count} things"')
        assert t("a.b", count=1) == "one thing"
        assert t("a.b", count=1200) == "1,200 things"

    @pytest.mark.parametrize(
        ("plural", "forms"),
        [("one_few_many", {1: "one", 2: "few", 5: "many", 12: "many", 22: "few", 25: "many"}), ("other", {1: "other"})],
    )
    def test_languages_with_other_plurals(self, plural: str, forms: dict[int, str]) -> None:
        names = sorted(set(forms.values()))
        body = "[a.b]\n" + "\n".join(f'{name} = "{name}"' for name in names)
        t = made(body, HEAD.replace("one_other", plural))
        assert {count: t("a.b", count=count) for count in forms} == forms

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ("a = 1", "a must be a text or a section"),
            ("[a]\nb = ['x']", "a.b must be a text or a section"),
            ("a = 'x", "xx.toml"),
            ("[a.b]\none = 'x'\n[a.c]\nother = 'x'", "a.b needs the forms one, other"),
            ("a = '{x.y}'", "a place is a name in braces"),
            ("a = '{x!r}'", "a place is a name in braces"),
            ("a = '{x:>9}'", "a place is a name in braces"),
            ("a = '{'", "a: "),
        ],
    )
    def test_what_breaks_the_rules_is_named(self, body: str, why: str) -> None:
        with pytest.raises(CatalogueError) as caught:
            made(body)
        assert why in caught.value.message
        assert caught.value.message.startswith("xx.toml")

    @pytest.mark.parametrize("head", ["", "[language]\nplural = 'two_only'", HEAD + 'colour = "red"'])
    def test_a_language_must_be_told_whole(self, head: str) -> None:
        with pytest.raises(CatalogueError, match=r"\[language\]"):
            made("a = 'x'", head)

    @pytest.mark.parametrize(
        ("body", "why"),
        [("", "a is missing"), ("a = '{x}'\nb = ''", "b is unknown"), ("a = '{y}'", r"a has places \['y'\]")],
    )
    def test_a_catalogue_is_held_against_the_english_one(self, body: str, why: str) -> None:
        source = read("en.toml", f"a = '{{x}}'\n{HEAD}")
        with pytest.raises(CatalogueError, match=why):
            check_against(read("xx.toml", f"{body}\n{HEAD}"), source, "xx.toml")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("nl", "nl"),
        ("nl-BE,nl;q=0.9", "nl"),
        ("fr,de;q=0.9", "en"),
        ("en;q=0.5,nl;q=0.6", "nl"),
        ("nl;q=0", "en"),
        ("*", "en"),
        (";;;,,,q=1", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_language_that_a_browser_asks_for(accepted: str | None, language: str) -> None:
    assert preferred_language(accepted) == language


def test_every_catalogue_is_where_it_is_looked_for() -> None:
    assert sorted(path.stem for path in (ROOT / "serving" / "texts").glob("*.toml")) == sorted(LANGUAGES)
    assert Path(ROOT / "serving" / "texts" / f"{SOURCE}.toml").is_file()

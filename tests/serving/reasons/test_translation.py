from __future__ import annotations

import re
from pathlib import Path

import pytest

from serving.reasons.catalogue import FILE, default_catalogue
from serving.reasons.facts import CatalogueError
from serving.reasons.translation import LANGUAGES, SOURCE, load, translation

CATALOGUE = default_catalogue()
DUTCH = FILE.with_name("catalogue.nl.toml")
OTHERS = [language for language in LANGUAGES if language != SOURCE]


@pytest.mark.parametrize("language", OTHERS)
class TestTranslations:
    def test_have_every_code(self, language: str) -> None:
        assert set(translation(language).entries) == {entry.code for entry in CATALOGUE.entries()}

    def test_texts_are_whole_and_none_is_left_in_english(self, language: str) -> None:
        english = {entry.code: set(entry.texts()) for entry in CATALOGUE.entries()}
        for code, entry in translation(language).entries.items():
            assert all(text == text.strip() for text in entry.texts)
            assert not set(entry.texts[1:]) - {""} & english[code]

    def test_sentences_end_as_the_english_ones_do(self, language: str) -> None:
        for entry in translation(language).entries.values():
            for sentence in entry.sentences:
                assert isinstance(sentence.parts[-1], str)
                assert sentence.parts[-1].endswith(".")


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("[A01]\n", "[A16]\n", "A01 is missing"),
        ("[numbers]", '[R16]\ntitle = "x"\ncustomer = "x"\nsentences = []\n[numbers]', "R16 is unknown"),
        ('gift = "cadeau"\n', "", "words.stated_reason: gift is missing"),
        ('gift = "cadeau"', 'gift = "cadeau"\nmug = "mok"', "words.stated_reason: mug is unknown"),
        ("[words.resolution]", "[words.outcome]", "words: resolution is missing"),
        ('gift = "cadeau"', 'gift = ""', "words.stated_reason.gift"),
        ('"concerns == 0"], text = "{checks|', '"concerns >= 0"], text = "{checks|', "R01: sentence 5: has other cond"),
        ("Bij {concerns} van", "Bij een deel van", "R01: sentence 1: tells ['checks', 'confirmed'], not"),
        ("{checks|eerdere controle}", "{chekcs|eerdere controle}", "unknown fact 'chekcs'"),
        ("{weekend_returns_365d?werd|werden}", "{orders?werd|werden}", "R05: sentence 1: rests on other facts"),
        ("{weekend_returns_365d?werd|werden}", "{weekend_returns_365d?werd}", "both forms"),
        ('  { text = "De opgegeven reden is: {stated_reason}." },\n', "", "R15: has 2 sentences, not 3"),
        (', title = "Hoeveel er terugkomt, naast vergelijkbare klanten" },', " },", "R02: sentence 4: title is"),
        ('text = "Geen retour vóór deze." }', 'text = "Geen.", title = "x" }', "A04: sentence 5: title is unknown"),
        ('check = "Kijk naar labels, zegels en sporen van gebruik."\n', "", "R05: check is missing"),
        ('check_claim = "Vergelijk de datum van', 'check_other = "Vergelijk de datum van', "check_other"),
        ("[A02]\n", '[A02]\ncheck = "x"\n', "A02: check is unknown"),
        ("[A02]\n", '[A02]\ncheck_claim = "x"\n', "A02: check_claim is unknown"),
        ('text = "{orders|bestelling|bestellingen} tot nu toe, de eerste {tenure_days|dag|dagen} geleden." },\n  {',
         'text = "{orders|keer} besteld, de eerste {tenure_days|dag|dagen} geleden." },\n  {',
         "R10: sentence 5: differs"),
        ("Lees eerst de eerdere bevindingen; kijk", "Weg met dat verwijt; kijk", "R01: 'verwijt'"),
        ('below = "minder dan {}"', 'below = "minder"', "below"),
        ("[numbers]", "[numbers", "catalogue.nl.toml"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(tmp_path: Path, old: str, new: str, cause: str) -> None:
    text = DUTCH.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / DUTCH.name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=re.escape(cause)):
        load(path, CATALOGUE)

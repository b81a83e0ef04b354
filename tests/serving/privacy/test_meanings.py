"""Every value of a stored vector means something, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.service import VECTOR
from serving.privacy import meanings as module
from serving.privacy.meanings import load, meanings
from serving.reasons.facts import CatalogueError
from serving.texts import LANGUAGES
from serving.texts.judging import blaming_words

DUTCH = Path(module.__file__).with_name("meanings.nl.toml")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_has_a_meaning(language: str) -> None:
    found = meanings(language)
    assert set(found) == set(VECTOR)
    assert all(len(text) > 3 and "{" not in text and not blaming_words(text) for text in found.values())


def test_the_meanings_are_in_the_language() -> None:
    english, dutch = meanings("en"), meanings("nl")
    assert english["customer_claims_30d"] == "claims without goods back, in 30 days (of the customer)"
    assert dutch["customer_claims_30d"] == "claims zonder dat er goederen terugkomen, in 30 dagen (van de klant)"
    assert dutch["customer_seconds_since_last_order"] == "seconden sinds de laatste bestelling (van de klant)"
    assert [name for name in VECTOR if english[name] == dutch[name]] == []
    assert meanings("xx") == english


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[whose]", "[whose", "meanings.nl.toml"),
        ('checks = "gemaakte controles"\n', "", "measure.checks is in only one"),
        ('sku = "', 'shelf = "van de plank"\nsku = "', "whose.shelf is in only one"),
        ('"geplaatste bestellingen"', '""', "measure.orders"),
        ("in {days} dagen", "in {weeks} weken", "another place"),
        ("[form]", "[more]\nx = 'y'\n[form]", "no section more"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(old: str, new: str, named: str, tmp_path: Path) -> None:
    text = DUTCH.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / DUTCH.name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=named):
        load(path)

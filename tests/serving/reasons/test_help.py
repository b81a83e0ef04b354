from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from features.service import MODEL_FEATURES
from serving.reasons import help as module
from serving.reasons.catalogue import default_catalogue
from serving.reasons.facts import CatalogueError
from serving.reasons.help import helps, load, meanings
from serving.reasons.translation import LANGUAGES

FOLDER = Path(module.__file__).parent
CATALOGUE = default_catalogue()


@pytest.mark.parametrize("language", LANGUAGES)
class TestHelp:
    def test_every_code_has_it(self, language: str) -> None:
        found = helps(language)
        assert set(found) == {entry.code for entry in CATALOGUE.entries()}
        for about in found.values():
            assert about.means.endswith(".")
            assert about.does_not_mean.endswith(".")
            assert found[about.other].other == about.code
            if about.is_reason:
                assert len(about.innocent) >= 3
                assert about.settles.endswith(".")
                assert about.check

    def test_every_feature_is_spoken_for_once_in_each_direction(self, language: str) -> None:
        for direction in (True, False):
            named = [
                name for about in helps(language).values() if about.is_reason is direction for name in about.features
            ]
            assert sorted(named) == sorted(feature.name for feature in MODEL_FEATURES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_has_a_meaning_and_no_two_have_the_same(language: str) -> None:
    found = meanings(language)
    assert list(found) == [feature.name for feature in MODEL_FEATURES]
    assert len(set(found.values())) == len(found)


def test_a_language_that_is_not_there_is_english() -> None:
    assert helps("xx") == helps("en")


def test_no_help_is_left_in_english() -> None:
    english = helps("en")
    for code, about in helps("nl").items():
        assert about.means != english[code].means
        assert about.does_not_mean != english[code].does_not_mean
        assert len(about.innocent) == len(english[code].innocent)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("[A01]\n", "[A16]\n", "A01 is in only one"),
        ("[A01]\n", '[A01]\nsettles = "x"\n', "A01: a reason, and only a reason"),
        ("[R01]\nmeans", "[R01]\nmeant", "means"),
        ("Lost receipts", "Stolen or lost receipts", "R07: 'Stolen'"),
        ("[R01]", "[R01", "help.toml"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, old: str, new: str, cause: str) -> None:
    text = (FOLDER / "help.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "help.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=re.escape(cause)):
        load(path, CATALOGUE)


def test_the_files_are_in_the_order_of_their_codes() -> None:
    for path in FOLDER.glob("help*.toml"):
        codes = list(tomllib.loads(path.read_text(encoding="utf-8")))
        assert codes == sorted(codes, key=lambda code: (code[0] != "R", code))

"""Nothing that a customer or a member of staff can read judges a person, down to the names in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.texts import judging as rule
from tests.support import words
from tests.support.repository import ROOT, texts
from tests.support.words import judging_words


@pytest.mark.parametrize(
    "text",
    [
        "a known fraudster",
        "is_suspect = 1",
        "class SuspectQueue",
        "SUSPECTED_AT",
        "one Liar",
        "the thieves",
        "de winkeldief",
        "retourfraude",
    ],
)
def test_the_rule_finds_judging_words(text: str) -> None:
    assert judging_words(text)


@pytest.mark.parametrize(
    "text", ["familiar", "peculiar", "an abusive return", "abuse_confirmed", "cheapest", "findings", "verschuldigd"]
)
def test_the_rule_leaves_other_words_alone(text: str) -> None:
    assert not judging_words(text)


def test_no_text_or_name_judges_a_person() -> None:
    the_rule = {Path(file).resolve() for file in (__file__, words.__file__, rule.__file__)}
    read = [path for path in texts() if path not in the_rule]
    found = {
        f"{path.relative_to(ROOT)}:{number}": judging
        for path in read
        if judging_words(whole := path.read_text(encoding="utf-8"))
        for number, line in enumerate(whole.splitlines(), 1)
        if (judging := judging_words(line))
    }
    assert len(read) > 60
    assert {path.name[:2] for path in read if path.suffix == ".ipynb"} == {"01", "02", "03", "04"}
    assert found == {}

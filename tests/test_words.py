"""Nothing that a customer or a member of staff can read judges a person, down to the names in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT, texts

#: Words that judge a person rather than tell what was found. Of a return one says abusive, of a check what it found.
JUDGING = re.compile(
    r"(?<![a-z])("
    r"fraudsters?|criminals?|guilt|guilty|suspects?|suspected|suspicious|liars?|lying|thief|thieves|crooks?|culprits?|"
    r"offenders?|perpetrators?|cheats?|cheaters?|scammers?|abusers?|dishonest|dishonesty|swindlers?|delinquents?|shady"
    r")(?![a-z])",
    re.IGNORECASE,
)
#: Other people's names for things.
QUOTED = ("Credit Card Fraud Detection",)


def judging_words(text: str) -> list[str]:
    """The judging words of a text, also inside snake_case and camelCase names."""
    for quoted in QUOTED:
        text = text.replace(quoted, "")
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [found[0] for found in JUDGING.finditer(apart)]


@pytest.mark.parametrize(
    "text", ["a known fraudster", "is_suspect = 1", "class SuspectQueue", "SUSPECTED_AT", "one Liar", "the thieves"]
)
def test_the_rule_finds_judging_words(text: str) -> None:
    assert judging_words(text)


@pytest.mark.parametrize(
    "text", ["familiar", "peculiar", "an abusive return", "abuse_confirmed", "cheapest", "findings"]
)
def test_the_rule_leaves_other_words_alone(text: str) -> None:
    assert not judging_words(text)


def test_no_text_or_name_judges_a_person() -> None:
    read = [path for path in texts() if path != Path(__file__).resolve()]
    found = {
        f"{path.relative_to(ROOT)}:{number}": words
        for path in read
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (words := judging_words(line))
    }
    assert len(read) > 60
    assert found == {}

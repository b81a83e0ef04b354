"""Every word of the ledger's and the console's vocabularies has a text in every language."""

from __future__ import annotations

from typing import get_args

import pytest

from features.ledger import vocabulary
from serving.assessments.schemas import Action, Band, RightsAnswer
from serving.staff.permissions import ROLES
from serving.texts import LANGUAGES, texts
from serving.texts.judging import blaming_words

SECTIONS = {
    "channel": vocabulary.CHANNELS,
    "proof": vocabulary.PROOFS,
    "reason": vocabulary.REASONS,
    "kind": vocabulary.KINDS,
    "resolution": vocabulary.RESOLUTIONS,
    "tender": vocabulary.TENDERS,
    "finding": vocabulary.FINDINGS,
    "trigger": vocabulary.TRIGGERS,
    "verdict": vocabulary.VERDICTS,
    "basis": vocabulary.BASES,
    "abuse_type": vocabulary.ABUSE_TYPES,
    "action": get_args(Action),
    "band": get_args(Band),
    "rights": get_args(RightsAnswer.model_fields["basis"].annotation),
    "state": ("open", "claimed", "waiting_customer", "waiting_inspection", "second_opinion", "closed", "disputed"),
    "judgement": ("no_concern", "unsure", "concern"),
    "opened_because": ("action", "draw", "hand", "dispute"),
    "check_result": ("fine", "not_fine", "not_possible", "open"),
    "role": ROLES,
}


def test_no_vocabulary_of_the_ledger_is_left_out() -> None:
    about_findings = {vocabulary.CONCERN_FINDINGS, vocabulary.CLEARING_FINDINGS}
    declared = {words for words in vars(vocabulary).values() if isinstance(words, tuple)} - about_findings
    assert declared <= set(SECTIONS.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", SECTIONS)
class TestWords:
    def test_each_has_a_text_and_none_is_left_over(self, section: str, language: str) -> None:
        found = {key.split(".", 1)[1] for key in texts(language) if key.split(".")[0] == section}
        assert found == set(SECTIONS[section])

    def test_the_texts_differ_and_blame_nobody(self, section: str, language: str) -> None:
        words = [texts(language).of(section, code) for code in SECTIONS[section]]
        assert len(set(words)) == len(words)
        assert not [word for word in words if blaming_words(word)]

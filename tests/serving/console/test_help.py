from __future__ import annotations

import pytest

from serving.reasons.catalogue import default_catalogue
from serving.reasons.help import helps
from serving.staff.permissions import ROLES
from serving.texts import LANGUAGES
from tests.support.console import Console, SignedIn, words

CODES = [entry.code for entry in default_catalogue().entries()]


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_read_the_help(console: Console, role: str) -> None:
    page = words(console.of(role).get("/help"))
    assert all(code in page for code in CODES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_has_a_page_in_each_language(console: Console, language: str) -> None:
    somebody = console.another("desk", language=language)
    for code in CODES:
        page, about = words(somebody.get(f"/help/{code}")), helps(language)[code]
        for text in (about.title, about.means.split('"')[0], about.settles, about.customer, *about.innocent):
            assert text.replace("'", "&#39;") in page, (code, text)
        assert f"/help/{about.other}" in somebody.get(f"/help/{code}").text


def test_codes_may_be_written_small_and_others_are_not_there(lead: SignedIn) -> None:
    assert lead.get("/help/r02").status_code == 200
    for code in ("R99", "x", "<script>"):
        answer = lead.get(f"/help/{code}")
        assert answer.status_code == 404
        assert "<script>" not in answer.text

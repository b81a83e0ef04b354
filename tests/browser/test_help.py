"""Help by keyboard, in both languages and themes, and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.reasons.help import helps
from tests.support import browser as support
from tests.support.console import Console


def test_from_the_keyboard_to_a_reason_and_its_neighbours(page: Page, console: Console) -> None:
    support.sign_in(page, console, "reviewer")
    page.goto("/console/account")
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page.get_by_role("heading", level=1)).to_have_text("Help")
    link = page.get_by_role("link", name=f"R02 {helps('en')['R02'].title}")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("R02")
    expect(page.get_by_text(helps("en")["R02"].does_not_mean)).to_be_visible()
    page.keyboard.press("]")
    expect(page.get_by_role("heading", level=1)).to_contain_text("R03")
    page.keyboard.press("[")
    expect(page.get_by_role("heading", level=1)).to_contain_text("R02")
    page.keyboard.press("u")
    expect(page.get_by_role("heading", level=1)).to_have_text("Help")


@pytest.mark.parametrize(("language", "code"), [("en", "R08"), ("nl", "R08"), ("nl", "A11")])
def test_nothing_stands_in_anybodys_way(chromium: Browser, console: Console, language: str, code: str) -> None:
    with support.opened(chromium, console, language=language) as page:
        support.sign_in(page, console, "desk")
        page.goto(f"/console/help/{code}")
        page.locator("main summary").click()
        expect(page.get_by_text(helps(language)[code].features[0], exact=True)).to_be_visible()
        support.assert_accessible(page)
        page.goto("/console/help")
        support.assert_accessible(page)


def test_it_can_be_read_without_javascript(chromium: Browser, console: Console) -> None:
    with support.opened(chromium, console, javascript=False, size=support.TABLET) as page:
        support.sign_in(page, console, "analyst")
        page.goto("/console/help")
        page.get_by_role("link", name=f"R14 {helps('en')['R14'].title}").click()
        expect(page.get_by_text(helps("en")["R14"].means)).to_be_visible()

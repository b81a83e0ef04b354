"""The overview in a real browser: by keyboard, in both themes, on a tablet."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from features.ledger.store import Ledger
from serving.clock import now_us
from tests.support.browser import TABLET, assert_accessible, opened, sign_in
from tests.support.console import Console
from tests.support.many_cases import put_many
from tests.support.service import settings_of


def test_without_cases(console: Console, page: Page) -> None:
    sign_in(page, console, "analyst")
    page.goto("/console/overview?days=30")
    expect(page.get_by_text("No figures yet")).to_be_visible()
    assert_accessible(page)


def test_with_cases_by_keyboard_and_on_a_tablet(console: Console, page: Page, chromium: Browser) -> None:
    ledger = Ledger.open(settings_of(console.home))
    with ledger.write() as conn:
        put_many(conn, 300, now_us())
    ledger.close()
    sign_in(page, console, "lead")
    page.goto("/console/account")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_role("img", name="Cases opened, day by day")).to_be_visible()
    assert_accessible(page)
    page.get_by_text("As a table").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Cases ended")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="365 days").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"days=365$"))
    with opened(chromium, console, size=TABLET, language="nl-NL") as tablet:
        sign_in(tablet, console, "lead")
        tablet.goto("/console/overview")
        assert_accessible(tablet)
        assert tablet.evaluate("document.documentElement.scrollWidth <= innerWidth")

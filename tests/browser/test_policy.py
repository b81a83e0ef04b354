"""A policy is changed by two people in a real browser: by keyboard, in both themes, on a tablet, without JavaScript."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import assert_accessible, opened, sign_in, use_session
from tests.support.console import Console
from tests.support.policies import changed, line_of
from tests.support.service import unique


def text() -> str:
    return changed(old_1='"2026-12"', new_1=unique("b-"), old_2="window_days: 30", new_2="window_days: 60")


def test_a_change_is_simulated_proposed_and_published(console: Console, page: Page, chromium: Browser) -> None:
    sign_in(page, console, "analyst")
    page.goto("/console/policy")
    assert_accessible(page)
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Change the policy")).to_be_visible()
    assert_accessible(page)
    content = text()
    area = page.get_by_label("The policy (YAML)")
    area.fill(content.replace("checks_a_day: 50", "checks_a_day: 0"))
    page.get_by_label("Returns of").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 fault in the text")).to_be_visible()
    assert_accessible(page)
    line = line_of(content, "checks_a_day")
    page.get_by_role("link", name=f"line {line}").focus()
    page.keyboard.press("Enter")
    expect(area).to_be_focused()
    assert area.evaluate("a => a.value.slice(a.selectionStart, a.selectionEnd)") == "  checks_a_day: 0"
    page.keyboard.type("  checks_a_day: 40")
    page.get_by_role("button", name="Simulate").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By segment")).to_be_visible(timeout=60_000)
    assert_accessible(page)
    page.get_by_label("Why").focus()
    page.keyboard.type("Longer for everybody.")
    page.get_by_role("button", name="Propose").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("waits for a second person")).to_be_visible()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    assert_accessible(page)
    here = page.url
    with opened(chromium, console) as other:
        use_session(other.context, console, console.another("lead").token)
        other.goto(here)
        expect(other.get_by_text("checks_a_day: 40").first).to_be_visible()
        expect(other.get_by_role("heading", name="What it would have done")).to_be_visible()
        assert_accessible(other)
        other.get_by_role("button", name="Publish").focus()
        other.keyboard.press("Enter")
        expect(other.get_by_text("is in force. It decides from the next return on.")).to_be_visible()
        assert_accessible(other)
        other.goto("/console/policy")
        expect(other.get_by_text("checks_a_day: 40").first).to_be_visible()


def test_on_a_tablet_nothing_is_cut_off(console: Console, tablet: Page) -> None:
    sign_in(tablet, console, "lead")
    for address in ("/console/policy", "/console/policy/edit"):
        tablet.goto(address)
        assert tablet.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert_accessible(tablet)


def test_without_javascript_it_works_too(console: Console, chromium: Browser) -> None:
    with opened(chromium, console, javascript=False) as page:
        sign_in(page, console, "lead")
        page.goto("/console/policy/edit")
        page.get_by_label("The policy (YAML)").fill(text())
        page.get_by_label("Why").fill("Longer for everybody.")
        page.get_by_role("button", name="Propose").click()
        expect(page.get_by_text(re.compile("Somebody else has to publish"))).to_be_visible()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_text(re.compile("is taken back"))).to_be_visible()

"""Signing in, the frame around every page, and what the keyboard does."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import TABLET, assert_accessible, opened, sign_in, use_session
from tests.support.console import PASSWORD, Console, add_person, end_sessions


def test_signing_in_and_out_with_the_keyboard_alone(console: Console, page: Page) -> None:
    person = add_person(console.home, "administrator", password=PASSWORD)
    page.goto("/console/staff")
    expect(page).to_have_url(re.compile(r"/console/sign-in\?next=/staff$"))
    expect(page.get_by_label("Login")).to_be_focused()
    page.keyboard.type(person.login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Staff")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.locator(".menu summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_a_wrong_password_is_told_and_the_login_stays(console: Console, page: Page) -> None:
    page.goto("/console/sign-in")
    page.get_by_label("Login").fill("nobody-here")
    page.get_by_label("Password").fill("what it may be")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Login")).to_have_value("nobody-here")
    assert_accessible(page)


class TestKeys:
    def test_help_lists_them_and_they_work(self, console: Console, page: Page) -> None:
        sign_in(page, console, "administrator")
        page.goto("/console/account")
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_text("Staff")).to_be_visible()
        assert_accessible(page)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.keyboard.press("g")
        page.keyboard.press("s")
        expect(page).to_have_url(re.compile(r"/console/staff$"))
        page.keyboard.press("j")
        expect(page.locator("tbody tr a").first).to_be_focused()

    def test_they_rest_while_somebody_types(self, console: Console, page: Page) -> None:
        sign_in(page, console, "administrator")
        page.goto("/console/account")
        page.get_by_label("Name").focus()
        page.keyboard.type("gs?")
        expect(page).to_have_url(re.compile(r"/console/account$"))

    def test_they_can_be_switched_off(self, console: Console, page: Page) -> None:
        browser = console.another("administrator")
        use_session(page.context, console, browser.token)
        page.goto("/console/account")
        page.get_by_role("checkbox", name="Keyboard shortcuts").uncheck()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.wait_for_timeout(100)
        expect(page).to_have_url(re.compile(r"/console/account$"))


def test_what_was_typed_survives_the_end_of_the_session(console: Console, page: Page) -> None:
    browser = console.another("lead", password=PASSWORD)
    use_session(page.context, console, browser.token)
    page.goto("/console/account")
    page.get_by_label("Name").fill("A name that took long to find")
    end_sessions(console.home, browser.person)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Login").fill(browser.person.login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Name")).to_have_value("A name that took long to find")
    assert_accessible(page)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("A name that took long to find")


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/staff", "/nothing"])
def test_pages_are_accessible_in_both_themes_and_fit_a_tablet(
    console: Console, chromium: Browser, page: Page, path: str
) -> None:
    if path != "/sign-in":
        sign_in(page, console, "administrator")
    page.goto(f"/console{path}")
    assert_accessible(page)
    with opened(chromium, console, size=TABLET, language="nl-NL") as tablet:
        if path != "/sign-in":
            sign_in(tablet, console, "administrator")
        tablet.goto(f"/console{path}")
        assert_accessible(tablet)
        assert tablet.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert tablet.evaluate("document.documentElement.lang") == "nl"


def test_everything_works_without_javascript(console: Console, chromium: Browser) -> None:
    with opened(chromium, console, javascript=False) as page:
        person = add_person(console.home, "administrator", password=PASSWORD)
        page.goto("/console/sign-in")
        page.get_by_label("Login").fill(person.login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Name", exact=True).fill("Robin Visser")
        page.get_by_label("Login").fill("robin@example.com")
        page.get_by_label("Reviewer").check()
        page.get_by_role("button", name="Make the account").click()
        address = page.get_by_label("Link").input_value()
        page.locator(".menu summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.goto(address)
        page.get_by_label("New password", exact=True).fill("four words and more")
        page.get_by_label("New password again").fill("four words and more")
        page.get_by_role("button", name="Save and sign in").click()
        expect(page.get_by_text("Welcome, Robin Visser.")).to_be_visible()

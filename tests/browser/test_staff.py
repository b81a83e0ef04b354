"""Jobs of an administrator, and of everybody with their own account, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import TABLET, assert_accessible, opened, sign_in, use_session
from tests.support.console import PASSWORD, Console, add_person


def test_inviting_somebody_and_taking_the_invitation(console: Console, page: Page, chromium: Browser) -> None:
    sign_in(page, console, "administrator")
    page.goto("/console/staff")
    page.get_by_label("Name", exact=True).fill("Robin Visser")
    page.get_by_label("Login").fill("robin visser")
    page.get_by_label("Returns desk").check()
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Robin Visser")
    expect(page.get_by_label("Returns desk")).to_be_checked()
    assert_accessible(page)
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.get_by_label("Login")).to_be_focused()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("robin@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A link for Robin Visser")).to_be_visible()
    assert_accessible(page)
    address = page.get_by_label("Link").input_value()
    with opened(chromium, console, size=TABLET, language="nl-NL") as theirs:
        theirs.goto(address)
        expect(theirs.get_by_role("heading", name="Welkom")).to_be_visible()
        assert_accessible(theirs)
        theirs.get_by_label("Nieuw wachtwoord", exact=True).fill("vier losse woorden")
        theirs.get_by_label("Nieuw wachtwoord nogmaals").fill("vier losse woorden")
        theirs.get_by_role("button", name="Opslaan en inloggen").click()
        expect(theirs.get_by_text("Welkom, Robin Visser.")).to_be_visible()
    page.goto("/console/staff")
    expect(page.get_by_role("row", name=re.compile("Robin Visser"))).to_contain_text("Active")


def test_another_role_by_keyboard(console: Console, page: Page) -> None:
    person = add_person(console.home, "desk", name="Kim Bos")
    sign_in(page, console, "administrator")
    page.goto(f"/console/staff/{person.staff_id}")
    assert_accessible(page)
    page.get_by_label("Returns desk").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Reviewer")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kim Bos has another role now")).to_be_visible()
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(r"/console/staff$"))


def test_ones_own_theme_and_language(console: Console, page: Page) -> None:
    browser = console.another("lead", password=PASSWORD)
    use_session(page.context, console, browser.token)
    page.emulate_media(color_scheme="light")
    page.goto("/console/account")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("radio", name="Dark").check()
    page.get_by_label("Language").select_option("nl")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Opgeslagen.")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert_accessible(page)
    page.get_by_role("radio", name="Licht").check()
    page.get_by_role("button", name="Opslaan").click()
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def test_targets_are_large_enough_for_fingers(console: Console, tablet: Page) -> None:
    sign_in(tablet, console, "administrator")
    for path in ("/account", "/staff"):
        tablet.goto(f"/console{path}")
        small = tablet.evaluate(
            """[...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
            .filter((each) => each.getClientRects().length && !each.closest("p") && !each.matches(".skip"))
            .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0 && (box.width < 20 || box.height < 20))
            .map(([html]) => html)"""
        )
        assert small == []

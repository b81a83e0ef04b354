"""Working through cases in a real browser: with the keyboard alone, in both themes, on a tablet, two people at once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from features.ledger.store import Ledger
from serving.app import create_app
from serving.cases import records
from serving.cases.repository import Case
from serving.clock import now_us
from serving.settings import ServingSettings
from tests.support.browser import TABLET, assert_accessible, opened, sign_in
from tests.support.cases import Desk
from tests.support.console import Console
from tests.support.service import running, settings_of


@pytest.fixture(scope="module")
def home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(template, tmp_path_factory.mktemp("cases") / "home"))


@pytest.fixture(scope="module")
def desk(home: Path) -> Iterator[Desk]:
    ledger = Ledger.open(settings_of(home))
    desk = Desk(ledger, now_us())
    desk.add_returns()
    yield desk
    ledger.close()


@pytest.fixture(scope="module")
def console(home: Path, desk: Desk) -> Iterator[Console]:
    with running(create_app(settings_of(home), ServingSettings(model_poll_seconds=600))) as client:
        console = Console(home, client)
        yield console
        console.close()


@pytest.fixture
def page(chromium: Browser, console: Console) -> Iterator[Page]:
    """As everywhere; htmx tells of answers that are errors, and some here are meant to be."""
    with opened(chromium, console, forgiven=("Response Status Error Code",)) as page:
        yield page


_numbers = iter(range(1_000))


@pytest.fixture
def case(desk: Desk) -> Case:
    return desk.open(next(_numbers))


def go(page: Page, console: Console, case: Case, role: str = "reviewer") -> None:
    sign_in(page, console, role)
    page.goto(f"/console/cases/{case.case_id}")


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


class TestKeyboardAlone:
    def test_from_the_queue_to_a_verdict_and_on(self, console: Console, page: Page, desk: Desk) -> None:
        first, second = desk.open(next(_numbers)), desk.open(next(_numbers))
        sign_in(page, console, "reviewer")
        page.goto("/console/account")
        press(page, "g q")
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        press(page, "n")  # takes the next case
        expect(page.get_by_text("In work")).to_be_visible()
        taken = page.url.split("/")[-1]
        assert taken in (first.case_id, second.case_id)
        expect(page.get_by_text("40%")).to_have_count(0)
        press(page, "2")  # a first judgement
        expect(page.get_by_text("Your judgement is written down. You can")).to_be_visible()
        expect(page.get_by_text("40%")).to_be_visible()
        press(page, "f w")  # a finding, and undo
        expect(page.get_by_role("button", name="Undo: Worn or used")).to_be_visible()
        assert_accessible(page)
        press(page, "z")
        expect(page.get_by_role("button", name="Undo: Worn or used")).to_have_count(0)
        press(page, "f a")
        expect(page.get_by_role("button", name="Undo: As described")).to_be_visible()
        press(page, "v c")  # cleared, and on to the next case
        expect(page.get_by_text(f"{taken} is closed: cleared.")).to_be_visible()
        assert taken not in page.url
        press(page, "u")
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        press(page, "j")
        expect(page.locator("tbody tr a").first).to_be_focused()
        press(page, "Enter")
        expect(page.get_by_role("heading", name="What is asked for")).to_be_visible()

    def test_abuse_is_confirmed_with_a_finding_and_a_reason(
        self, console: Console, page: Page, case: Case, desk: Desk
    ) -> None:
        go(page, console, case)
        press(page, "c")
        expect(page.get_by_text("In work")).to_be_visible()
        page.get_by_text("For abuse: what it rests on").click()
        press(page, "v a")  # nothing was found yet
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.get_by_role("alert")).to_contain_text("Say why, in your own words.")
        press(page, "f i")
        expect(page.get_by_role("button", name="Undo: Another item")).to_be_visible()
        press(page, "v w")
        expect(page.get_by_label("Reason", exact=False).first).to_be_focused()
        page.keyboard.type("The serial number is another one.")
        page.keyboard.press("Tab")
        page.get_by_role("checkbox", name="Then go on").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        press(page, "v a")
        expect(page.get_by_text(f"{case.case_id} is closed: abuse confirmed.")).to_be_visible()
        (verdict,) = desk.read(lambda conn: records.verdicts(conn, case.case_no))
        assert verdict.words == "The serial number is another one."
        assert_accessible(page)

    def test_help_lists_what_the_page_can_do(self, console: Console, page: Page, case: Case) -> None:
        go(page, console, case)
        press(page, "?")
        dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
        for words in ("Take the case", "No concern", "Worn or used", "Back to the queue", "Confirm abuse", "Note"):
            expect(dialog.get_by_text(words, exact=True)).to_be_visible()
        assert_accessible(page)

    def test_previous_and_next(self, console: Console, page: Page, desk: Desk) -> None:
        cases = [desk.open(next(_numbers)) for _ in range(3)]
        go(page, console, cases[1])
        press(page, "n")
        expect(page).not_to_have_url(re.compile(cases[1].case_id))
        there = page.url
        press(page, "p")
        expect(page).to_have_url(re.compile(cases[1].case_id))
        assert there != page.url

    def test_notes(self, console: Console, page: Page, case: Case, desk: Desk) -> None:
        go(page, console, case, "desk")
        press(page, "m")
        page.keyboard.type("The courier called: v c")  # keys rest while somebody types
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The note is kept.")).to_be_visible()
        (note,) = desk.read(lambda conn: records.notes(conn, case.case_no))
        assert note.words == "The courier called: v c"


class TestTwoPeople:
    def test_see_each_other_and_lose_nothing(
        self, console: Console, page: Page, chromium: Browser, case: Case, desk: Desk
    ) -> None:
        go(page, console, case)
        with opened(chromium, console) as other:
            sign_in(other, console, "lead")
            other.goto(f"/console/cases/{case.case_id}")
            expect(other.get_by_text("is looking at this case, too")).to_be_visible()
            page.get_by_label("Reason", exact=False).first.fill("I could not tell: the box was open.")
            other.keyboard.press("f")
            other.keyboard.press("m")
            expect(other.get_by_role("button", name="Undo: Something is missing")).to_be_visible()
            other.keyboard.press("x")
            expect(other.get_by_text("The case is free again.")).to_be_visible()
        page.get_by_role("button", name="Inconclusive").click()
        alert = page.get_by_role("alert")
        expect(alert).to_be_focused()
        expect(alert).to_contain_text("This case has changed")
        expect(alert).to_contain_text("Something is missing")
        expect(page.locator("#words")).to_have_value("I could not tell: the box was open.")
        assert_accessible(page)
        page.get_by_role("button", name="Inconclusive").click()
        expect(page.get_by_text(f"{case.case_id} is closed: inconclusive.")).to_be_visible()
        assert desk.again(case).verdict == "inconclusive"

    def test_a_session_that_ends_in_between_gives_the_words_back(
        self, console: Console, page: Page, case: Case
    ) -> None:
        go(page, console, case)
        page.locator("#words").fill("Half an hour of thinking.")
        page.context.clear_cookies()
        page.get_by_role("button", name="Clear", exact=True).click()
        expect(page.get_by_label("Login")).to_be_visible()
        kept = page.locator("input[name=kept]").first
        assert kept.get_attribute("value")


class TestManyAtOnce:
    def test_are_cleared_after_a_question(self, console: Console, page: Page, desk: Desk) -> None:
        cases = [desk.open(next(_numbers)) for _ in range(2)]
        sign_in(page, console, "reviewer")
        page.goto("/console/queue?view=open")
        for each in cases:
            page.get_by_label(f"Choose {each.case_id}").check()
        page.get_by_role("button", name="Clear the chosen cases").click()
        expect(page.get_by_role("heading", name="Clear 2 cases")).to_be_visible()
        assert_accessible(page)
        page.get_by_role("button", name="Clear 2 cases").click()
        expect(page.get_by_text("2 cases are cleared.")).to_be_visible()
        assert {desk.again(each).verdict for each in cases} == {"cleared"}


class TestEverywhere:
    def test_the_queue_is_accessible_and_fits(self, console: Console, chromium: Browser, case: Case) -> None:
        with opened(chromium, console, size=TABLET, language="nl-NL") as tablet:
            sign_in(tablet, console, "reviewer")
            for path in ("/queue", "/queue?kind=claim&country=DE", "/queue?search=nobody-has-this", "/queue/open"):
                tablet.goto(f"/console{path}")
                assert_accessible(tablet)
                assert tablet.evaluate("document.documentElement.scrollWidth <= innerWidth"), path

    @pytest.mark.parametrize("size", [TABLET, (390, 844)])
    @pytest.mark.parametrize("language", ["en-GB", "nl-NL"])
    def test_no_part_of_the_queue_is_cut_off(
        self, console: Console, chromium: Browser, case: Case, size: tuple[int, int], language: str
    ) -> None:
        with opened(chromium, console, size=size, language=language) as page:
            sign_in(page, console, "reviewer")
            page.goto("/console/queue")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.locator(".table-scroll").evaluate("each => each.scrollWidth <= each.clientWidth")
            assert_accessible(page)

    def test_a_press_on_a_row_opens_the_case_and_one_on_its_box_does_not(
        self, console: Console, page: Page, case: Case
    ) -> None:
        sign_in(page, console, "reviewer")
        page.goto("/console/queue?view=open")
        row = page.locator("tbody tr", has_text=case.case_id)
        row.get_by_role("checkbox").check()
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        row.locator(".queue-value").click()
        expect(page).to_have_url(re.compile(f"{case.case_id}.view=open"))

    def test_the_account_menu_has_a_name_on_a_phone(self, console: Console, chromium: Browser) -> None:
        with opened(chromium, console, size=(390, 844)) as page:
            sign_in(page, console, "reviewer")
            page.goto("/console/queue")
            name = console.of("reviewer").person.name
            page.locator("header summary").click()
            expect(page.get_by_role("link", name="My account")).to_be_visible()
            assert name in (page.locator("header summary").aria_snapshot())

    def test_a_case_is_accessible_and_fits(self, console: Console, chromium: Browser, case: Case) -> None:
        with opened(chromium, console, size=TABLET) as tablet:
            go(tablet, console, case, "lead")
            assert_accessible(tablet)
            assert tablet.evaluate("document.documentElement.scrollWidth <= innerWidth")
            tablet.get_by_role("link", name="To the verdict").click()
            expect(tablet.locator("#work")).to_be_in_viewport()

    def test_works_without_javascript(self, console: Console, chromium: Browser, case: Case, desk: Desk) -> None:
        with opened(chromium, console, javascript=False) as plain:
            go(plain, console, case)
            plain.get_by_role("button", name="As described").click()
            expect(plain.get_by_text("The finding is written down.")).to_be_visible()
            plain.locator("#next").uncheck()
            plain.get_by_role("button", name="Inconclusive").click()
            expect(plain.get_by_text(f"{case.case_id} is closed: inconclusive.")).to_be_visible()
        assert desk.again(case).verdict == "inconclusive"

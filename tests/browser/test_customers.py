"""A customer's rights in a real browser: found, exported, corrected, restricted and erased, by keyboard alone."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from features.clock import DAY
from features.ledger.sql import rows
from features.ledger.store import Ledger
from serving.clock import now_us
from serving.notices import notices, repository
from tests.support.browser import assert_accessible, sign_in
from tests.support.closed_cases import put_case
from tests.support.console import Console
from tests.support.service import settings_of

REFERENCE = "RW-C5AAA-AAAAA"


@pytest.fixture(scope="module")
def case_no(console: Console) -> Iterator[int]:
    """A confirmed case of c5, about which a notice was made."""
    ledger = Ledger.open(settings_of(console.home))
    now = now_us()
    with ledger.write() as conn:
        order_no, order_id, return_id = rows(
            conn,
            "SELECT o.order_no, o.order_id, r.return_id FROM orders o JOIN returns r ON r.order_no = o.order_no"
            " WHERE o.customer_id = 'c5' LIMIT 1",
        )[0]
        number = put_case(
            conn,
            case_id=REFERENCE,
            customer_id="c5",
            order_no=order_no,
            order_id=order_id,
            return_id=return_id,
            opened_at=now - 30 * DAY,
            closed_at=now - 20 * DAY,
        )
        case = repository.case_facts(conn, number)
        assert case is not None
        notices.make(conn, notices.Prepared(case, "verdict", 1, "en", "We looked at it.\n\nRegards."), now=now)
    yield number
    ledger.close()


def test_finding_and_reading_by_keyboard(console: Console, page: Page, case_no: int) -> None:
    sign_in(page, console, "lead")
    page.goto("/console/customers")
    assert_accessible(page)
    page.keyboard.press("/")
    expect(page.get_by_label("Whom or what")).to_be_focused()
    page.keyboard.type(REFERENCE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Customer c5")).to_be_visible()
    expect(page.get_by_role("link", name=REFERENCE).first).to_be_visible()
    notice = page.get_by_text("What we found when we looked at your return")
    notice.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Regards.")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(r"/console/customers$"))


def test_restricting_and_lifting(console: Console, page: Page, case_no: int) -> None:
    sign_in(page, console, "lead")
    page.goto("/console/customers/c5")
    page.get_by_text("Let refunds wait for a look").click()
    page.get_by_role("button", name="Set the restriction").click()
    expect(page.get_by_text("Refunds wait for a look at the goods.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Lift it").click()
    expect(page.get_by_text("The restriction is lifted.")).to_be_visible()


def test_the_export_is_a_page_that_anybody_can_read(
    console: Console, page: Page, case_no: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sign_in(page, console, "lead")
    page.goto("/console/customers/c5")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export everything").click()
    folder = tmp_path_factory.mktemp("export")
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(folder)
    page.goto(f"file://{folder}/index.html")
    expect(page.get_by_role("heading", name="Everything that is stored about you")).to_be_visible()
    expect(page.get_by_text("We looked at it.")).to_be_visible()
    assert_accessible(page)


def test_correcting(console: Console, page: Page) -> None:
    sign_in(page, console, "lead")
    page.goto("/console/customers/c2")
    page.get_by_role("link", name="Correct something").click()
    assert_accessible(page)
    page.get_by_label("Order", exact=True).select_option("o2-0")
    page.get_by_label("Whose it is").fill("c2")
    page.get_by_role("button", name="Move the order").click()
    expect(page.get_by_role("alert")).to_contain_text("already")
    expect(page.get_by_label("Whose it is")).to_have_value("c2")
    assert_accessible(page)
    page.get_by_label("Whose it is").fill("c3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Customer c3")).to_be_visible()


def test_erasing_needs_a_second_confirmation(console: Console, tablet: Page) -> None:
    page = tablet
    sign_in(page, console, "lead")
    page.goto("/console/customers/c7")
    assert_accessible(page)
    page.get_by_role("link", name="Erase this customer").click()
    assert_accessible(page)
    page.get_by_label("Type the id: c7").fill("c8")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Type the id: c7")).to_have_value("c8")
    page.get_by_label("Type the id: c7").fill("c7")
    page.get_by_label("The person has asked for this").check()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("8 orders have no name any more")).to_be_visible()
    page.get_by_label("Whom or what").fill("c7")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    assert_accessible(page)

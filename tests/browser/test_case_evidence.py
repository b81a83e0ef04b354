"""The showing side of a case in a real browser: pictures, photos, and the evidence file."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.cases import opening, repository
from serving.clock import now_us
from tests.support.browser import TABLET, assert_accessible, opened, sign_in
from tests.support.console import Console
from tests.support.pictures import jpeg, picture
from tests.support.service import Api, assessment, make_key, settings_of


@pytest.fixture(scope="module")
def case_id(console: Console) -> str:
    """A case with an assessment, of a customer who shares an address with two other accounts."""
    keys = {"address_id": "1 Long Street", "device_id": "a tablet"}
    lines = [{"line_id": "1", "sku": "s1", "quantity": 6, "unit_price": "49.50", "category": "shoes"}]
    ledger = Ledger.open(settings_of(console.home))
    with httpx.Client(base_url=console.base_url, timeout=30) as client:
        api = Api(client, make_key(console.home))
        for customer in ("ann-1", "ben-2", "cleo-3"):
            order = {"customer_id": customer, "lines": lines, "email_id": f"{customer}@example.com"} | keys
            asked = assessment(order=order, requested_at=None)
            answer = api.assess({name: value for name, value in asked.items() if value is not None})
            assert answer.status_code == 200, answer.text
    with ledger.write() as conn:
        case = repository.of_return(conn, asked["return_id"])
        if case is None:
            case = opening.open_by_hand(conn, SYSTEM, asked["return_id"], now=now_us())
    ledger.close()
    return case.case_id


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    page.get_by_label("Photos", exact=True).set_input_files(
        [{"name": name, "mimeType": "image/jpeg", "buffer": content} for name, content in files]
    )


def test_pictures_say_in_words_what_they_show(console: Console, page: Page, case_id: str) -> None:
    sign_in(page, console, "reviewer")
    page.goto(f"/console/cases/{case_id}")
    timeline = page.get_by_role("region", name="What happened")
    expect(timeline.get_by_role("img", name="What happened")).to_be_visible()
    expect(timeline.get_by_role("listitem").filter(has_text="Return asked for: Return, Size or fit")).to_be_visible()
    shoppers = page.get_by_role("region", name="Beside similar shoppers")
    expect(shoppers.get_by_text("0 of 6 items came back.").first).to_be_visible()
    expect(page.get_by_role("region", name="Linked accounts").get_by_text("Perhaps a household").first).to_be_visible()
    assert_accessible(page)


def test_photos_with_the_keyboard_alone(console: Console, page: Page, case_id: str) -> None:
    sign_in(page, console, "desk")
    page.goto(f"/console/cases/{case_id}")
    upload(page, ("sole.jpg", jpeg(picture(900, 700), gps=True)), ("box.jpg", jpeg(picture(700, 900))))
    page.get_by_label("What they show").focus()
    page.keyboard.type("Sand in the sole")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The 2 photos are kept.")).to_be_visible()
    expect(page.get_by_role("heading", name="2 photos")).to_be_visible()
    first = page.get_by_role("link", name="Sand in the sole").first
    loaded = first.get_by_role("img").evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert loaded == 320
    first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/photos#photo-\d+$"))
    assert_accessible(page)


def test_a_file_that_is_no_photo_loses_no_words(console: Console, page: Page, case_id: str) -> None:
    sign_in(page, console, "desk")
    page.goto(f"/console/cases/{case_id}/photos")
    upload(page, ("page.jpg", b"<html><script>alert(1)</script>"))
    page.get_by_label("What they show").fill("Words that took time")
    page.get_by_role("button", name="Add photos").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("File 1 holds something else besides a picture.")
    expect(page.get_by_label("What they show")).to_have_value("Words that took time")
    assert_accessible(page)


@pytest.mark.parametrize("ending", ["PDF", "ZIP"])
def test_the_evidence_file_is_handed_out(
    console: Console, page: Page, case_id: str, tmp_path: Path, ending: str
) -> None:
    sign_in(page, console, "lead")
    page.goto(f"/console/cases/{case_id}")
    page.locator("#evidence summary").click()
    page.get_by_label("Language of the file").select_option("nl")
    assert_accessible(page)
    with page.expect_download() as handed:
        page.get_by_role("button", name=ending).click()
    assert handed.value.suggested_filename == f"dispute-{case_id}.{ending.lower()}"
    assert Path(handed.value.path()).stat().st_size > 10_000


def test_it_fits_a_tablet_in_dutch_without_javascript(console: Console, chromium: Browser, case_id: str) -> None:
    with opened(chromium, console, size=TABLET, language="nl-NL", javascript=False) as page:
        sign_in(page, console, "reviewer")
        page.goto(f"/console/cases/{case_id}")
        expect(page.get_by_role("heading", name="Naast vergelijkbare klanten", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= TABLET[0]
        text = page.locator(".timeline .label").first
        assert text.bounding_box()["height"] >= 11  # type: ignore[index]


def test_it_fits_a_phone(console: Console, chromium: Browser, case_id: str) -> None:
    with opened(chromium, console, size=(400, 850)) as page:
        sign_in(page, console, "lead")
        page.goto(f"/console/cases/{case_id}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert_accessible(page)

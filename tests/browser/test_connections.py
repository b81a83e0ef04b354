"""Connections in a real browser: by keyboard, in both themes, on a tablet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.app import create_app
from serving.settings import ServingSettings
from tests.support.browser import TABLET, assert_accessible, opened, sign_in
from tests.support.console import Console
from tests.support.receiver import Receiver, receiver
from tests.support.service import make_key, running, settings_of


@pytest.fixture(scope="module")
def console(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A service that may send webhooks to this machine."""
    home = Path(shutil.copytree(template, tmp_path_factory.mktemp("connections") / "home"))
    serving = ServingSettings(model_poll_seconds=600, webhook_private_addresses=True, webhook_poll_seconds=0.05)
    with running(create_app(settings_of(home), serving)) as client:
        console = Console(home, client)
        yield console
        console.close()


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def test_an_endpoint_is_added_and_tried_out_with_the_keyboard_alone(
    console: Console, page: Page, receiving: Receiver
) -> None:
    sign_in(page, console, "administrator")
    page.goto("/console/account")
    page.keyboard.press("g")
    page.keyboard.press("v")
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    expect(page.get_by_text("No endpoint yet")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("URL").focus()
    page.keyboard.type(receiving.url)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # without assessments
    page.get_by_role("button", name="Add the endpoint").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The secret")).to_be_visible()
    secret = page.get_by_label("Secret").input_value()
    assert secret.startswith("whsec_")
    assert_accessible(page)
    page.get_by_role("link", name="Done").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Send a test message").focus()
    page.keyboard.press("Enter")
    (received,) = receiving.wait(1)
    received.check(secret)
    page.wait_for_timeout(200)
    page.keyboard.press("r")
    expect(page.get_by_text("Delivered")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    expect(page.get_by_text("Case opened, Case closed")).to_be_visible()


def test_a_shop_is_connected_and_a_key_revoked(console: Console, page: Page) -> None:
    key_id = make_key(console.home).split("_")[1]
    sign_in(page, console, "administrator")
    page.goto("/console/connections")
    page.get_by_label("Name of the shop").fill("Shop NL")
    page.get_by_role("button", name="Connect the shop").click()
    page.get_by_label("WooCommerce").check()
    page.get_by_role("button", name="Connect the shop").click()
    expect(page.get_by_role("heading", name="Shop NL is connected")).to_be_visible()
    assert "/v1/shops/" in page.get_by_label("Address for its webhooks").input_value()
    assert_accessible(page)
    page.get_by_role("link", name="Done").click()
    assert_accessible(page)
    page.get_by_role("link", name="Connections", exact=True).first.click()
    page.get_by_role("link", name=f"Revoke the key {key_id}").click()
    assert_accessible(page)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text(f"The key {key_id} is revoked.")).to_be_visible()
    assert_accessible(page)


def test_it_fits_a_tablet_in_dutch(console: Console, chromium: Browser) -> None:
    with opened(chromium, console, size=TABLET, language="nl-NL") as tablet:
        sign_in(tablet, console, "administrator")
        tablet.goto("/console/connections")
        assert_accessible(tablet)
        assert tablet.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_errors_are_told_where_they_are(console: Console, page: Page) -> None:
    sign_in(page, console, "administrator")
    page.goto("/console/connections")
    page.get_by_text("Add an endpoint").click()
    page.get_by_label("URL").fill("http://example.com/hooks")
    page.get_by_label("What it is for").fill("the returns system")
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("What it is for")).to_have_value("the returns system")
    assert_accessible(page)

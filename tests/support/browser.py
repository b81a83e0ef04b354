"""Real pages in a real Chromium: signing in, and what axe finds.

The browser is the machine's own; nothing downloads one. Tests that need it skip, saying so, where there is none.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.console import Console

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDE = (1360, 900)
TABLET = (820, 1180)
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, without a window."""
    assert CHROMIUM is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser,
    console: Console,
    *,
    size: tuple[int, int] = WIDE,
    language: str = "en-GB",
    javascript: bool = True,
    forgiven: tuple[str, ...] = (),
) -> Iterator[Page]:
    """A page of a browser of its own. At the end, nothing may have gone wrong in it: no script, and nothing that the
    content security policy forbids. `forgiven`: parts of messages that a test expects."""
    troubles: list[str] = []
    context = browser.new_context(
        base_url=console.base_url,
        viewport={"width": size[0], "height": size[1]},
        locale=language,
        java_script_enabled=javascript,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    try:
        yield page
        # an answer that is an error is told there, too: those, tests look at themselves
        told = [each for each in troubles if "Failed to load resource" not in each]
        assert [each for each in told if not any(part in each for part in forgiven)] == []
    finally:
        context.close()


def sign_in(page: Page, console: Console, role: str) -> None:
    """Give the page's browser a session of the one person of a role."""
    use_session(page.context, console, console.signed_in(console.of(role).person).token)


def use_session(context: BrowserContext, console: Console, token: str) -> None:
    """Give a browser a session."""
    context.add_cookies([{"name": "returnwise", "value": token, "url": console.base_url, "httpOnly": True}])


def assert_accessible(page: Page, *, but: tuple[str, ...] = ()) -> None:
    """Axe finds nothing on the page, in either theme. `but`: ids of rules that are no matter here, with a reason where
    it is called."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results = Axe().run(page, options={"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]})
        found = [
            f"{scheme}: {violation['id']} ({violation['impact']}): {violation['help']}\n"
            + "\n".join(f"    {node['html'][:200]}\n    {node['failureSummary']}" for node in violation["nodes"][:5])
            for violation in results.response["violations"]
            if violation["id"] not in but
        ]
        assert not found, page.url + "\n" + "\n".join(found)

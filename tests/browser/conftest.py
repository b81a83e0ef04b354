"""The console in a real browser. Without Chromium on the machine these tests skip; nothing downloads one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from serving.app import create_app
from serving.settings import ServingSettings
from tests.support import browser as support
from tests.support.console import Console
from tests.support.service import make_home, running, settings_of


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module. Not for all of them: while Playwright is there, its event loop counts as
    running in this thread, and no other test could start one."""
    if support.CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with support.chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small history and a model."""
    home = tmp_path_factory.mktemp("template")
    make_home(home)
    return home


@pytest.fixture(scope="module")
def console(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A running service for the tests of a module."""
    home = Path(shutil.copytree(template, tmp_path_factory.mktemp("browser") / "home"))
    with running(create_app(settings_of(home), ServingSettings(model_poll_seconds=600))) as client:
        console = Console(home, client)
        yield console
        console.close()


@pytest.fixture
def page(chromium: Browser, console: Console) -> Iterator[Page]:
    """A page in a browser of its own, wide, in English; paths are the service's: `page.goto("/console/...")`."""
    with support.opened(chromium, console) as page:
        yield page


@pytest.fixture
def tablet(chromium: Browser, console: Console) -> Iterator[Page]:
    """As `page`, on a tablet."""
    with support.opened(chromium, console, size=support.TABLET) as page:
        yield page

"""The console of a running service, with browsers that are signed in as each role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.app import create_app
from serving.settings import ServingSettings
from tests.support.console import Console, SignedIn
from tests.support.service import running, settings_of


@pytest.fixture(scope="module")
def console(shared_home: Path) -> Iterator[Console]:
    """One console for the tests of a module."""
    app = create_app(settings_of(shared_home), ServingSettings(model_poll_seconds=600))
    with running(app) as client:
        console = Console(shared_home, client)
        yield console
        console.close()


@pytest.fixture
def lead(console: Console) -> SignedIn:
    """The browser of a lead, who may do most with cases."""
    return console.of("lead")


@pytest.fixture
def administrator(console: Console) -> SignedIn:
    """The browser of an administrator."""
    return console.of("administrator")

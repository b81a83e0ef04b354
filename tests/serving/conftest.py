"""One small home, made once; services over copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.app import create_app
from serving.settings import ServingSettings
from tests.support.service import Api, make_home, make_key, running, settings_of


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template")
    make_home(home)
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A home of the test's own."""
    return Path(shutil.copytree(template, tmp_path / "home"))


@pytest.fixture(scope="module")
def shared_home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for the tests of a module."""
    return Path(shutil.copytree(template, tmp_path_factory.mktemp("shared") / "home"))


@pytest.fixture(scope="module")
def api(shared_home: Path) -> Iterator[Api]:
    """The service in this process, with a key for everything."""
    app = create_app(settings_of(shared_home), ServingSettings(model_poll_seconds=600))
    with running(app) as client:
        yield Api(client, make_key(shared_home))

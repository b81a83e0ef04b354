"""A ledger without anything in it, what signs and seals, and a receiver."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.ledger.store import Ledger
from serving.sealing import Sealer
from tests.support.receiver import Receiver, receiver
from tests.support.service import settings_of


@pytest.fixture(scope="session")
def _empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("empty")
    Ledger.open(settings_of(home)).close()
    return home


@pytest.fixture
def ledger(_empty_home: Path, tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(Path(shutil.copytree(_empty_home, tmp_path / "home"))))
    yield ledger
    ledger.close()


@pytest.fixture
def sealer(ledger: Ledger) -> Sealer:
    return Sealer(ledger.hasher)


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as one:
        yield one

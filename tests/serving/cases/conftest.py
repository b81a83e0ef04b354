from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.ledger.store import Ledger
from tests.support.cases import Desk
from tests.support.history import fill, made_up_history
from tests.support.service import settings_of


@pytest.fixture(scope="session")
def few_returns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with some returns, most of which nobody has looked at."""
    home = tmp_path_factory.mktemp("few-returns")
    fill(settings_of(home), made_up_history(12, 6, inspected=0.2))
    return home


@pytest.fixture
def ledger(few_returns: Path, tmp_path: Path) -> Iterator[Ledger]:
    home = Path(shutil.copytree(few_returns, tmp_path / "cases"))
    ledger = Ledger.open(settings_of(home))
    yield ledger
    ledger.close()


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)

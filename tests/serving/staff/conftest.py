from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from features.ledger.store import Ledger
from tests.support.service import settings_of


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[Connection]:
    """A transaction on an empty ledger."""
    ledger = Ledger.open(settings_of(tmp_path))
    with ledger.write() as conn:
        yield conn
    ledger.close()

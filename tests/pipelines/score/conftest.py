"""A home with a ledger and a champion, made once, and a way to score rows with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.clock import DAY
from features.ledger.append import append_rows
from features.ledger.store import Ledger
from tests.support.history import FIRST_DAY
from tests.support.scoring import ORDER, Scoring
from tests.support.service import make_home, settings_of


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("score")
    make_home(home)
    lines = [
        {"order_id": ORDER, "line_id": name, "sku": f"s{name}", "quantity": 2, "unit_price_e4": 200_000}
        for name in "abc"
    ]
    ordered = {"order_id": ORDER, "customer_id": "c1", "ordered_at": (FIRST_DAY + 300) * DAY}
    ledger = Ledger.open(settings_of(home))
    with ledger.write() as conn:
        for table, rows in (("orders", [ordered]), ("order_lines", lines)):
            now = (FIRST_DAY + 400) * DAY
            assert not append_rows(conn, table, rows, live=False, now_us=now, hasher=ledger.hasher).rejects
    ledger.close()
    return home


@pytest.fixture
def scoring(home: Path, tmp_path: Path) -> Scoring:
    return Scoring(home, tmp_path)

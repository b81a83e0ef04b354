"""Returns whose lines state different reasons: the first row speaks for the return, everywhere."""

from __future__ import annotations

import csv
from pathlib import Path

from features.clock import DAY
from features.ledger.append import append_rows
from features.ledger.store import Ledger
from features.ledger.vocabulary import REASONS
from features.request import FIELD_NAMES, assessed_returns
from features.settings import Settings
from pipelines.score.fitting import requests
from pipelines.score.reading import open_returns, read_returns

_NOW = 20_300 * DAY
_REASON = FIELD_NAMES.index("request_reason_code")


def _ledger(home: Path) -> Ledger:
    ledger = Ledger.open(Settings(home=home))
    order = {"order_id": "o", "customer_id": "c", "ordered_at": _NOW - 9 * DAY, "country": "NL", "currency": "EUR"}
    lines = [
        {"order_id": "o", "line_id": n, "sku": n, "quantity": 1, "unit_price_e4": 10_000, "discount_e4": 0}
        for n in ("2", "10")
    ]
    common = {"return_id": "r", "order_id": "o", "requested_at": _NOW - DAY, "quantity": 1, "kind": "return"}
    returns = [
        {**common, "line_id": "2", "reason": "other"},
        {**common, "line_id": "10", "reason": "size_fit"},
    ]
    with ledger.write() as conn:
        for table, rows in (("orders", [order]), ("order_lines", lines), ("returns", returns)):
            outcome = append_rows(conn, table, rows, live=False, now_us=_NOW, hasher=ledger.hasher)
            assert not outcome.rejects
    return ledger


def test_the_training_table_takes_the_first_row(tmp_path: Path) -> None:
    ledger = _ledger(tmp_path)
    with ledger.read() as conn:
        frame = assessed_returns(conn)
    ledger.close()
    assert list(frame["request_reason_code"]) == [REASONS.index("other")]


def test_score_takes_the_first_row_too(tmp_path: Path) -> None:
    ledger = _ledger(tmp_path)
    file = tmp_path / "returns.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["return_id", "order_id", "line_id", "requested_at", "quantity", "reason"])
        writer.writerow(["r", "o", "2", "2025-07-30T00:00:00Z", 1, "other"])
        writer.writerow(["r", "o", "10", "2025-07-30T00:00:00Z", 1, "size_fit"])
    source = open_returns(file)
    returns = read_returns(source, _NOW, None)
    source.close()
    assert returns.rows["r"][0].stated.reason == "other"
    with ledger.read() as conn:
        ((return_id, row),) = requests(conn, returns, None)
    ledger.close()
    assert return_id == "r"
    assert row.values[_REASON] == REASONS.index("other")

"""The real public set, from file to assessed returns, and the page that is made of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.build import build
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.settings import Settings
from pipelines.ingest.run import ingest
from pipelines.real_data import TOP, export_returns, highest, page, read_scored
from pipelines.score import score
from tests.support.histories import make_history
from tests.support.repository import ROOT
from training.registry.promote import promote
from training.run import train

FILE = ROOT.parent / "shared" / "data" / "uci_online_retail_2010_2011.parquet"


def test_the_exported_table_says_what_the_ledger_holds(tmp_path: Path) -> None:
    made = make_history(tmp_path / "home", 4, orders=30)
    count = export_returns(made.ledger, tmp_path / "returns.csv")
    table = pd.read_csv(tmp_path / "returns.csv", dtype=str, keep_default_na=False)
    with made.ledger.read() as conn:
        held = rows(conn, "SELECT return_id, line_id, requested_at, quantity, proof_of_purchase FROM returns")
    assert count == len(table) == len(held) > 10
    said = {
        (row.return_id, row.line_id, pd.Timestamp(row.requested_at).value // 1000, int(row.quantity))
        for row in table.itertuples()
    }
    assert said == {row[:4] for row in held}
    assert set(table["proof_of_purchase"]) == {"", "true", "false"}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the checkout")
def test_the_first_lines_of_the_real_set_end_as_assessed_returns(tmp_path: Path) -> None:
    part = tmp_path / "part.parquet"
    pq.write_table(pq.read_table(FILE).slice(0, 60_000), part)
    settings = Settings(home=tmp_path / "home")
    ingest(part, settings=settings, format="uci-online-retail")
    assert build(settings).returns > 200
    train(settings)
    promote(settings)
    ledger = Ledger.open(settings)
    count = export_returns(ledger, tmp_path / "returns.csv")
    ledger.close()
    score(settings, tmp_path / "returns.csv", tmp_path / "scored.csv")
    scored = read_scored(tmp_path / "scored.csv")
    assert 200 < len(scored) <= count
    cases = highest(settings, scored)
    assert len(cases) == TOP
    assert [case.risk for case in cases] == sorted(scored["risk"], reverse=True)[:TOP]
    assert all(case.reasons for case in cases)
    text = page(scored, cases, {"orders": 1})
    assert f"| returns assessed | {len(scored):,} |" in text
    assert cases[0].return_id in text

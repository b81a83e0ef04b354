"""The real set, where it is there: every one of its lines is accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.settings import Settings
from pipelines.ingest.adapters.online_retail_words import ADJUSTMENTS, is_product
from pipelines.ingest.adapters.uci_online_retail import Cause
from pipelines.ingest.run import ingest
from tests.support.repository import ROOT

FILE = ROOT.parent / "shared" / "data" / "uci_online_retail_2010_2011.parquet"


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the checkout")
def test_every_line_of_the_real_set(
    tmp_path: Path, settings: Settings, dumped: Callable[[Settings], dict[str, list[dict[str, Any]]]]
) -> None:
    report = ingest(FILE, settings=settings, format="uci-online-retail", rejects=tmp_path / "rejects.csv")
    accounting = report.accounting
    assert accounting is not None
    assert report.exit_status == 0
    assert accounting.lines == accounting.ordered + accounting.returned + sum(accounting.refused.values()) == 541_909
    assert (accounting.ordered, accounting.returned) == (391_150, 7_454)
    assert accounting.refused == {
        Cause.DUPLICATE: 5_268,
        Cause.ADJUSTMENT: 3,
        Cause.NO_PRODUCT: 2_941,
        Cause.NOTHING_SOLD: 1_336,
        Cause.NO_PRICE: 1_156,
        Cause.NO_CUSTOMER: 131_549,
        Cause.NEVER_BOUGHT: 1_028,
        Cause.NOTHING_LEFT: 24,
    }
    with (tmp_path / "rejects.csv").open(encoding="utf-8") as file:
        assert sum(1 for _ in file) == 1 + sum(accounting.refused.values())

    state = dumped(settings)
    assert (len(state["orders"]), len(state["order_lines"]), len(state["returns"])) == (18_402, 391_150, 7_891)
    orders = {row["order_no"]: row for row in state["orders"]}
    bought = {(row["order_no"], row["line_id"]): row["quantity"] for row in state["order_lines"]}
    for row in state["returns"]:
        line = row["order_no"], row["line_id"]
        bought[line] -= row["quantity"]
        assert bought[line] >= 0
        assert orders[row["order_no"]]["ordered_at"] <= row["requested_at"]
        assert row["return_id"].endswith("/" + orders[row["order_no"]]["order_id"])

    raw = pd.read_parquet(FILE).drop_duplicates()
    credits = raw[raw["InvoiceNo"].str.startswith("C") & raw["CustomerID"].notna()]
    credits = credits[credits["StockCode"].map(lambda code: is_product(code.upper()) and code not in ADJUSTMENTS)]
    refused = pd.read_csv(tmp_path / "rejects.csv")
    unmatched = refused.loc[refused["reason"].isin([Cause.NEVER_BOUGHT, Cause.NOTHING_LEFT]), "row"].map(json.loads)
    units = sum(row["quantity"] for row in state["returns"]) + accounting.details["units credited beyond those bought"]
    assert units - sum(row["quantity"] for row in unmatched) == -credits["Quantity"].sum()
    assert len(credits) == accounting.returned + len(unmatched)

    again = ingest(FILE, settings=settings, format="uci-online-retail", rejects=tmp_path / "rejects.csv")
    assert all(counts.accepted == 0 and counts.rejected == 0 for counts in again.tables.values())
    assert again.accounting == accounting

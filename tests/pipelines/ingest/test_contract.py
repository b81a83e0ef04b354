"""The contract's one declaration, and what must agree with it: the ledger, the schemas, the documents."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pytest

from features.ledger.append import TABLES as APPENDED
from features.ledger.tables import metadata
from pipelines.ingest.adapters.uci_online_retail import Cause
from pipelines.ingest.contract import TABLES, Column, Kind, Table
from pipelines.ingest.csv_files import LONGEST_LINE
from pipelines.ingest.rejects import HEADER
from pipelines.ingest.schemas import schema, violations
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
COLUMNS = [(table, column) for table in TABLES for column in table.columns]


def section(table: Table) -> dict[str, tuple[bool, str]]:
    """The page's columns of a table: whether required, and what they hold."""
    (body,) = re.findall(rf"### {table.name}\n(.*?)(?=\n##)", PAGE, re.DOTALL)
    rows = re.findall(r"^\| `(\w+)`(\*?) \| (.*) \|$", body, re.MULTILINE)
    return {name: (bool(star), holds) for name, star, holds in rows}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_page_lists_each_tables_columns_in_order(table: Table) -> None:
    listed = [(name, required) for name, (required, _) in section(table).items()]
    assert listed == [(column.name, column.required) for column in table.columns]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{t.name}.{c.name}" for t, c in COLUMNS])
def test_the_page_says_what_a_column_holds(table: Table, column: Column) -> None:
    _, holds = section(table)[column.name]
    if column.kind is Kind.CHOICE:
        stated = holds.split("; absent means")[0]
        assert tuple(re.findall(r"`(\w+)`", stated)) == column.choices
    elif column.kind in (Kind.QUANTITY, Kind.MONEY):
        assert column.low is not None
        assert column.high is not None
        assert f"from {column.low:,.0f} to {column.high:,.0f}" in holds
    elif column.kind in (Kind.ID, Kind.KEY, Kind.TEXT, Kind.TIME):
        assert holds.startswith(column.kind.value)


def test_the_page_names_the_rejects_columns_and_limits() -> None:
    for name in HEADER:
        assert f"| `{name}` |" in PAGE
    assert f"{LONGEST_LINE:,} characters" in PAGE


def test_the_page_names_every_cause() -> None:
    table = PAGE[PAGE.index("| cause | |") :]
    named = re.findall(r"^\| (.+?) \| .*\|$", table, re.MULTILINE)[1:]
    assert [cause for cause in named if cause != "---"] == [str(cause) for cause in Cause]


def test_tables_come_in_the_order_in_which_the_ledger_takes_them() -> None:
    assert tuple(table.name for table in TABLES) == tuple(APPENDED)


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{t.name}.{c.name}" for t, c in COLUMNS])
def test_the_ledger_has_a_place_for_every_column(table: Table, column: Column) -> None:
    stored = set(metadata.tables[table.name].columns.keys())
    name = "order_no" if column.name == "order_id" and table.name != "orders" else column.ledger_name
    assert name in stored


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_schemas_derive_from_the_declaration(table: Table) -> None:
    derived = schema(table)
    assert {name: (c.required, not c.nullable) for name, c in derived.columns.items()} == {
        column.name: (column.required, column.required) for column in table.columns
    }


def test_a_batch_of_another_type_is_a_defect_not_a_reject() -> None:
    orders = TABLES[0]
    frame = pd.DataFrame({"order_id": [1], "customer_id": [1], "ordered_at": [1]})
    with pytest.raises(TypeError, match="orders"):
        violations(orders, frame)
    text = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(["O1"])))
    with pytest.raises(TypeError, match="orders"):
        violations(orders, pd.DataFrame({"order_id": text, "customer_id": text}))

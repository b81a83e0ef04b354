"""The pandera schemas of normalised batches, derived from the contract, and the reasons they give for a refusal."""

from __future__ import annotations

import warnings
from functools import cache

import pandas as pd
import pandera.pandas as pa
import pyarrow
from pandera.errors import SchemaErrors

from pipelines.ingest.contract import TABLES, Column, Kind, Table

_TEXT = pd.ArrowDtype(pyarrow.string())
_DTYPES = {
    Kind.TIME: pd.ArrowDtype(pyarrow.int64()),
    Kind.QUANTITY: pd.ArrowDtype(pyarrow.float64()),
    Kind.MONEY: pd.ArrowDtype(pyarrow.float64()),
    Kind.SHARE: pd.ArrowDtype(pyarrow.float64()),
    Kind.FLAG: pd.ArrowDtype(pyarrow.bool_()),
}
MISSING = "missing"


def _number(value: float | None) -> str:
    return f"{value or 0:,.0f}"


def _is_whole(values: pd.Series) -> pd.Series:
    return values == values.round()


def _checks(column: Column) -> list[pa.Check]:
    """The checks of one column; each check's `error` is the reason that a rejected row is given."""
    bounds = f"not between {_number(column.low)} and {_number(column.high)}"
    match column.kind:
        case Kind.ID | Kind.KEY | Kind.TEXT:
            length = int(column.high or 0)
            return [pa.Check.str_length(max_value=length, error=f"longer than {length} characters")]
        case Kind.CHOICE:
            return [pa.Check.isin(column.choices, error=f"not one of {', '.join(column.choices)}")]
        case Kind.COUNTRY:
            return [pa.Check.str_matches(r"^[A-Z]{2}$", error="not a country code of two capital letters (ISO 3166-1)")]
        case Kind.CURRENCY:
            return [
                pa.Check.str_matches(r"^[A-Z]{3}$", error="not a currency code of three capital letters (ISO 4217)")
            ]
        case Kind.TIME:
            return [pa.Check.ge(column.low, error="before 1970")]
        case Kind.QUANTITY:
            return [
                pa.Check(_is_whole, error="not a whole number"),
                pa.Check.in_range(column.low, column.high, error=bounds),
            ]
        case Kind.MONEY:
            return [pa.Check.in_range(column.low, column.high, error=bounds)]
        case Kind.SHARE:
            return [pa.Check.in_range(column.low, column.high, include_min=False, error="not above 0 and at most 1")]
        case Kind.FLAG:
            return []


@cache
def schema(table: Table) -> pa.DataFrameSchema:
    """The schema of a normalised batch of `table`.

    Text is Arrow strings, times are int64 microseconds since 1970 UTC, numbers float64. Optional
    columns may be absent. Ranges are checked on the numbers as given, before they become integers.
    """
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                _TEXT if column.kind.is_text else _DTYPES[column.kind],
                _checks(column),
                nullable=not column.required,
                required=column.required,
            )
            for column in table.columns
        },
        name=table.name,
        strict=True,
    )


SCHEMAS = {table.name: schema(table) for table in TABLES}


def violations(table: Table, frame: pd.DataFrame) -> dict[tuple[int, str], str]:
    """Reasons by (row position, column) of what in `frame` breaks the contract; empty when all is well."""
    try:
        with warnings.catch_warnings():
            # pandera 0.35 joins the cases of missing values (all of them NA) in a way that pandas 2 deprecates
            warnings.simplefilter("ignore", FutureWarning)
            SCHEMAS[table.name].validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        unplaced = cases[cases["index"].isna()]
        if len(unplaced):  # a wrong dtype or column is a fault of ours, not of a row
            raise TypeError(f"{table.name}: {unplaced.iloc[0].to_dict()}") from None
        found: dict[tuple[int, str], str] = {}
        for position, column, check in zip(cases["index"], cases["column"], cases["check"], strict=True):
            reason = MISSING if check == "not_nullable" else str(check)
            found.setdefault((int(position), str(column)), reason)
        return found
    return {}

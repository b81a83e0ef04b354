"""Tables of figures: raw values for machines, and the words and roundings in which people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from training.evaluation.intervals import Interval

#: How a column is read: whole numbers, a share in percent, a figure of merit, a small one (four decimals), money, and
#: differences of figures, of shares (in points of a percent) and of money.
Kind = Literal["text", "count", "share", "figure", "small", "money", "difference", "points", "money_difference"]
Cell = str | int | float | bool | Interval | None

_NOTHING: Final = "–"
_MINUS: Final = "−"


@dataclass(frozen=True)
class Column:
    """One column: the key of its values in the rows, its heading, and how they are read."""

    key: str
    heading: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """Rows of values by column key. `name` is that of its file; `note` stands below it.

    Two keys of a row are not columns: `strong` (the row that the table is about) and `small` (too few positives to read
    much into).
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]
    note: str = ""

    def cells(self, row: Mapping[str, Cell]) -> list[str]:
        """A row as people read it, in the order of the columns. A row of few positives (`small`) says so."""
        first, *others = (shown(row.get(column.key), column.kind) for column in self.columns)
        return [f"{first} (few)" if row.get("small") else first, *others]

    def split(self) -> dict[str, Any]:
        """Columns and data, as `mlflow.log_table` and pandas (orient `split`) write a table: an interval gives three
        columns, what is not known is null."""
        names = [
            name
            for column in self.columns
            for name in (
                (column.key, f"{column.key}_low", f"{column.key}_high")
                if any(isinstance(row.get(column.key), Interval) for row in self.rows)
                else (column.key,)
            )
        ]
        return {"columns": names, "data": [[_plain(row, name) for name in names] for row in self.rows]}


def _plain(row: Mapping[str, Cell], name: str) -> str | int | float | bool | None:
    value: Cell
    if name in row:
        value = row[name]
        value = value.estimate if isinstance(value, Interval) else value
    else:
        key, _, end = name.rpartition("_")
        whole = row.get(key)
        value = getattr(whole, end) if isinstance(whole, Interval) else None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shown(value: Cell, kind: Kind = "text") -> str:
    """A cell as people read it.

    >>> shown(0.1234, "share"), shown(Interval(0.5, 0.4, 0.625), "figure"), shown(-3.0, "money_difference")
    ('12.3%', '0.500 (0.400 to 0.625)', '−3')
    >>> shown(float("nan"), "figure"), shown(12345, "count"), shown(None)
    ('–', '12,345', '–')
    """
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or _NOTHING
    if isinstance(value, Interval):
        middle = _number(value.estimate, kind)
        return f"{middle} ({_number(value.low, kind)} to {_number(value.high, kind)})" if value.known else middle
    return _number(float(value), kind)


def _number(value: float, kind: Kind) -> str:
    if not math.isfinite(value):
        return _NOTHING
    text = {
        "text": f"{value:g}",
        "count": f"{value:,.0f}",
        "share": f"{value:.1%}",
        "figure": f"{value:.3f}",
        "small": f"{value:.4f}",
        "money": _money(value),
        "difference": f"{value:+.3f}",
        "points": f"{100 * value:+.1f}",
        "money_difference": f"{'+' if value > 0 else ''}{_money(value)}",
    }[kind]
    return text.replace("-", _MINUS)


def _money(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.2f}"

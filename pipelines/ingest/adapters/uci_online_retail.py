"""UCI Online Retail (and Online Retail II) as orders, order lines and returns.

A line of the set is a purchase or, if its invoice begins with C, a credit. Credits become returns of what the same
customer bought before; the set has no deliveries, no reasons and no verdicts. Every line of the input is accounted for
exactly once: it was ordered, it was returned, or it is counted under the first `Cause` that applies.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from rich.progress import Progress

from pipelines.ingest.adapters.online_retail_credits import Credit, Matches, Purchase, match
from pipelines.ingest.adapters.online_retail_files import COLUMNS, UNREAD, Lines, find, read
from pipelines.ingest.adapters.online_retail_words import (
    ADJUSTMENTS,
    COUNTRIES,
    category_of,
    is_adjustment,
    is_product,
)
from pipelines.ingest.batches import RawBatch, shown
from pipelines.ingest.checking import CheckedBatch, check
from pipelines.ingest.contract import ORDER_LINES, ORDERS, RETURNS, Table
from pipelines.ingest.loading import Loader
from pipelines.ingest.progress import advancing
from pipelines.ingest.rejects import Rejected
from pipelines.ingest.report import Accounting
from pipelines.ingest.schemas import MISSING

CURRENCY = "GBP"
CHANNEL = "web"
_MOMENT = pa.timestamp("us", "UTC")
_REJECTS_AT_ONCE = 10_000

Mask = npt.NDArray[np.bool_]


class Cause(enum.StrEnum):
    """Why a line became neither part of an order nor a return. A line counts under the first that applies."""

    UNREADABLE = "cannot be read"
    DUPLICATE = "exact duplicate of an earlier line"
    ADJUSTMENT = "adjustment of the books"
    NO_PRODUCT = "no product: postage, fees, discounts, vouchers, entries by hand"
    NOTHING_SOLD = "quantity of zero or less that is not a credit"
    NOTHING_CREDITED = "credit of a quantity above zero"
    NO_PRICE = "price of zero or less"
    NO_CUSTOMER = "no customer"
    OTHER_CUSTOMER = "customer differs from that of the invoice's first line"
    NEVER_BOUGHT = "credit of an item that the customer had not bought before"
    NOTHING_LEFT = "credit of units that earlier credits had taken back already"
    REFUSED = "breaks the table contract, or contradicts the ledger"


#: Breaches, which make the ingest incomplete; the other causes are what the set is known to hold.
_BREACHES = (Cause.UNREADABLE, Cause.REFUSED)
_CODES = {cause: code for code, cause in enumerate(Cause, 1)}
#: Columns without whose value a line cannot be read, and what is wrong with a value that is there.
_FAULTS = {
    "invoice": "not text",
    "item": "not text",
    "quantity": "not a whole number",
    "moment": "not a time such as 2010-12-01 08:26 or 12/1/2010 8:26",
    "price": "not a number",
}
_FAULT_NAMES = ("", *_FAULTS)


def ingest_online_retail(path: Path, loader: Loader, progress: Progress | None, batch_rows: int) -> None:
    """Reads the set at `path`, a file or a folder with it, and appends it through `loader`.

    Raises:
        IngestError: there is no such file, or it is not of this set.
    """
    file = find(path)
    _Ingest(read(file, progress), loader, progress, batch_rows).run()


@dataclass(frozen=True)
class _Row:
    """A row for the ledger with the input lines (positions in the frame) it came from."""

    values: tuple[Any, ...]
    lines: tuple[int, ...]


class _Ingest:
    def __init__(self, lines: Lines, loader: Loader, progress: Progress | None, batch_rows: int) -> None:
        self.frame = lines.frame
        self.broken = lines.broken
        self.loader = loader
        self.progress = progress
        self.batch_rows = batch_rows
        self.causes = np.zeros(len(self.frame), dtype=np.int8)  # 0: none, ordered or returned
        self.faults = np.zeros(len(self.frame), dtype=np.int8)  # 0: every value can be read
        self.moments = np.zeros(len(self.frame), dtype=np.int64)  # of the line's invoice, microseconds since 1970 UTC
        self.places = np.zeros(len(self.frame), dtype=np.int64)  # of the line among the distinct ones of its invoice

    def run(self) -> None:
        is_credit = _by_value(self.frame["invoice"], lambda invoice: invoice is not None and invoice.startswith("C"))
        self._sort_out(is_credit)
        self._fix_moments_and_places()
        found = self._match(is_credit)
        bought = np.flatnonzero((self.causes == 0) & ~is_credit)
        returns = self._returns(found)
        refused = set(self._append(ORDERS, self._orders(bought)))
        refused.update(self._append(ORDER_LINES, self._order_lines(bought)))
        rows_of = Counter(line for row in returns for line in row.lines)
        lost = Counter(self._append(RETURNS, returns))
        refused.update(line for line, rows in lost.items() if rows == rows_of[line])
        self.causes[list(refused)] = _CODES[Cause.REFUSED]
        self._write_refused()
        self._account(is_credit, found, returns)

    def _mark(self, mask: Mask, cause: Cause) -> None:
        self.causes[mask & (self.causes == 0)] = _CODES[cause]

    def _sort_out(self, is_credit: Mask) -> None:
        """Finds the lines that can be neither a purchase nor a credit."""
        frame = self.frame
        quantity = frame["quantity"].to_numpy()
        price = frame["price"].to_numpy()
        self._find_faults(quantity, price)
        content = frame[list(COLUMNS)]
        item_is_product = _by_value(frame["item"], lambda item: item is not None and is_product(item))
        self._mark(self.faults != 0, Cause.UNREADABLE)
        self._mark(content.duplicated().to_numpy(), Cause.DUPLICATE)
        odd_invoice = _by_value(frame["invoice"], lambda invoice: invoice is not None and is_adjustment(invoice))
        self._mark(odd_invoice | _by_value(frame["item"], lambda item: item in ADJUSTMENTS), Cause.ADJUSTMENT)
        self._mark(~item_is_product, Cause.NO_PRODUCT)
        self._mark(~is_credit & (quantity <= 0), Cause.NOTHING_SOLD)
        self._mark(is_credit & (quantity >= 0), Cause.NOTHING_CREDITED)
        self._mark(price <= 0, Cause.NO_PRICE)
        self._mark(frame["customer"].isna().to_numpy(), Cause.NO_CUSTOMER)
        good = frame[self.causes == 0]
        first = good.groupby("invoice", observed=True)["customer"].transform("first")
        other = np.zeros(len(frame), dtype=bool)
        other[good.index.to_numpy()] = (good["customer"].astype(object) != first.astype(object)).to_numpy()
        self._mark(other, Cause.OTHER_CUSTOMER)

    def _find_faults(self, quantity: npt.NDArray[np.float64], price: npt.NDArray[np.float64]) -> None:
        """The first value of each line that cannot be read, as the number of its fault in `_FAULTS`, from 1."""
        frame = self.frame
        faulty = {
            "invoice": frame["invoice"].isna().to_numpy(),
            "item": frame["item"].isna().to_numpy(),
            "quantity": ~np.isfinite(quantity) | (np.where(np.isfinite(quantity), quantity, 0.0) % 1 != 0),
            "moment": frame["moment"].isna().to_numpy(),
            "price": ~np.isfinite(price),
        }
        for code, column in enumerate(_FAULTS, 1):
            self.faults[faulty[column] & (self.faults == 0)] = code

    def _fix_moments_and_places(self) -> None:
        """One time for each invoice (a few were entered over two minutes), and each line's place in its invoice."""
        frame = self.frame
        good = frame[self.causes == 0]
        moment = good.groupby("invoice", observed=True)["moment"].transform("min")
        self.moments[good.index.to_numpy()] = moment.astype("int64").to_numpy()
        distinct = frame[(self.causes != _CODES[Cause.DUPLICATE]) & frame["invoice"].notna().to_numpy()]
        self.places[distinct.index.to_numpy()] = distinct.groupby("invoice", observed=True).cumcount().to_numpy() + 1

    def _match(self, is_credit: Mask) -> Matches:
        good = self.causes == 0
        found = match(self._each(Purchase, good & ~is_credit), self._each(Credit, good & is_credit))
        self.causes[found.never_bought] = _CODES[Cause.NEVER_BOUGHT]
        self.causes[found.nothing_left] = _CODES[Cause.NOTHING_LEFT]
        return found

    def _each(self, kind: Callable[..., Any], mask: Mask) -> list[Any]:
        positions = np.flatnonzero(mask)
        part = self.frame.iloc[positions]
        quantity = part["quantity"].abs().astype("int64")
        columns = positions, part["customer"], part["item"], self.moments[positions], quantity
        return [kind(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]

    def _orders(self, bought: npt.NDArray[np.intp]) -> list[_Row]:
        part = self.frame.iloc[bought]
        heads = part[~part.duplicated("invoice")]
        heads = heads.iloc[np.argsort(self.moments[heads.index], kind="stable")]
        positions = heads.index.tolist()
        columns = heads["invoice"], heads["customer"], heads["country"]
        return [
            _Row((invoice, customer, int(self.moments[at]), CHANNEL, _country(country), CURRENCY), (at,))
            for at, invoice, customer, country in zip(positions, *(column.tolist() for column in columns), strict=True)
        ]

    def _order_lines(self, bought: npt.NDArray[np.intp]) -> list[_Row]:
        bought = bought[np.argsort(self.moments[bought], kind="stable")]
        part = self.frame.iloc[bought]
        categories = self._categories()
        columns = part["invoice"], part["item"], part["quantity"], part["price"]
        return [
            _Row((invoice, str(self.places[at]), item, quantity, price, categories[item]), (at,))
            for at, invoice, item, quantity, price in zip(
                bought.tolist(), *(column.tolist() for column in columns), strict=True
            )
        ]

    def _categories(self) -> dict[str, str | None]:
        """Category of each item, from its descriptions in purchases, the most frequent first."""
        sold = self.frame.loc[self.causes == 0, ["item", "description"]]
        counts = sold.groupby(["item", "description"], observed=True).size().reset_index(name="lines")
        counts = counts.astype({"item": object, "description": object})
        counts = counts.sort_values(["lines", "description"], ascending=[False, True])
        described = counts.groupby("item")["description"].agg(list).to_dict()
        return {item: category_of(described.get(item, ())) for item in sold["item"].cat.categories}

    def _returns(self, found: Matches) -> list[_Row]:
        """Rows of `returns`: what a credit note takes back of one order's line, in one row."""
        invoices = self.frame["invoice"].astype(object).to_numpy()
        merged: dict[tuple[str, str, str], list[Any]] = {}
        for part in found.parts:
            note, order = invoices[part.credit], invoices[part.purchase]
            key = (f"{note}/{order}", order, str(self.places[part.purchase]))
            row = merged.setdefault(key, [int(self.moments[part.credit]), 0, []])
            row[1] += part.quantity
            row[2].append(part.credit)
        rows = [
            _Row((*key, moment, float(quantity), "other", "return", "refund", CHANNEL), tuple(lines))
            for key, (moment, quantity, lines) in merged.items()
        ]
        return sorted(rows, key=lambda row: row.values[3])

    def _append(self, table: Table, rows: Sequence[_Row]) -> list[int]:
        """Checks and appends rows of one table; gives the input lines of those refused, once for each refused row."""
        lost: list[int] = []
        with advancing(self.progress, table.name, len(rows)) as advance:
            for start in range(0, len(rows), self.batch_rows):
                some = rows[start : start + self.batch_rows]
                raw = RawBatch(range(len(some)), _arrays(table, some), [], start + len(some))
                batch = check(table, "", raw)

                def place(reject: Rejected, some: Sequence[_Row] = some) -> Rejected:
                    lost.extend(some[reject.line].lines)
                    return self._rejected(some[reject.line].lines[0], f"{table.name}: {reject.reason}", reject.column)

                def locate(
                    index: int,
                    column: str,
                    reason: str,
                    batch: CheckedBatch = batch,
                    place: Callable[[Rejected], Rejected] = place,
                ) -> Rejected:
                    return place(batch.reject(index, column, reason))

                self.loader.append(table.name, batch.rows, locate, [place(reject) for reject in batch.rejected])
                advance(start + len(some))
        return lost

    def _rejected(self, at: int, reason: str, column: str = "") -> Rejected:
        line = self.frame.iloc[at : at + 1]
        [content] = self._contents(line)
        return Rejected(str(line["file"].iat[0]), line["line"].tolist()[0], column, reason, content)

    def _write_refused(self) -> None:
        """Lists the lines that became nothing; those that the ledger refused are listed already."""
        self.loader.refuse(
            [Rejected(file, row.line, "", f"{Cause.UNREADABLE}: {row.reason}", row.fields) for file, row in self.broken]
        )
        listed = np.flatnonzero((self.causes != 0) & (self.causes != _CODES[Cause.REFUSED]))
        reasons = {_CODES[cause]: cause for cause in Cause}
        for start in range(0, len(listed), _REJECTS_AT_ONCE):
            some = listed[start : start + _REJECTS_AT_ONCE]
            part = self.frame.iloc[some]
            contents = self._contents(part)
            rejected: dict[bool, list[Rejected]] = {True: [], False: []}
            codes = self.causes[some].tolist(), self.faults[some].tolist()
            for file, line, code, fault, content in zip(
                part["file"], part["line"].tolist(), *codes, contents, strict=True
            ):
                cause = reasons[code]
                column = _FAULT_NAMES[fault]
                reason = f"{cause}: {_FAULTS[column] if content[column] is not None else MISSING}" if column else cause
                rejected[cause not in _BREACHES].append(Rejected(file, line, column, reason, content))
            for expected, some_rejected in rejected.items():
                self.loader.refuse(some_rejected, expected=expected)

    @staticmethod
    def _contents(part: pd.DataFrame) -> list[dict[str, object]]:
        values = part[list(COLUMNS)].astype(object)
        for column, as_read in UNREAD.items():
            unread = part[as_read].astype(object)
            values[column] = values[column].where(unread.isna(), unread)
        rows = values.where(values.notna(), None).itertuples(index=False, name=None)
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]

    def _account(self, is_credit: Mask, found: Matches, returns: Sequence[_Row]) -> None:
        kept = self.causes == 0
        counts = Counter(self.causes.tolist())
        refused = {str(cause): counts[_CODES[cause]] for cause in Cause}
        refused[Cause.UNREADABLE] += len(self.broken)
        parts = Counter(part.credit for part in found.parts)
        countries = self.frame["country"].cat.categories
        self.loader.report.accounting = Accounting(
            lines=len(self.frame) + len(self.broken),
            ordered=int((kept & ~is_credit).sum()),
            returned=int((kept & is_credit).sum()),
            refused={cause: count for cause, count in refused.items() if count},
            details={
                "credit lines spread over several purchases": sum(count > 1 for count in parts.values()),
                "credit lines matched in part": len(found.units_beyond),
                "units credited beyond those bought": sum(found.units_beyond.values()),
                "parts of credit lines": len(found.parts),
                "rows of returns (parts of one note and purchase are one row)": len(returns),
                "returns (one for each credit note and order)": len({row.values[0] for row in returns}),
            },
        )
        unknown = sorted(name for name in countries if name.upper() not in COUNTRIES)
        if unknown:
            self.loader.report.notes.append(f"country names not known, left out: {', '.join(map(shown, unknown))}")


def _by_value(column: pd.Series, test: Callable[[str | None], bool]) -> Mask:
    """The test's answer for every row of a column of categories, asked once per distinct value."""
    answers = np.array([*(test(value) for value in column.cat.categories), test(None)], dtype=bool)
    return answers[column.cat.codes.to_numpy()]  # missing values have code -1: the last answer


def _country(name: object) -> str | None:
    return COUNTRIES.get(name.upper()) if isinstance(name, str) else None


def _arrays(table: Table, rows: Sequence[_Row]) -> dict[str, pa.Array]:
    types = {"ordered_at": _MOMENT, "requested_at": _MOMENT, "quantity": pa.float64(), "unit_price": pa.float64()}
    columns = zip(*(row.values for row in rows), strict=True)
    return {
        name: pa.array(values, types.get(name, pa.string()))
        for name, values in zip(_NAMES[table.name], columns, strict=True)
    }


_NAMES = {
    "orders": ("order_id", "customer_id", "ordered_at", "channel", "country", "currency"),
    "order_lines": ("order_id", "line_id", "sku", "quantity", "unit_price", "category"),
    "returns": (
        "return_id",
        "order_id",
        "line_id",
        "requested_at",
        "quantity",
        "reason",
        "kind",
        "resolution",
        "channel",
    ),
}

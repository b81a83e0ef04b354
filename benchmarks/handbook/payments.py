"""The book's payments as facts: what this project's kernel computes on.

A payment happens and is known at once. Whether it was a fraud is an event of its own: it occurred at the payment and
was recorded seven days later, so that the ledger's second time does what the book does by shifting its windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from features.clock import DAY
from features.history import Facts, History
from features.measures import Columns, Ints

LABEL_DELAY: Final = 7 * DAY
_COLUMNS: Final = ("CUSTOMER_ID", "TERMINAL_ID", "TX_DATETIME", "TX_AMOUNT", "TX_FRAUD")


@dataclass(frozen=True)
class Payments:
    """n card payments in order of time: codes of customer and terminal, moment in microseconds, amount in 1/100 of the
    currency, fraud 0 or 1. Each of shape (n,)."""

    customer: Ints
    terminal: Ints
    at: Ints
    amount: Ints
    fraud: Ints

    def __len__(self) -> int:
        return len(self.at)

    def history(self, **derived: Ints) -> History:
        """The payments as facts of two kinds, `payments` and `labels`; `derived` are further columns of both, (n,)."""
        rows = np.arange(len(self))
        known: Columns = {"occurred_at": self.at, "amount": self.amount, **derived}
        return History(
            rows,
            [],
            {"customer": self.customer, "terminal": self.terminal},
            {},
            {
                "payments": Facts({**known, "recorded_at": self.at}, rows, None),
                "labels": Facts({**known, "recorded_at": self.at + LABEL_DELAY, "fraud": self.fraud}, rows, None),
            },
        )


def read(path: Path) -> Payments:
    """The payments of the published file, in order of time. The column that tells how a fraud was simulated is not
    read."""
    table = pq.read_table(path, columns=list(_COLUMNS))
    customer, terminal, at, amount, fraud = (table.column(name).to_numpy() for name in _COLUMNS)
    order = np.argsort(at, kind="stable")
    return Payments(
        customer[order].astype(np.int64),
        terminal[order].astype(np.int64),
        at[order].astype("datetime64[us]").astype(np.int64),
        np.rint(amount[order] * 100).astype(np.int64),
        fraud[order].astype(np.int64),
    )

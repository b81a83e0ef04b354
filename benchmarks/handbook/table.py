"""From payments to the tables that models are fitted on and asked with, through this project's kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.handbook.declarations import CUSTOMER, SPENDING, TERMINAL
from benchmarks.handbook.payments import Payments
from features.history import History
from features.kernel import many
from features.kernel.one import parties_of
from features.measures import Entity, Ints
from features.signals import ModelFeature

Floats = npt.NDArray[np.float64]

_CHUNK: Final = 100_000
#: Before there is a history, it is as if so many payments of so much had been made.
_FIRST_PAYMENTS: Final = 2
_FIRST_AMOUNT: Final = 50_00


@dataclass(frozen=True)
class Table:
    """Values by name (m,) of the payments at `rows` (m,), which ascend."""

    rows: Ints
    values: dict[str, Floats]

    def X(self, rows: Ints, features: Sequence[ModelFeature]) -> Floats:  # noqa: N802
        """What a model with these features sees of the payments at `rows` (n,), all among the table's: (n, k)."""
        place = np.searchsorted(self.rows, rows)
        values = {name: column[place] for name, column in self.values.items()}
        return np.column_stack([np.asarray(f.value(values), dtype=np.float64) for f in features])


def table(payments: Payments, rows: Ints) -> Table:
    """The declared values of the payments at `rows` (m,), each as of its own moment."""
    usual = usual_amounts(payments)
    # What was usual when a payment was made becomes part of it, as the returns to expect of an order line do
    # (`features.population`): later values may then count the payments that were not.
    multiple = np.rint(100.0 * payments.amount / usual).astype(np.int64)
    history = payments.history(multiple=multiple)
    values = {
        "at": payments.at[rows].astype(np.float64),
        "amount": payments.amount[rows].astype(np.float64),
        "multiple": multiple[rows].astype(np.float64),
        "usual": usual[rows],
    }
    for entity in (CUSTOMER, TERMINAL):
        values |= _values(payments, history, rows, entity)
    return Table(rows, values)


def usual_amounts(payments: Payments) -> Floats:
    """What the customer of each payment usually paid before it, known frauds left out: (n,), 1/100 of the currency."""
    spent = _values(payments, payments.history(), np.arange(len(payments)), SPENDING)
    count = spent["spending_payments_lifetime"] - spent["spending_frauds_lifetime"]
    total = spent["spending_amount_lifetime"] - spent["spending_fraud_amount_lifetime"]
    return (total + _FIRST_PAYMENTS * _FIRST_AMOUNT) / (count + _FIRST_PAYMENTS)


def _values(payments: Payments, history: History, rows: Ints, entity: Entity) -> dict[str, Floats]:
    keys = {"customer": payments.customer[rows], "terminal": payments.terminal[rows]}
    asked = many.Asked(keys, np.full(len(rows), -1), payments.at[rows])
    (by,) = parties_of(entity)
    names = entity.feature_names()
    values = np.empty((len(names), len(rows)))
    for part, answers in many.chunks(history, asked, (entity,), by=by, size=_CHUNK):
        values[:, part] = answers.T
    return dict(zip(names, values, strict=True))

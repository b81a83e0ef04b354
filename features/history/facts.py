"""What a stretch of the ledger looks like in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.measures import Columns, FactKind, Ints


@dataclass(frozen=True)
class Facts:
    """Facts of one kind: columns of integers of equal length n, the order of each as a row of `History.keys`, and who
    returned where that is not who bought (codes like those of the customers; -1: the buyer)."""

    columns: Columns
    order: Ints
    returner: Ints | None

    def __len__(self) -> int:
        return len(self.order)

    def with_reversals(self) -> Facts:
        """Facts of which some are overturned later (`overturned_at`, -1 where not), each of these followed by its
        reversal: the same fact at the same time, counted -1 and recorded when both were known.

        Sums over any window are then right at every moment, before it was overturned and after. The column
        `overturned_at` becomes `counted`, 1 or -1.
        """
        columns = dict(self.columns)
        overturned = columns.pop("overturned_at")
        times = 1 + (overturned >= 0)
        reversal = np.zeros(times.sum(), dtype=np.bool_)
        reversal[np.cumsum(times)[times > 1] - 1] = True
        columns = {name: np.repeat(column, times) for name, column in columns.items()}
        known = np.maximum(columns["recorded_at"], np.repeat(overturned, times))
        columns["recorded_at"] = np.where(reversal, known, columns["recorded_at"])
        columns["counted"] = np.where(reversal, -1, 1).astype(overturned.dtype)
        returner = None if self.returner is None else np.repeat(self.returner, times)
        return Facts(columns, np.repeat(self.order, times), returner)


@dataclass(frozen=True)
class History:
    """Orders and what happened to them.

    `order_nos` is ascending; `order_ids` are the shop's own ids of the same orders, where they have been read.
    `keys[party]` gives each order's code of customer, e-mail, address, payment and device (-1 where it has none); codes
    of `customer` also serve `Facts.returner`. `names[party]` maps a key to its code.
    """

    order_nos: Ints
    order_ids: Sequence[str]
    keys: Mapping[str, Ints]
    names: Mapping[str, dict[str | None, int]]
    facts: Mapping[FactKind, Facts]

    def order_no(self, order_id: str | None) -> int | None:
        """Number of an order of this history."""
        return int(self.order_nos[self.order_ids.index(order_id)]) if order_id in self.order_ids else None

    def part(self, orders: npt.NDArray[np.bool_]) -> History:
        """Only the orders for which the mask (as long as `order_nos`) holds, and their facts; no ids of the shop."""
        order_nos = self.order_nos[orders]
        facts: dict[FactKind, Facts] = {}
        for kind, known in self.facts.items():
            kept = orders[known.order]
            columns = {name: column[kept] for name, column in known.columns.items()}
            facts[kind] = Facts(
                columns,
                np.searchsorted(order_nos, columns["order_no"]),
                None if known.returner is None else known.returner[kept],
            )
        return History(order_nos, [], {party: codes[orders] for party, codes in self.keys.items()}, self.names, facts)

    def fact_keys(self, kind: FactKind, party: str) -> Ints:
        """Code of the party of each fact of a kind."""
        facts = self.facts[kind]
        codes = self.keys[party][facts.order]
        if party == "customer" and facts.returner is not None:
            return np.where(facts.returner >= 0, facts.returner, codes)
        return codes

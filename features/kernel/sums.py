"""Running sums by key: the one sorted look-up that all windowed values are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.measures import Ints


@dataclass(frozen=True)
class Groups:
    """Which rows of an array have which code: rows sorted by code, and where each code starts among them."""

    rows: Ints | None
    starts: Ints

    @classmethod
    def of(cls, codes: Ints, count: int) -> Groups:
        """Groups of `codes` (n,), which lie in [-1, count); -1 is nobody's."""
        rows = None
        if len(codes) and bool((codes[1:] < codes[:-1]).any()):
            rows = np.argsort(codes, kind="stable")
            codes = codes[rows]
        return cls(rows, np.searchsorted(codes, np.arange(count + 1)))

    def rows_of(self, asked: Ints) -> Ints:
        """Rows of the asked codes, which are distinct and not negative; codes beyond the last have none."""
        asked = asked[asked < len(self.starts) - 1]
        first = self.starts[asked]
        lengths = self.starts[asked + 1] - first
        before = np.cumsum(lengths) - lengths
        place = np.repeat(first - before, lengths) + np.arange(int(lengths.sum()))
        return place if self.rows is None else self.rows[place]


def located(codes: Ints, ranks: Ints, asked: Ints, asked_ranks: Ints, span: int) -> tuple[Ints, Ints, Ints]:
    """Order of n facts by (code, rank); for each of m requests where its code starts in that order, and the end of
    its facts with a rank up to the asked one. Ranks lie in [0, span)."""
    keys = codes * span + ranks
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.searchsorted(keys, asked * span, side="left")
    last = np.searchsorted(keys, asked * span + asked_ranks, side="right")
    return order, first, last


def running(codes: Ints, ranks: Ints, table: Ints, asked: Ints, asked_ranks: Ints, span: int) -> Ints:
    """Sums of the rows of `table` (n, k) with the asked code and a rank up to the asked one: shape (m, k)."""
    order, first, last = located(codes, ranks, asked, asked_ranks, span)
    total = np.zeros((len(order) + 1, table.shape[1]), dtype=np.int64)
    np.cumsum(table[order], axis=0, out=total[1:])
    result: Ints = total[last] - total[first]
    return result

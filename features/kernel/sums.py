"""Running sums by key: the one sorted look-up that all windowed values are made of."""

from __future__ import annotations

import numpy as np

from features.measures import Ints


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

"""Values of one key with many orders: its facts are prepared once, brought forward, and summed for any moment.

What `kernel.one` computes for the entity of a single key, from that key's facts alone.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from features.clock import FOREVER, SECOND, window_us
from features.history import History
from features.measures import FACT_KINDS, Age, Entity, FactKind, Ints

Floats = npt.NDArray[np.float64]
_FEW = 30  # orders that are found more quickly one by one


class KeyFacts:
    """The facts of one key."""

    def __init__(self, entity: Entity, history: History) -> None:
        """`history` holds the key's orders and no others."""
        self._entity = entity
        self._lengths = np.array([window_us(window) for window in entity.windows], dtype=np.int64)
        self._kinds = {kind: _Rows.of(entity, kind, history) for kind in FACT_KINDS if _wanted(entity, kind)}
        self._orders = _Rows.of_orders(entity, history)
        self._count = len(entity.feature_names())

    def replace(self, order_nos: Collection[int], history: History) -> None:
        """Forgets the facts of some orders and takes those that `history` has of them instead.

        Its codes must be those of the history before it (`features.history.of_orders`).
        """
        for kind, rows in self._kinds.items():
            rows.replace(order_nos, _Rows.of(self._entity, kind, history))
        self._orders.replace(order_nos, _Rows.of_orders(self._entity, history))

    def values(self, moment: int) -> Floats:
        """In the order of `entity.feature_names()`; NaN for an age without a fact."""
        entity, windows = self._entity, len(self._lengths)
        result = np.zeros(self._count, dtype=np.float64)
        starts = (moment - self._lengths)[:, None]
        for kind, rows in self._kinds.items():
            places = _sums_of(entity, kind)
            if places and rows.count:
                within = ((rows.occurred >= starts) & (rows.recorded < moment)).astype(np.float64)
                targets = np.array(places)[:, None] * windows + np.arange(windows)
                # Sums of integers below 2**53 are exact in float64, and BLAS adds them much faster than int64 loops.
                result[targets] = (within @ rows.measured[:, : len(places)]).T
        orders = self._orders
        known = orders.recorded < moment
        for number in range(len(entity.distincts)):
            codes = orders.measured[known, number].astype(np.int64) + 1  # 0: none
            latest = np.full(int(codes.max(initial=0)) + 1, -FOREVER, dtype=np.int64)
            np.maximum.at(latest, codes, orders.occurred[known])
            place = (len(entity.measures) + number) * windows
            result[place : place + windows] = (latest[1:] >= np.maximum(starts, 1 - FOREVER)).sum(axis=1)
        for number, age in enumerate(entity.ages):
            result[self._count - len(entity.ages) + number] = self._age(age, moment)
        return result

    def _age(self, age: Age, moment: int) -> float:
        rows = self._kinds[age.facts]
        counted = rows.measured[:, rows.measured.shape[1] - 1 - _ages_of(self._entity, age.facts)[::-1].index(age)]
        occurred = rows.occurred[(rows.recorded < moment) & (counted > 0)]
        if not len(occurred):
            return np.nan
        return (moment - int(occurred.max() if age.end == "last" else occurred.min())) // SECOND


def _sums_of(entity: Entity, kind: FactKind) -> list[int]:
    return [place for place, measure in enumerate(entity.measures) if measure.facts == kind]


def _ages_of(entity: Entity, kind: FactKind) -> list[Age]:
    return [age for age in entity.ages if age.facts == kind]


def _wanted(entity: Entity, kind: FactKind) -> bool:
    return bool(_sums_of(entity, kind) or _ages_of(entity, kind))


class _Rows:
    """Rows of moments and of numbers, with room to grow; a row that is gone is one that is never recorded."""

    def __init__(self, moments: Ints, measured: Floats) -> None:
        """`moments` (3, n): number of the order, when it occurred, when it was recorded; `measured` (n, k)."""
        self.count = moments.shape[1]
        self._moments = moments
        self._measured = measured
        self._gone = 0

    @classmethod
    def of(cls, entity: Entity, kind: FactKind, history: History) -> _Rows:
        """The facts of a kind: a column for each of the entity's measures of it, then 0 or 1 for each of its ages."""
        columns = history.facts[kind].columns
        functions = [entity.measures[place].value for place in _sums_of(entity, kind)]
        conditions = [age.where for age in _ages_of(entity, kind)]
        measured = np.ones((len(history.facts[kind]), len(functions) + len(conditions)), dtype=np.float64)
        for place, function in enumerate([*functions, *conditions]):
            if function is not None:
                measured[:, place] = function(columns)
        return cls(_moments_of(history, kind), measured)

    @classmethod
    def of_orders(cls, entity: Entity, history: History) -> _Rows:
        """The orders: a column with the code for each of the entity's distinct counts, -1 for none."""
        codes = [history.keys[distinct.of] for distinct in entity.distincts]
        return cls(_moments_of(history, "orders"), np.array(codes, dtype=np.float64).reshape(len(codes), -1).T)

    @property
    def occurred(self) -> Ints:
        return self._moments[1, : self.count]

    @property
    def recorded(self) -> Ints:
        return self._moments[2, : self.count]

    @property
    def measured(self) -> Floats:
        return self._measured[: self.count]

    def replace(self, order_nos: Collection[int], by: _Rows) -> None:
        moments = self._moments[:, : self.count]
        if len(order_nos) < _FEW:
            gone = np.concatenate([np.flatnonzero(moments[0] == order_no) for order_no in order_nos])
        else:
            gone = np.flatnonzero(np.isin(moments[0], list(order_nos)))
        if len(gone):
            self._gone += len(gone)
            moments[:, gone] = np.array([[-1], [0], [FOREVER]])
        if self._gone > self.count // 2:
            kept = moments[0] >= 0
            self._moments, self._measured = moments[:, kept], self.measured[kept]
            self.count, self._gone = self._moments.shape[1], 0
        if not by.count:
            return
        room, wanted = self._moments.shape[1], self.count + by.count
        if wanted > room:
            more = max(wanted, 2 * room) - room
            self._moments = np.pad(self._moments, ((0, 0), (0, more)))
            self._measured = np.pad(self._measured, ((0, more), (0, 0)))
        self._moments[:, self.count : wanted] = by._moments[:, : by.count]
        self._measured[self.count : wanted] = by.measured
        self.count = wanted


def _moments_of(history: History, kind: FactKind) -> Ints:
    columns = history.facts[kind].columns
    return np.array([columns["order_no"], columns["occurred_at"], columns["recorded_at"]], dtype=np.int64)

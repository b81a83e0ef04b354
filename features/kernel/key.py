"""Values of one key with many orders at one moment: its facts are prepared once and summed for every moment asked.

What `kernel.one` computes for the entity of a single key, from that key's facts alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.clock import SECOND, window_us
from features.history import History
from features.measures import FACT_KINDS, Entity, Ints

Floats = npt.NDArray[np.float64]


class KeyFacts:
    """The facts of one key, ready to be summed."""

    def __init__(self, entity: Entity, history: History) -> None:
        """`history` holds the key's orders and no others."""
        self._count = len(entity.feature_names())
        self._lengths = np.array([window_us(window) for window in entity.windows], dtype=np.int64)
        self._sums: list[tuple[Ints, Ints, Floats, Ints]] = []
        windows = len(entity.windows)
        for kind in FACT_KINDS:
            places = [place for place, measure in enumerate(entity.measures) if measure.facts == kind]
            columns = history.facts[kind].columns
            if not places or not len(columns["occurred_at"]):
                continue
            # Sums of integers below 2**53 are exact in float64, and BLAS adds them much faster than int64 loops.
            matrix = np.empty((len(columns["occurred_at"]), len(places)), dtype=np.float64)
            for column, place in enumerate(places):
                matrix[:, column] = entity.measures[place].value(columns)
            targets = np.array(places)[:, None] * windows + np.arange(windows)
            self._sums.append((columns["occurred_at"], columns["recorded_at"], matrix, targets))
        self._distincts: list[tuple[Ints, Ints, Ints, int]] = []
        orders = history.facts["orders"].columns
        latest_first = np.argsort(-orders["occurred_at"], kind="stable")
        for number, distinct in enumerate(entity.distincts):
            codes = history.keys[distinct.of][history.facts["orders"].order][latest_first]
            kept = latest_first[codes >= 0]
            place = (len(entity.measures) + number) * windows
            self._distincts.append((codes[codes >= 0], orders["occurred_at"][kept], orders["recorded_at"][kept], place))
        self._ages: list[tuple[Ints, Ints, bool]] = []
        for age in entity.ages:
            columns = history.facts[age.facts].columns
            kept = np.flatnonzero(age.where(columns)) if age.where else np.arange(len(columns["occurred_at"]))
            self._ages.append((columns["occurred_at"][kept], columns["recorded_at"][kept], age.end == "last"))

    def values(self, moment: int) -> Floats:
        """In the order of `entity.feature_names()`; NaN for an age without a fact."""
        result = np.zeros(self._count, dtype=np.float64)
        starts = (moment - self._lengths)[:, None]
        for occurred, recorded, matrix, targets in self._sums:
            within = ((occurred >= starts) & (recorded < moment)).astype(np.float64)
            result[targets] = (within @ matrix).T
        for codes, occurred, recorded, place in self._distincts:
            known = recorded < moment
            _, latest = np.unique(codes[known], return_index=True)
            result[place : place + len(starts)] = (occurred[known][latest] >= starts).sum(axis=1)
        for number, (occurred, recorded, last) in enumerate(self._ages):
            known_at = occurred[recorded < moment]
            end = int(known_at.max() if last else known_at.min()) if len(known_at) else None
            result[self._count - len(self._ages) + number] = np.nan if end is None else (moment - end) // SECOND
        return result

"""Values for whole frames of requests: what training tables and batch scores are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection

from features import declarations, request
from features.clock import DAY
from features.history import PARTIES, History, everything
from features.kernel import many
from features.population import values_at
from features.service import DERIVED, RAW_NAMES

Floats = npt.NDArray[np.float64]


class Frames:
    """Answers frames of requests from one reading of the ledger.

    The days before the latest request must have been pooled (`features.population.close_days`).
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._history = everything(conn)
        self._orders = pd.Index(self._history.order_ids)

    @property
    def history(self) -> History:
        """What was read."""
        return self._history

    def raw(
        self, frame: pd.DataFrame, moments: npt.NDArray[np.int64]
    ) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
        """Values of `RAW_NAMES` in chunks: (row numbers of `frame`, values of shape (rows, len(RAW_NAMES))).

        `frame` has columns of `request.KEYS`; missing ones are keys without history. `moments` are microseconds.
        """
        pooled = [
            values_at(self._conn, entity, _column(frame, entity.keys[0]), moments // DAY)
            for entity in declarations.POOLED
        ]
        for rows, exact in many.chunks(self._history, self._asked(frame, moments)):
            yield rows, np.concatenate([exact, *(table[rows] for table in pooled)], axis=1)

    def vectors(self, frame: pd.DataFrame) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
        """Whole vectors (`service.VECTOR`) in chunks; `frame` as made by `request.assessed_returns`."""
        moments = frame["requested_at"].to_numpy(dtype=np.int64)
        given = frame[list(request.FIELD_NAMES)].to_numpy(dtype=np.float64)
        for rows, raw in self.raw(frame, moments):
            known: dict[str, Any] = dict(zip(RAW_NAMES, raw.T, strict=True))
            known.update(zip(request.FIELD_NAMES, given[rows].T, strict=True))
            derived = [np.asarray(feature.value(known), dtype=np.float64) for feature in DERIVED]
            vectors = np.concatenate([raw, given[rows], np.stack(derived, axis=1)], axis=1)
            yield rows, vectors

    def _asked(self, frame: pd.DataFrame, moments: npt.NDArray[np.int64]) -> many.Asked:
        keys = {}
        for party in PARTIES:
            names = self._history.names[party]
            keys[party] = np.array(
                [-1 if pd.isna(key) else names.get(key, -1) for key in _column(frame, f"{party}_id")], dtype=np.int64
            )
        order = self._orders.get_indexer(pd.Index(_column(frame, "order_id"))).astype(np.int64)
        return many.Asked(keys, order, moments)


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    return frame[name] if name in frame else pd.Series([None] * len(frame), index=frame.index, dtype=object)

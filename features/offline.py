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
from features.history import PARTIES, everything
from features.kernel import many
from features.ledger.sql import batches
from features.population import values_at
from features.service import DERIVED, RAW_NAMES, VECTOR

Floats = npt.NDArray[np.float64]


class Frames:
    """Answers frames of requests from one reading of the ledger.

    The days before the latest request must have been pooled (`features.population.close_days`).
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._history = everything(conn)

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
            vectors = np.empty((len(rows), len(VECTOR)))
            vectors[:, : len(RAW_NAMES)] = raw
            vectors[:, len(RAW_NAMES) : -len(DERIVED)] = given[rows]
            known = dict(zip((*RAW_NAMES, *request.FIELD_NAMES), vectors[:, : -len(DERIVED)].T, strict=True))
            for place, feature in enumerate(DERIVED, start=-len(DERIVED)):
                vectors[:, place] = feature.value(known)
            yield rows, vectors

    def _asked(self, frame: pd.DataFrame, moments: npt.NDArray[np.int64]) -> many.Asked:
        keys = {}
        for party in PARTIES:
            names = pd.Index(list(self._history.names[party]), dtype=object)  # in the order of the codes
            keys[party] = names.get_indexer(_column(frame, f"{party}_id")).astype(np.int64)
        return many.Asked(keys, self._orders(_column(frame, "order_id")), moments)

    def _orders(self, asked: pd.Index[Any]) -> npt.NDArray[np.int64]:
        """Row of each asked order in the history, -1 for unknown ones."""
        codes, names = pd.factorize(asked)
        numbers = np.full(len(names) + 1, -1, dtype=np.int64)
        for batch in batches(self._conn, "SELECT order_no, order_id FROM orders"):
            order_nos, order_ids = zip(*batch, strict=True)
            place = names.get_indexer(pd.Index(order_ids, dtype=object))
            known = place >= 0
            numbers[place[known]] = np.searchsorted(self._history.order_nos, np.array(order_nos)[known])
        result: npt.NDArray[np.int64] = numbers[codes]
        return result


def _column(frame: pd.DataFrame, name: str) -> pd.Index[Any]:
    """A column of ids, or nothing but missing ones where the frame lacks it."""
    return pd.Index(frame[name] if name in frame else [None] * len(frame), dtype=object)

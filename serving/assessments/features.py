"""The features of a request: the one place where the service meets the feature store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy.engine import Connection

from features.clock import day_of
from features.memory import Memory
from features.online import fetch
from features.repo import feature_store
from features.request import RequestRow
from features.service import SERVICE, VECTOR
from features.settings import Settings

Floats = npt.NDArray[np.float64]

#: Where each value stands in the vector.
POSITION: Final[dict[str, int]] = {name: position for position, name in enumerate(VECTOR)}

_IN_ORDER: Final = itemgetter(*VECTOR)


class FeatureReader:
    """Reads vectors through Feast, within the transaction that will hold the assessment."""

    def __init__(self, settings: Settings) -> None:
        self._store = feature_store(settings)
        self._service = self._store.get_feature_service(SERVICE)
        self._memory = Memory.of_writer()

    def warm(self, conn: Connection) -> None:
        """Reads beforehand what takes longest."""
        self._memory.warm(conn)

    def is_ready(self, conn: Connection, moment: int) -> bool:
        """Whether nothing has to be prepared."""
        return self._memory.is_ready(conn, day_of(moment))

    def prepare(self, conn: Connection, moment: int) -> None:
        """Pools the days before `moment` that are not pooled yet.

        Not part of the assessment that needs it: if that is refused, what was pooled for it stays.
        """
        self._memory.prepare(conn, day_of(moment))

    def read(self, conn: Connection, row: RequestRow) -> Floats:
        """The vector (len(VECTOR),) as of the row's `requested_at`; NaN where a value is not known."""
        values = fetch(self._store, self._service, conn, row, self._memory)
        return np.array(_IN_ORDER(values), dtype=np.float64)

    def tentative(self) -> AbstractContextManager[None]:
        """For a piece of work whose writes are taken back if it ends with an exception: so is what was read in it."""
        return self._memory.tentative()

    def forget(self) -> None:
        """Lets go of everything read so far; for a transaction that was taken back after it was read from."""
        self._memory = Memory.of_writer()

"""The features of a request: the one place where the service meets the feature store."""

from __future__ import annotations

from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt
from feast import FeatureService, FeatureStore
from sqlalchemy.engine import Connection

from features.clock import day_of
from features.online import fetch
from features.population import close_days
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
        self._settings = settings
        self._opened: tuple[FeatureStore, FeatureService] | None = None
        self._open()

    def _open(self) -> tuple[FeatureStore, FeatureService]:
        if self._opened is None:
            store = feature_store(self._settings)
            self._opened = store, store.get_feature_service(SERVICE)
        return self._opened

    def prepare(self, conn: Connection, moment: int) -> None:
        """Pools the days before `moment` that are not pooled yet.

        Not part of the assessment that needs it: if that is refused, what was pooled for it stays.
        """
        close_days(conn, day_of(moment))

    def read(self, conn: Connection, row: RequestRow) -> Floats:
        """The vector (len(VECTOR),) as of the row's `requested_at`; NaN where a value is not known."""
        store, service = self._open()
        values = fetch(store, service, conn, row)
        return np.array([values[name] for name in VECTOR], dtype=np.float64)

    def forget(self) -> None:
        """Lets go of everything read so far; for a transaction that was taken back after it was read from."""
        self._opened = None

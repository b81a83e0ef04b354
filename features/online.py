"""What the API asks for: the whole vector of one request, through Feast."""

from __future__ import annotations

from feast import FeatureService, FeatureStore
from sqlalchemy import Connection

from features.memory import Memory
from features.request import RequestRow
from features.stores.online import LedgerResponse, reading_from


def fetch(
    store: FeatureStore, service: FeatureService, conn: Connection, row: RequestRow, memory: Memory | None = None
) -> dict[str, float]:
    """Values of `service.VECTOR` by name, exactly as of the request's moment; NaN for an age without a fact.

    Reads through `conn`, which must be a write transaction (`Ledger.write`): the first request of a day pools the
    days before it. `memory` is what the caller keeps from one request to the next, prepared for the day of the row.
    """
    with reading_from(conn, memory):
        response = store.get_online_features(features=service, entity_rows=[row.entity_row()])
    if not isinstance(response, LedgerResponse):
        raise TypeError("the feature store must use features.stores.online.LedgerOnlineStore")
    return response.answers[0]

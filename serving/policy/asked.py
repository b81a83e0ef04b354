"""Many requests as the policy sees them, from the columns that features are asked for with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from sqlalchemy.engine import Connection

from features.ledger.append.lookups import select_in
from features.ledger.vocabulary import CHANNELS, KINDS, REASONS
from serving.policy.policy import Facts


class Asked:
    """The columns of `features.request` for some requests, as lists of Python values by their number.

    `frame` has columns of `request.KEYS` and `request.FIELD_NAMES`.
    """

    def __init__(self, conn: Connection, frame: pd.DataFrame) -> None:
        self.kinds = [KINDS[code] for code in frame["request_kind_code"].tolist()]
        self.reasons = [REASONS[code] for code in frame["request_reason_code"].tolist()]
        self.channels = [None if code < 0 else CHANNELS[code] for code in frame["request_order_channel_code"].tolist()]
        self.values: list[int] = frame["request_value"].tolist()
        self.countries = _words(frame["country"])
        self.categories = _words(frame["category"])
        orders = _words(frame["order_id"])
        known = currencies(conn, {order for order in orders if order is not None})
        self.currencies = [known.get(order or "") for order in orders]

    def facts(self, number: int, risk: float, band: str, sufficient: bool) -> Facts:
        """One request with what the model says of it."""
        return Facts(
            self.kinds[number],
            self.reasons[number],
            risk,
            band,
            sufficient,
            self.values[number],
            self.currencies[number],
            self.countries[number],
            self.channels[number],
            self.categories[number],
        )


def currencies(conn: Connection, order_ids: Iterable[str]) -> dict[str, str | None]:
    """order_id -> currency."""
    return {
        row[0]: row[1] for row in select_in(conn, "SELECT order_id, currency FROM orders WHERE order_id IN", order_ids)
    }


def _words(column: pd.Series[Any]) -> list[str | None]:
    return [word if isinstance(word, str) else None for word in column.tolist()]

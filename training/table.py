"""The training table: read from the ledger and, through Feast, from the features as of each request."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from features.clock import day_of
from features.ledger import tables
from features.ledger.store import Ledger
from features.population import close_days
from features.repo import feature_store
from features.request import assessed_returns
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from features.signals import ModelFeature
from training.dataset import DataVersion, Rows, Unchecked, assemble, data_version, pick
from training.errors import TrainingError
from training.labels import read_labels

#: Columns of the entity frame by which results are grouped (`dataset.CONTEXT`).
_GROUPED_BY: Final = (
    "customer_id",
    "country",
    "sku",
    "category",
    "request_kind_code",
    "request_order_channel_code",
    "request_value",
)

#: More returns than this are thinned evenly over time, by a hash of their ids: those with and those without a label.
MAX_LABELLED: Final = 1_000_000
MAX_UNCHECKED: Final = 50_000


@dataclass(frozen=True)
class History:
    """What the ledger says as known at `until` (microseconds): returns as requests, their labels, and its version."""

    returns: pd.DataFrame
    labels: pd.DataFrame
    version: DataVersion
    until: int


def parse_until(until: str | None) -> int | None:
    """A moment in microseconds from a date (the end of that UTC day) or an ISO 8601 time with its zone.

    >>> parse_until("1970-01-01")
    86399999999
    >>> parse_until("1970-01-01T00:00:01+00:00")
    1000000
    """
    if not until:
        return None
    try:
        if len(until) == 10:
            moment = datetime.combine(date.fromisoformat(until), time.max, tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(until)
    except ValueError:
        raise TrainingError(f"{until!r} is no date (2026-06-30) and no ISO 8601 time") from None
    if moment.tzinfo is None:
        raise TrainingError(f"{until!r} is a time without zone; write for instance {until}+00:00")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def read_history(settings: Settings, until: int | None) -> History:
    """Everything that had happened and was known at `until`; without it, all that the ledger holds."""
    ledger = Ledger.open(settings)
    try:
        with ledger.write() as conn:
            version = data_version(conn, until)
            # What is expected of each order line is derived when its day is pooled, and is part of the request rows.
            close_days(conn, day_of(version.recorded_until))
        with ledger.read() as conn:
            moment = version.recorded_until if until is None else until
            known = _recorded(conn, moment)
            returns = assessed_returns(conn, moment)
            labels = read_labels(conn, moment)
    finally:
        ledger.close()
    returns = returns[returns["return_id"].isin(known)].reset_index(drop=True)
    return History(returns, labels[labels["return_id"].isin(known)].reset_index(drop=True), version, moment)


def _recorded(conn: Connection, until: int) -> set[str]:
    """Returns all of whose lines were recorded by `until`: one that is only half known has no true request row."""
    r = tables.returns.c
    late = set(conn.execute(select(r.return_id).where(r.recorded_at > until)).scalars())
    return set(conn.execute(select(r.return_id).where(r.recorded_at <= until)).scalars()) - late


def labelled_rows(settings: Settings, history: History) -> Rows:
    """The returns whose label is known, with their features, in order of time."""
    labels = history.labels[history.labels["label"].notna()]
    returns = history.returns[history.returns["return_id"].isin(set(labels["return_id"]))]
    returns = returns[pick(returns["return_id"].tolist(), MAX_LABELLED)]
    return assemble(with_features(settings, returns), labels, MODEL_FEATURES)


def training_rows(settings: Settings, history: History, at_most: int = MAX_UNCHECKED) -> tuple[Rows, Unchecked]:
    """`labelled_rows`, and about `at_most` of the returns that nobody had looked at, by one reading of the features."""
    labels, returns = history.labels, history.returns
    known = returns["return_id"].isin(set(labels["return_id"][labels["label"].notna()]))
    others = returns[~returns["return_id"].isin(set(labels["return_id"]))]
    some = others[pick(others["return_id"].tolist(), at_most)]
    checked = returns[known]
    checked = checked[pick(checked["return_id"].tolist(), MAX_LABELLED)]
    rows = assemble(with_features(settings, pd.concat([checked, some], ignore_index=True)), labels, MODEL_FEATURES)
    unknown = np.isnan(rows.y)
    return rows.take(~unknown), Unchecked(rows.take(unknown), len(some) / len(others) if len(others) else 1.0)


def sampled_rows(settings: Settings, history: History, at_most: int) -> Rows:
    """About `at_most` returns whatever their label, with their features, in order of time."""
    returns = history.returns[pick(history.returns["return_id"].tolist(), at_most)]
    return assemble(with_features(settings, returns), history.labels, MODEL_FEATURES)


def with_features(
    settings: Settings, returns: pd.DataFrame, features: Sequence[ModelFeature] = MODEL_FEATURES
) -> pd.DataFrame:
    """Returns (as `assessed_returns` gives them) with their features, through Feast."""
    names = [f.name for f in features]
    if returns.empty:
        return pd.DataFrame({"return_id": [], "event_timestamp": pd.to_datetime([], utc=True), **dict.fromkeys(names)})
    store = feature_store(settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Feast's and pandas' own, about each other
        frame = store.get_historical_features(entity_df=returns, features=store.get_feature_service(SERVICE)).to_df()
    missing = [name for name in names if name not in frame]
    if missing:
        raise TrainingError(f"the feature service {SERVICE} does not give {', '.join(missing[:5])}")
    out = frame[[*dict.fromkeys(["return_id", "event_timestamp", *_GROUPED_BY, *names])]].copy()
    out[names] = out[names].astype(np.float64)
    return out

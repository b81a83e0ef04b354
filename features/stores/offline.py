"""Offline store: exact values at any asked moments, computed from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from feast import FeatureView, FileSource, OnDemandFeatureView, RepoConfig
from feast.data_source import DataSource
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel
from feast.saved_dataset import SavedDatasetStorage

from features.clock import day_of
from features.ledger.store import Ledger
from features.offline import Frames
from features.population import close_days
from features.service import RAW_NAMES
from features.settings import Settings

_MOMENT = "event_timestamp"


class LedgerOfflineStoreConfig(FeastConfigBaseModel):
    """Settings in `feature_store.yaml`: where the ledger is."""

    type: Literal["features.stores.offline.LedgerOfflineStore"] = "features.stores.offline.LedgerOfflineStore"
    home: str
    database_url: str


class LedgerRetrievalJob(RetrievalJob):
    """The values of one `get_historical_features`, computed when they are asked for."""

    def __init__(
        self,
        config: RepoConfig,
        frame: pd.DataFrame,
        columns: list[tuple[str, str]],
        on_demand: list[OnDemandFeatureView],
        full_feature_names: bool,
        references: list[str],
    ) -> None:
        self._config = config
        self._frame = frame.reset_index(drop=True)
        self._columns = columns
        self._on_demand = on_demand
        self._full_feature_names = full_feature_names
        self._references = references

    @property
    def full_feature_names(self) -> bool:
        """Whether names carry the view."""
        return self._full_feature_names

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        """Views that Feast computes from what this job reads."""
        return self._on_demand

    @property
    def metadata(self) -> RetrievalMetadata:
        """What was asked."""
        keys = [name for name in self._frame.columns if name != _MOMENT]
        moments = self._frame[_MOMENT]
        return RetrievalMetadata(
            features=self._references, keys=keys, min_event_timestamp=moments.min(), max_event_timestamp=moments.max()
        )

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        moments = pd.to_datetime(self._frame[_MOMENT], utc=True)
        us = moments.to_numpy(dtype="datetime64[us]").astype(np.int64)
        places = [RAW_NAMES.index(name) for _, name in self._columns]
        table = np.empty((len(self._frame), len(places)), dtype=np.float64)
        with _ledger(self._config) as ledger:
            if len(us):
                with ledger.write() as conn:
                    close_days(conn, day_of(int(us.max())))
            with ledger.read() as conn:
                for rows, raw in Frames(conn).raw(self._frame, us):
                    table[rows] = raw[:, places]
        values = pd.DataFrame(table, columns=[shown for shown, _ in self._columns], index=self._frame.index)
        frame: pd.DataFrame = pd.concat([self._frame, values], axis=1)
        return frame

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        return pa.Table.from_pandas(self._to_df_internal(timeout), preserve_index=False)

    def persist(self, storage: SavedDatasetStorage, allow_overwrite: bool = False, timeout: int | None = None) -> None:
        """Saves the result as one Parquet file where `storage` says."""
        path = Path(cast(FileSource, storage.to_data_source()).path)
        if path.exists() and not allow_overwrite:
            raise FileExistsError(f"{path} exists already")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.to_df().to_parquet(path, index=False)


class LedgerOfflineStore(OfflineStore):
    """Feast offline store that computes from the ledger; see `features.kernel.many`."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        **_: Any,
    ) -> RetrievalJob:
        """See `feast.FeatureStore.get_historical_features`; `entity_df` must be a frame with `event_timestamp`."""
        if not isinstance(entity_df, pd.DataFrame):
            raise TypeError("entity_df must be a pandas DataFrame with the join keys and event_timestamp")
        if _MOMENT not in entity_df:
            raise ValueError(f"entity_df lacks the column {_MOMENT}")
        views = {str(view.projection.name_to_use()): view for view in feature_views}  # type: ignore[no-untyped-call]
        columns = []
        for reference in feature_refs:
            view, name = reference.split(":", 1)
            if view in views:
                columns.append((f"{view}__{name}" if full_feature_names else name, name))
                missing = [key for key in views[view].join_keys if key not in entity_df]
                if missing:
                    raise ValueError(f"entity_df lacks the column {missing[0]}, which {view} needs")
        on_demand = OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry)
        return LedgerRetrievalJob(config, entity_df, columns, on_demand, full_feature_names, feature_refs)

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """Refused: the online store reads the ledger itself, so there is nothing to materialise."""
        raise TypeError("nothing to materialise: the online store computes its values from the ledger")

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """Refused: there is no table of feature rows, only the ledger."""
        raise TypeError("there is no table of feature rows; ask get_historical_features for the moments you need")

    @staticmethod
    def offline_write_batch(
        config: RepoConfig, feature_view: FeatureView, table: pa.Table, progress: Callable[[int], Any] | None
    ) -> None:
        """Refused: values come from the ledger alone."""
        raise TypeError("features are computed from the ledger; append events to the ledger instead")


def _ledger(config: RepoConfig) -> _Closing:
    store = config.offline_store
    return _Closing(Ledger.open(Settings(home=Path(store.home), database_url=store.database_url)))


class _Closing:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __enter__(self) -> Ledger:
        return self._ledger

    def __exit__(self, *_: object) -> None:
        self._ledger.close()

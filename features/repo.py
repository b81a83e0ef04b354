"""The feature repository: entities, views and the versioned feature service, as Feast objects made from the
declarations.

`feature_store(settings)` registers them and gives the store; the same store opens from a notebook with
`feast.FeatureStore(repo_path="var/feast")`.
"""

from __future__ import annotations

import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.transformation.pandas_transformation import PandasTransformation
from feast.types import Float64, Int64

from features import request
from features.declarations import ENTITIES
from features.service import DERIVED, RAW_NAMES, REQUEST_SOURCE, SERVICE, SIGNALS_VIEW
from features.settings import Settings

PROJECT = "returnwise"


def _signals(frame: pd.DataFrame) -> pd.DataFrame:
    """Signals of each row: the same functions that the API applies to single values."""
    # Feast also hands over the columns of the entity frame, such as ids, and every name twice.
    values = {name: frame[name].to_numpy(dtype="float64") for name in (*RAW_NAMES, *request.FIELD_NAMES)}
    return pd.DataFrame({feature.name: feature.value(values) for feature in DERIVED}, index=frame.index)


def objects(settings: Settings) -> tuple[list[Any], FeatureService]:
    """Everything to register, and the service."""
    entities = {
        key: Entity(name=key, join_keys=[key], value_type=ValueType.STRING)
        for declared in ENTITIES
        for key in declared.keys
    }
    views = []
    for declared in ENTITIES:
        source = FileSource(name=f"ledger_{declared.name}", path=settings.ledger_url, timestamp_field="event_timestamp")
        views.append(
            FeatureView(
                name=declared.view,
                entities=[entities[key] for key in declared.keys],
                ttl=timedelta(0),
                schema=[Field(name=name, dtype=Int64) for name in declared.feature_names()],
                source=source,
                online=True,
                description=f"{declared.name}: windows {', '.join(declared.windows)}, "
                + ("as of the last midnight UTC" if declared.pooled else "exact to the microsecond"),
            )
        )
    asked = RequestSource(
        name=REQUEST_SOURCE,
        schema=[Field(name=field.name, dtype=Int64, description=field.text) for field in request.FIELDS],
    )
    signals = OnDemandFeatureView(
        name=SIGNALS_VIEW,
        sources=[*views, asked],
        schema=[Field(name=feature.name, dtype=Float64) for feature in DERIVED],
        feature_transformation=PandasTransformation(udf=_signals, udf_string="features.repo._signals"),
        mode="pandas",
        description="what the model sees, made of the views and of the request itself",
    )
    service = FeatureService(name=SERVICE, features=[*views, signals], description="all that an assessment looks at")
    return [*entities.values(), *views, signals, service], service


def feature_store(settings: Settings, *, register: bool = True) -> FeatureStore:
    """The Feast store over the ledger of `settings`, its objects registered."""
    folder = settings.home.resolve() / "feast"
    folder.mkdir(parents=True, exist_ok=True)
    _write_config(folder, settings)
    store = FeatureStore(repo_path=str(folder))
    if register:
        with warnings.catch_warnings():
            # Feast calls on-demand views experimental at every `apply`; the API itself is declared stable.
            warnings.filterwarnings(
                "ignore", message="On demand feature view is an experimental", category=RuntimeWarning
            )
            store.apply(objects(settings)[0])
    return store


def _write_config(folder: Path, settings: Settings) -> None:
    where = {"home": str(settings.home.resolve()), "database_url": settings.database_url}
    config = {
        "project": PROJECT,
        "provider": "local",
        "registry": {"path": str(folder / "registry.db"), "cache_ttl_seconds": 0},
        "offline_store": {"type": "features.stores.offline.LedgerOfflineStore", **where},
        "online_store": {"type": "features.stores.online.LedgerOnlineStore", **where},
        "entity_key_serialization_version": 3,
    }
    path = folder / "feature_store.yaml"
    text = yaml.safe_dump(config, sort_keys=False)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)

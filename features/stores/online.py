"""Online store: values as of the moment of the request, straight from the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from feast import Entity, FeatureService, FeatureView, RepoConfig, utils
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.registry.base_registry import BaseRegistry
from feast.online_response import OnlineResponse
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus, GetOnlineFeaturesResponse
from feast.protos.feast.types.EntityKey_pb2 import EntityKey as EntityKeyProto
from feast.protos.feast.types.Value_pb2 import Value as ValueProto
from feast.repo_config import FeastConfigBaseModel
from feast.type_map import python_values_to_proto_values
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Connection

from features import declarations, request
from features.clock import SECOND, day_of
from features.history import PARTIES, of_keys
from features.kernel import one
from features.ledger.store import Ledger
from features.memory import Memory
from features.population import close_days
from features.service import DERIVED
from features.settings import Settings

_GIVEN: ContextVar[tuple[Connection, Memory | None] | None] = ContextVar("returnwise_connection", default=None)
_DERIVED_NAMES: Final = frozenset(feature.name for feature in DERIVED)
_POOLED_LAYOUT: Final = tuple((entity, entity.keys[0], entity.feature_names()) for entity in declarations.POOLED)


@contextmanager
def reading_from(conn: Connection, memory: Memory | None = None) -> Iterator[None]:
    """Within this block the store reads through `conn`, and so sees what its open transaction has written.

    What it remembers goes to `memory`, which is the caller's to prepare for the day of the request (`Memory.prepare`)
    and to throw away if the transaction is taken back; without one nothing is remembered.
    """
    token = _GIVEN.set((conn, memory))
    try:
        yield
    finally:
        _GIVEN.reset(token)


class LedgerOnlineStoreConfig(FeastConfigBaseModel):
    """Settings in `feature_store.yaml`: where the ledger is."""

    type: Literal["features.stores.online.LedgerOnlineStore"] = "features.stores.online.LedgerOnlineStore"
    home: str
    database_url: str


class LedgerResponse(OnlineResponse):
    """An online response that holds Python values and builds its protobuf form only if somebody asks for it."""

    def __init__(
        self, rows: list[dict[str, Any]], answers: list[dict[str, float]], wanted: tuple[tuple[str, str], ...]
    ) -> None:
        #: For each entity row, every value by its name; NaN where there is none.
        self.answers = answers
        self._rows = rows
        self._wanted = wanted
        self._proto: GetOnlineFeaturesResponse | None = None
        self._feature_types = {}

    def _columns(self) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {}
        for key in self._rows[0] if self._rows else ():
            columns[key] = [row.get(key) for row in self._rows]
        for shown, name in self._wanted:
            column = [answer[name] for answer in self.answers]
            columns[shown] = [None if value != value else value for value in column]
        return columns

    @property
    def proto(self) -> GetOnlineFeaturesResponse:  # type: ignore[override]  # read-only here
        """The response as Feast's own stores give it."""
        if self._proto is None:
            response = GetOnlineFeaturesResponse()
            for name, column in self._columns().items():
                response.metadata.feature_names.val.append(name)
                vector = response.results.add()
                vector.values.extend(python_values_to_proto_values(column))
                vector.statuses.extend(
                    FieldStatus.NULL_VALUE if value is None else FieldStatus.PRESENT for value in column
                )
                vector.event_timestamps.extend([Timestamp()] * len(column))
            self._proto = response
        return self._proto

    def to_dict(self, include_event_timestamps: bool = False) -> dict[str, Any]:
        """Feature name -> list with one value for each entity row."""
        columns = self._columns()
        if not include_event_timestamps:
            return columns
        return {
            key: value
            for name, column in columns.items()
            for key, value in ((name, column), (f"{name}__ts", [0] * len(column)))
        }


class LedgerOnlineStore(OnlineStore):
    """Feast online store that reads the ledger.

    An entity row may carry `requested_at` (microseconds); the values are then those of that moment, else of now.
    Rows without a key have no history under it: counts are 0 and ages `None`.
    """

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        self._memory = Memory()
        self._shown: dict[str, tuple[tuple[str, str], ...]] = {}

    def get_online_features(
        self,
        config: RepoConfig,
        features: list[str] | FeatureService,
        entity_rows: list[dict[str, Any]] | Mapping[str, Any],
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
    ) -> OnlineResponse:
        """See `feast.FeatureStore.get_online_features`."""
        if isinstance(entity_rows, list):
            listed = entity_rows
        else:
            names = list(entity_rows)
            listed = [
                dict(zip(names, values, strict=True))
                for values in zip(*(list(entity_rows[n]) for n in names), strict=True)
            ]
        wanted = self._names(features, registry, project, full_feature_names)
        now = time.time_ns() // 1000
        moments = [now if row.get("requested_at") is None else int(row["requested_at"]) for row in listed]
        with self._reading(config, moments) as (conn, memory):
            answers = [_values(conn, memory, row, at, wanted) for row, at in zip(listed, moments, strict=True)]
        return LedgerResponse(listed, answers, wanted)

    @contextmanager
    def _reading(self, config: RepoConfig, moments: Sequence[int]) -> Iterator[tuple[Connection, Memory]]:
        """A connection on which every day before the moments has been pooled, and what is remembered with it."""
        day = day_of(max(moments, default=0))
        given = _GIVEN.get()
        if given is not None:
            conn, memory = given
            if memory is None:
                memory = Memory()
                if not memory.population.prepare(conn, day):
                    close_days(conn, day)
            yield conn, memory
            return
        if self._ledger is None:
            store = config.online_store
            self._ledger = Ledger.open(Settings(home=Path(store.home), database_url=store.database_url))
        with self._ledger.read() as conn:
            ready = self._memory.population.prepare(conn, day)
            if ready:
                yield conn, self._memory
        if not ready:
            with self._ledger.write() as writer:
                close_days(writer, day)
            with self._ledger.read() as conn:
                yield conn, self._memory

    def _names(
        self, features: list[str] | FeatureService, registry: BaseRegistry, project: str, full: bool
    ) -> tuple[tuple[str, str], ...]:
        """(shown name, name of the value) for each feature asked for."""
        key = f"{features.name if isinstance(features, FeatureService) else features}|{full}"
        known = self._shown.get(key)
        if known is None:
            references = utils._get_features(registry, project, features, allow_cache=True)
            pairs = [reference.split(":", 1) for reference in references]
            known = tuple((f"{view}__{name}" if full else name, name) for view, name in pairs)
            self._shown[key] = known
        return known

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKeyProto],
        requested_features: list[str] | None = None,
    ) -> list[tuple[datetime | None, dict[str, ValueProto] | None]]:
        """Values of one feature view as of now, in Feast's protobuf form."""
        names = requested_features or [field.name for field in table.features]
        wanted = tuple((name, name) for name in names)
        result: list[tuple[datetime | None, dict[str, ValueProto] | None]] = []
        now = datetime.now(tz=UTC)
        moment = int(now.timestamp() * SECOND)
        with self._reading(config, [moment]) as (conn, memory):
            for key in entity_keys:
                row = {name: value.string_val for name, value in zip(key.join_keys, key.entity_values, strict=True)}
                values = _values(conn, memory, row, moment, wanted)
                protos = python_values_to_proto_values([values[name] for name in names])
                result.append((now, dict(zip(names, protos, strict=True))))
        return result

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[tuple[EntityKeyProto, dict[str, ValueProto], datetime, datetime | None]],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Refused: values come from the ledger alone, events go there."""
        raise TypeError("the online store reads the ledger; append events to the ledger instead of writing features")

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Nothing to set up: the ledger's migrations have made its tables."""

    def teardown(self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]) -> None:
        """Nothing to take down: the ledger is not the feature store's to delete."""


def _values(
    conn: Connection, memory: Memory, row: Mapping[str, Any], moment: int, wanted: tuple[tuple[str, str], ...]
) -> dict[str, float]:
    """Every value of one entity row by name."""
    day = day_of(moment)
    keys = {party: row.get(f"{party}_id") for party in PARTIES}
    values = dict(zip(one.NAMES, _exact(conn, memory, keys, row.get("order_id"), moment).tolist(), strict=True))
    for entity, key, names in _POOLED_LAYOUT:
        sums = memory.population.values(conn, entity, row.get(key), day)
        values.update(zip(names, sums.tolist(), strict=True))
    missing = [name for name in request.FIELD_NAMES if row.get(name) is None]
    if not missing:
        values.update((name, float(row[name])) for name in request.FIELD_NAMES)
        values.update((feature.name, feature.value(values)) for feature in DERIVED)
    elif any(name in _DERIVED_NAMES for _, name in wanted):
        raise ValueError(f"the return signals need {missing[0]} in every entity row")
    return values


def _exact(
    conn: Connection, memory: Memory, keys: Mapping[str, str | None], order_id: str | None, moment: int
) -> npt.NDArray[np.float64]:
    busy = memory.busy.take(conn, keys) if memory.busy is not None else {}
    history = of_keys(conn, keys, order_id, without=busy)
    if memory.busy is not None:
        memory.busy.note(conn, keys, history)
    return one.values(history, keys, history.order_no(order_id), moment, busy)

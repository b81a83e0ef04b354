"""What one would otherwise assemble: Feast's feature server, MLflow's model server, and SHAP, called in turn.

The online store is Feast's own SQLite store, filled for the keys that will be asked. It holds just the values that the
model's signals are made of; the signals themselves are computed by the caller, which is kinder to the feature server
than an on-demand view would be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import orjson
import pandas as pd
import yaml
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

from benchmarks.common import Client, say, serving
from features.declarations import ENTITIES
from features.ledger.store import Ledger
from features.offline import Frames
from features.request import FIELD_NAMES, KEYS, assessed_returns
from features.service import MODEL_FEATURES, RAW_NAMES
from features.settings import Settings

_SERVICE = "assembled"


@dataclass
class Assembled:
    """The running stack and what it will be asked."""

    feast_port: int
    mlflow_port: int
    booster: lightgbm.Booster
    frame: pd.DataFrame
    names: tuple[str, ...]

    @classmethod
    @contextmanager
    def running(cls, home: Path, count: int) -> Iterator[Assembled]:
        """Fills the online store for `2 * count + 20` requests and starts both servers on the one server core."""
        settings = Settings(home=home)
        frame, names = _values(settings, 2 * count + 20)
        repo = _repository(home / "assembled", frame, names)
        scripts = Path(sys.executable).parent

        def feast(port: int) -> list[str]:
            line = [str(scripts / "feast"), "-c", str(repo), "serve", "--host", "127.0.0.1", "--port", str(port)]
            return [*line, "--no-access-log", "--workers", "1"]

        def mlflow(port: int) -> list[str]:
            line = [str(scripts / "mlflow"), "models", "serve", "-m", "models:/returnwise-risk@champion"]
            return [*line, "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]

        env = {
            "MLFLOW_TRACKING_URI": settings.tracking_uri,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",  # MLflow starts uvicorn by name
        }
        booster = lightgbm.Booster(model_file=str(next((home / "models").rglob("booster.txt"))))
        with (
            serving(feast, "/health", log=home / "feast.log") as features,
            serving(mlflow, "/ping", env=env, log=home / "mlflow.log") as model,
        ):
            yield cls(features.port, model.port, booster, frame, names)

    def asker(self) -> Callable[[int], None]:
        """One client: features, then the model, then the reasons."""
        feast, mlflow = Client(self.feast_port), Client(self.mlflow_port)
        rows = self.frame.to_dict("records")
        names = [feature.name for feature in MODEL_FEATURES]

        def ask(number: int) -> None:
            row = rows[number]
            status, answer = feast.post(
                "/get-online-features",
                orjson.dumps(
                    {"feature_service": _SERVICE, "entities": {key: [row[key] or ""] for key in KEYS}},
                ),
            )
            if status != 200:
                raise SystemExit(f"feast serve answered {status}: {answer[:500]!r}")
            said = orjson.loads(answer)
            found = {
                name: result["values"][0]
                for name, result in zip(said["metadata"]["feature_names"], said["results"], strict=True)
            }
            values: dict[str, Any] = {name: float(row[name]) for name in FIELD_NAMES}
            values |= {name: np.nan if found[name] is None else found[name] for name in self.names}
            vector = [feature.value(values) for feature in MODEL_FEATURES]
            cells = [None if value != value else value for value in vector]
            status, answer = mlflow.post(
                "/invocations", orjson.dumps({"dataframe_split": {"columns": names, "data": [cells]}})
            )
            if status != 200:
                raise SystemExit(f"mlflow models serve answered {status}: {answer[:500]!r}")
            self.booster.predict(np.array([vector]), pred_contrib=True, num_threads=1)

        return ask


class _Recorder(dict[str, float]):
    """Remembers which values were looked at."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __missing__(self, name: str) -> float:
        self.seen.add(name)
        return 1.0


def _values(settings: Settings, count: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The latest `count` returns with the raw values that the model's signals are made of."""
    recorder = _Recorder()
    for feature in MODEL_FEATURES:
        feature.value(recorder)
    names = tuple(name for name in RAW_NAMES if name in recorder.seen)
    ledger = Ledger.open(settings)
    with ledger.read() as conn:
        frame = assessed_returns(conn).tail(count).reset_index(drop=True)
        table = np.empty((len(frame), len(RAW_NAMES)))
        for numbers, values in Frames(conn).raw(frame, frame["requested_at"].to_numpy(dtype=np.int64)):
            table[numbers] = values
    ledger.close()
    raw = pd.DataFrame(table, columns=list(RAW_NAMES))[list(names)]
    return pd.concat([frame.astype(object).where(frame.notna(), None), raw], axis=1), names


def _repository(folder: Path, frame: pd.DataFrame, names: tuple[str, ...]) -> Path:
    """An ordinary Feast repository with a SQLite online store, filled with one row for each key."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "project": _SERVICE,
        "provider": "local",
        "registry": {"path": str((folder / "registry.db").resolve()), "cache_ttl_seconds": 0},
        "online_store": {"type": "sqlite", "path": str((folder / "online.db").resolve())},
        "offline_store": {"type": "file"},
        "entity_key_serialization_version": 3,
    }
    (folder / "feature_store.yaml").write_text(yaml.safe_dump(config))
    store = FeatureStore(repo_path=str(folder))
    now = datetime.now(tz=UTC)
    entities = {key: Entity(name=key, join_keys=[key], value_type=ValueType.STRING) for key in KEYS}
    views: list[Any] = []
    tables: list[pd.DataFrame] = []
    for declared in ENTITIES:
        own = [name for name in declared.feature_names() if name in names]
        if not own:
            continue
        source = FileSource(path=str(folder / f"{declared.name}.parquet"), timestamp_field="event_timestamp")
        table = frame[[*declared.keys, *own]].copy()
        table[list(declared.keys)] = table[list(declared.keys)].fillna("")
        table[own] = table[own].astype("float64")
        table = table.drop_duplicates(list(declared.keys), keep="last").assign(event_timestamp=now)
        table.to_parquet(folder / f"{declared.name}.parquet")
        view = FeatureView(
            name=declared.view,
            entities=[entities[key] for key in declared.keys],
            ttl=timedelta(0),
            schema=[*(Field(name=name, dtype=Float64) for name in own)],
            source=source,
            online=True,
        )
        views.append(view)
        tables.append(table)
    store.apply([*entities.values(), *views, FeatureService(name=_SERVICE, features=views)])
    for view, table in zip(views, tables, strict=True):
        store.write_to_online_store(view.name, table)
    say(f"assembled stack: {len(names)} values of {len(views)} views in a SQLite online store")
    return folder


__all__ = ["Assembled"]

"""A real MLflow registry in a file, with versions made of small model folders."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from features.risk_model import ModelCard, write_model
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from serving.model.registry import ALIAS, CHALLENGER, MODEL_NAME, _mlflow
from tests.support.models import make_model_folder

NAMES = [feature.name for feature in MODEL_FEATURES]
CATEGORIES = {feature.name: feature.categories for feature in MODEL_FEATURES if feature.categories}


def _client(uri: str) -> Any:
    mlflow = _mlflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


@cache
def _tables() -> bytes:
    """A database with MLflow's tables and nothing in them; MLflow takes long to make one, change after change."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        _client(f"sqlite:///{path}").search_registered_models()
        return path.read_bytes()


def with_mlflow(settings: Settings) -> Settings:
    """The settings, after MLflow's tables were put into their home, as if it had been used before."""
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "mlflow.db").write_bytes(_tables())
    return settings


class TestRegistry:
    """The registry of a home, as a data scientist changes it."""

    __test__ = False

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home.resolve() / "versions"
        self.uri = settings.tracking_uri
        self.client = _client(with_mlflow(settings).tracking_uri)
        self.client.create_registered_model(MODEL_NAME)

    def register(self, seed: int, *, names: Sequence[str] = NAMES, **options: Any) -> str:
        """A new version, whose artifacts hold the model folder as training leaves it. Gives its number."""
        where = self._folder / f"{len(list(self._folder.glob('*'))) + 1}"
        make_model_folder(
            where / "artifacts" / "model",
            list(names),
            feature_service=SERVICE,
            categories={name: words for name, words in CATEGORIES.items() if name in names},
            seed=seed,
            **options,
        )
        return self._create(where)

    def add(self, booster_text: str, card: ModelCard, tags: dict[str, str] | None = None) -> str:
        """A new version of this model. Gives its number."""
        where = self._folder / f"{len(list(self._folder.glob('*'))) + 1}"
        write_model(where / "artifacts" / "model", booster_text, card)
        return self._create(where, tags)

    def _create(self, where: Path, tags: dict[str, str] | None = None) -> str:
        (where / "MLmodel").write_text("flavors: {}\n")
        return str(self.client.create_model_version(MODEL_NAME, source=str(where), tags=tags).version)

    def folder(self, version: str) -> Path:
        """The model folder of a version."""
        return self._folder / version / "artifacts" / "model"

    def champion(self, version: str) -> None:
        self.client.set_registered_model_alias(MODEL_NAME, ALIAS, version)

    def challenger(self, version: str | None) -> None:
        if version is None:
            self.client.delete_registered_model_alias(MODEL_NAME, CHALLENGER)
        else:
            self.client.set_registered_model_alias(MODEL_NAME, CHALLENGER, version)

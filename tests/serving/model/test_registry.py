"""Against a real MLflow registry in a file."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from features.settings import Settings
from serving.model.holder import ModelHolder
from serving.model.registry import ALIAS, MODEL_NAME, Registry, RegistryError
from tests.support.registry import with_mlflow
from tests.support.service import keep_model, settings_of


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from serving.model.registry import _mlflow

    home = tmp_path_factory.mktemp("mlflow")
    mlflow = _mlflow()
    uri = with_mlflow(settings_of(home)).tracking_uri
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.create_registered_model(MODEL_NAME)
    client.home = home
    yield client
    logging.captureWarnings(False)


def register(client: Any, folder: Path) -> str:
    """A new version whose artifacts hold the model folder as training leaves it, and the alias on it."""
    where = client.home / "artifacts" / folder.name
    shutil.copytree(folder, where / "artifacts" / "model")
    (where / "MLmodel").write_text("flavors: {}\n")
    version = str(client.create_model_version(MODEL_NAME, source=str(where)).version)
    client.set_registered_model_alias(MODEL_NAME, ALIAS, version)
    return version


@pytest.fixture
def settings(client: Any, tmp_path: Path) -> Settings:
    return settings_of(tmp_path).model_copy(update={"mlflow_tracking_uri": settings_of(client.home).tracking_uri})


@pytest.mark.filterwarnings("ignore")
def test_the_way_of_a_champion(client: Any, settings: Settings, tmp_path: Path) -> None:
    registry = Registry(settings)
    with pytest.raises(RegistryError, match="champion"):
        registry.champion()

    version = register(client, keep_model(client.home, "first", seed=1))
    champion = registry.champion()
    assert champion.version == version
    folder = registry.fetch(champion)
    assert folder == tmp_path / "models" / f"{version}-{champion.origin}"
    assert sorted(path.name for path in folder.iterdir()) == ["booster.txt", "model.json"]
    assert registry.fetch(champion) == folder
    assert registry.kept() is None
    registry.keep(champion)
    assert registry.kept() == champion

    holder = ModelHolder(settings, poll_seconds=60, start_seconds=10)
    holder.refresh()
    assert holder.current().version == version
    version = register(client, keep_model(client.home, "second", seed=2))
    holder.refresh()
    assert holder.current().version == version
    assert [path.name for path in (tmp_path / "models").iterdir() if path.name.startswith(".fetch")] == []

    file = Path(settings.tracking_uri.removeprefix("sqlite:///"))
    file.rename(file.with_suffix(".away"))
    holder.refresh()
    assert holder.current().version == version
    assert "no model registry" in holder.troubles["registry"]
    assert not file.exists()
    file.with_suffix(".away").rename(file)
    holder.refresh()
    assert holder.troubles == {}

    nothing = client.home / "nothing"
    nothing.mkdir()
    broken = client.create_model_version(MODEL_NAME, source=str(nothing)).version
    client.set_registered_model_alias(MODEL_NAME, ALIAS, broken)
    holder.refresh()
    assert holder.current().version == version
    assert f"version {broken}" in holder.troubles["registry"]


def test_no_registry_yet(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="returnwise train"):
        Registry(settings_of(tmp_path)).champion()
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    settings = settings_of(tmp_path).model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:9"})
    with pytest.raises(RegistryError, match="no answer"):
        Registry(settings).champion()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": "1"}', '{"version": "9", "origin": "gone"}'])
def test_a_damaged_note_of_what_was_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion.json").write_text(text)
    assert Registry(settings_of(tmp_path)).kept() is None

"""The registry's side: which versions are champion and challenger, and their files brought into the home."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import make_url

from features.errors import ReturnwiseError
from features.risk_model import BOOSTER_FILE, CARD_FILE
from features.settings import Settings

MODEL_NAME: Final = "returnwise-risk"
ALIAS: Final = "champion"
CHALLENGER: Final = "challenger"
_POINTER: Final = "champion.json"
#: What MLflow says of an alias that nobody has set, and of a model that nobody has registered.
_ABSENT: Final = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")
_ENVIRONMENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",  # rather ask again soon than wait long
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


class RegistryError(ReturnwiseError):
    """The registry cannot be asked, or has no champion."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered version. `origin` tells it from one of the same number in a registry that was set up anew."""

    version: str
    origin: str


class Registry:
    """Asks MLflow; slow and blocking, for a thread of its own. MLflow is imported on first use."""

    def __init__(self, settings: Settings) -> None:
        self._uri = settings.tracking_uri
        self._folder = settings.home / "models"
        self._client: Any = None

    def champion(self) -> Registered:
        """The version under the alias.

        Raises:
            RegistryError: there is no registry or no champion, or it does not answer.
        """
        try:
            return self._version(ALIAS)
        except RegistryError:
            raise
        except Exception as error:  # whatever MLflow, its store or its HTTP client raise
            raise self._no_answer(ALIAS, error) from error

    def challenger(self) -> Registered | None:
        """The version under the alias `challenger`, if there is one.

        Raises:
            RegistryError: there is no registry, or it does not answer.
        """
        try:
            return self._version(CHALLENGER)
        except RegistryError:
            raise
        except Exception as error:  # whatever MLflow, its store or its HTTP client raise
            if getattr(error, "error_code", None) in _ABSENT:
                return None
            raise self._no_answer(CHALLENGER, error) from error

    def fetch(self, registered: Registered) -> Path:
        """The model folder of a version, downloaded unless it is in the home already.

        Raises:
            RegistryError: the artifacts cannot be had, or hold no model folder.
        """
        folder = self._folder / f"{registered.version}-{registered.origin}"
        if folder.is_dir():
            return folder
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=self._folder) as scratch:
            try:
                self._connected()
                got = _mlflow().artifacts.download_artifacts(
                    artifact_uri=f"models:/{MODEL_NAME}/{registered.version}", dst_path=scratch
                )
            except Exception as error:  # whatever MLflow and the artifact store raise
                cause = f"the artifacts of version {registered.version} cannot be had: {_line(error)}"
                raise RegistryError(cause) from error
            booster = next(iter(sorted(Path(got).rglob(BOOSTER_FILE))), None)
            if booster is None or not (booster.parent / CARD_FILE).is_file():
                raise RegistryError(f"version {registered.version} holds no {BOOSTER_FILE} with a {CARD_FILE}")
            draft = Path(scratch) / "folder"
            draft.mkdir()
            for name in (BOOSTER_FILE, CARD_FILE):
                shutil.copyfile(booster.parent / name, draft / name)
            try:
                draft.rename(folder)
            except OSError:
                if not folder.is_dir():  # another worker was faster
                    raise
        return folder

    def keep(self, champion: Registered) -> None:
        """Remember the version that answers, for a start without the registry."""
        text = json.dumps({"version": champion.version, "origin": champion.origin})
        draft = self._folder / f".{_POINTER}.{os.getpid()}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._folder / _POINTER)

    def kept(self) -> Registered | None:
        """The version that answered last, if its folder is still there."""
        try:
            kept = json.loads((self._folder / _POINTER).read_text(encoding="utf-8"))
            champion = Registered(str(kept["version"]), str(kept["origin"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return champion if (self._folder / f"{champion.version}-{champion.origin}").is_dir() else None

    def _version(self, alias: str) -> Registered:
        found = self._connected().get_model_version_by_alias(MODEL_NAME, alias)
        traits = (found.run_id, found.source, found.creation_timestamp)
        return Registered(str(found.version), hashlib.blake2b(repr(traits).encode(), digest_size=6).hexdigest())

    def _no_answer(self, alias: str, error: Exception) -> RegistryError:
        self._client = None
        return RegistryError(f"no answer about {MODEL_NAME}@{alias}: {_line(error)}")

    def _connected(self) -> Any:
        url = make_url(self._uri) if self._uri.startswith("sqlite") else None
        if url is not None and url.database and not Path(url.database).exists():  # MLflow would make an empty one
            self._client = None
            raise RegistryError("there is no model registry: run `returnwise train` and `returnwise promote`")
        if self._client is None:
            mlflow = _mlflow()
            mlflow.set_tracking_uri(self._uri)
            mlflow.set_registry_uri(self._uri)
            self._client = mlflow.MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        return self._client


def _mlflow() -> Any:
    """MLflow, imported on first use: it takes seconds and is not needed to answer."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own modules warn about each other
        import mlflow
        import mlflow.artifacts
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="mlflow")  # and those that come with use
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    return mlflow


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

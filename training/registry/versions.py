"""Registered versions, read back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from features.risk_model import BOOSTER_FILE, RiskModel
from features.settings import Settings
from training.errors import RegistryError
from training.registry.tracking import MODEL_NAME, client, mlflow, quiet

#: What MLflow's stores answer for a model, version or alias that is not there.
_MISSING: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def load(settings: Settings, which: str) -> tuple[str, RiskModel]:
    """A version by its number or by an alias such as `champion`, and its model.

    Raises `RegistryError` if there is none, or its files cannot be had, and `ModelError` if they are no model.
    """
    tracking = client(settings)
    with quiet(), tempfile.TemporaryDirectory(prefix="returnwise-") as scratch:
        try:
            found = (
                tracking.get_model_version(MODEL_NAME, which)
                if which.isdigit()
                else tracking.get_model_version_by_alias(MODEL_NAME, which)
            )
        except mlflow.MlflowException as e:
            if e.error_code not in _MISSING:
                raise RegistryError(f"the registry cannot be asked about {MODEL_NAME}: {e}") from e
            what = f"version {which}" if which.isdigit() else which
            raise RegistryError(
                f"{MODEL_NAME} has no {what}: run `returnwise train` and `returnwise promote`, or name a version"
            ) from e
        version = str(found.version)
        try:
            got = mlflow.artifacts.download_artifacts(f"models:/{MODEL_NAME}/{version}", dst_path=scratch)
        except (mlflow.MlflowException, OSError) as e:
            raise RegistryError(f"the files of version {version} of {MODEL_NAME} cannot be had: {e}") from e
        booster = next(iter(sorted(Path(got).rglob(BOOSTER_FILE))), None)
        if booster is None:
            raise RegistryError(f"version {version} of {MODEL_NAME} holds no {BOOSTER_FILE}")
        return version, RiskModel.load(booster.parent)

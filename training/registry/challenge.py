"""Which registered version is the challenger: assessed in the shadow by a running service, never shown."""

from __future__ import annotations

from typing import Any

from features.settings import Settings
from training.errors import RegistryError
from training.registry.tracking import CHALLENGER, CHAMPION, MODEL_NAME, client, mlflow, quiet


def challenge(settings: Settings, version: str | int) -> str:
    """Give a version the alias `challenger`; a running service picks it up by itself. Gives the version.

    Raises `RegistryError` if there is no such version, or if it is the champion.
    """
    tracking = client(settings)
    try:
        chosen = str(int(version))
    except ValueError:
        raise RegistryError(f"a version is a whole number, not {version!r}") from None
    with quiet():
        if _aliases(tracking).get(CHAMPION) == chosen:
            raise RegistryError(f"version {chosen} is the champion; a challenger is another version")
        try:
            tracking.get_model_version(MODEL_NAME, chosen)
            tracking.set_registered_model_alias(MODEL_NAME, CHALLENGER, chosen)
        except mlflow.MlflowException as e:
            raise RegistryError(f"cannot make version {chosen} of {MODEL_NAME} the challenger: {e}") from e
    return chosen


def end_challenge(settings: Settings) -> str | None:
    """Take the alias `challenger` away. Gives the version that had it, or `None`."""
    tracking = client(settings)
    with quiet():
        former = _aliases(tracking).get(CHALLENGER)
        if former is not None:
            tracking.delete_registered_model_alias(MODEL_NAME, CHALLENGER)
    return former


def end_challenge_of(tracking: Any, version: str) -> None:
    """Take the alias away if it is on `version`, which has become the champion."""
    if _aliases(tracking).get(CHALLENGER) == version:
        tracking.delete_registered_model_alias(MODEL_NAME, CHALLENGER)


def _aliases(tracking: Any) -> dict[str, str]:
    """Version by alias."""
    try:
        found = tracking.get_registered_model(MODEL_NAME).aliases
    except mlflow.MlflowException as e:
        raise RegistryError(f"no version of {MODEL_NAME} is registered; run `returnwise train` first") from e
    return {alias: str(version) for alias, version in found.items()}

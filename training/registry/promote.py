"""Which registered version is the champion."""

from __future__ import annotations

from features.settings import Settings
from training.errors import RegistryError
from training.registry.challenge import end_challenge_of
from training.registry.tracking import CHAMPION, MODEL_NAME, client, mlflow, quiet


def promote(settings: Settings, version: str | int | None = None) -> str:
    """Give a version (the newest if none is named) the alias `champion`, without any check; a running service picks it
    up by itself. A challenger that is promoted is no challenger any more. `training.gate` judges before it promotes.

    Gives the version. Raises `RegistryError` if there is none.
    """
    chosen = choose(settings, version)
    tracking = client(settings)
    with quiet():
        try:
            tracking.set_registered_model_alias(MODEL_NAME, CHAMPION, chosen)
            end_challenge_of(tracking, chosen)
        except mlflow.MlflowException as e:
            raise RegistryError(f"cannot make version {chosen} of {MODEL_NAME} the champion: {e}") from e
    return chosen


def choose(settings: Settings, version: str | int | None = None) -> str:
    """The version that is meant, the newest if none is named. Raises `RegistryError` if there is none."""
    tracking = client(settings)
    with quiet():
        known = sorted(int(v.version) for v in tracking.search_model_versions(f"name = '{MODEL_NAME}'"))
    if not known:
        raise RegistryError(f"no version of {MODEL_NAME} is registered; run `returnwise train` first")
    try:
        chosen = known[-1] if version is None else int(version)
    except ValueError:
        raise RegistryError(f"a version is a whole number, not {version!r}") from None
    if chosen not in known:
        some = ", ".join(map(str, known[-5:]))
        raise RegistryError(f"{MODEL_NAME} has no version {chosen}; the latest are {some}")
    return str(chosen)

"""MLflow, opened the way this project uses it: quietly, without telemetry, artifacts under the home."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from features.settings import Settings

# Read by MLflow when it is imported: nothing about a retailer's models leaves the machine, and logs stay logs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's own modules warn about each other
    import mlflow as mlflow  # for the other modules of this package, so that all go through here
    import mlflow.data.meta_dataset
    import mlflow.pyfunc
    from mlflow import MlflowClient
    from mlflow.utils.logging_utils import MLFLOW_LOGGING_STREAM

EXPERIMENT: Final = "returnwise"
MODEL_NAME: Final = "returnwise-risk"
CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_NOISY: Final = ("mlflow", "alembic")


@contextmanager
def quiet() -> Iterator[None]:
    """MLflow's warnings about itself and its progress messages are kept off the screen; errors are not."""
    loggers = [logging.getLogger(name) for name in _NOISY]
    levels = [logger.level for logger in loggers]
    speaking = MLFLOW_LOGGING_STREAM.enabled
    try:
        MLFLOW_LOGGING_STREAM.enabled = False
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        MLFLOW_LOGGING_STREAM.enabled = speaking
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def client(settings: Settings) -> MlflowClient:
    """A client of the tracking and registry server of the settings; makes the home if it is a file in it."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with quiet():
        mlflow.set_tracking_uri(settings.tracking_uri)
        mlflow.set_registry_uri(settings.tracking_uri)
        return MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)


def experiment_id(settings: Settings, tracking: MlflowClient) -> str:
    """The experiment of this project, made on first use. A server elsewhere decides itself where artifacts go."""
    found = tracking.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    remote = settings.tracking_uri.startswith(("http:", "https:"))
    location = None if remote else (settings.home.resolve() / "mlartifacts").as_uri()
    return str(tracking.create_experiment(EXPERIMENT, artifact_location=location))


@contextmanager
def run(settings: Settings, name: str) -> Iterator[Any]:
    """A run of the experiment, active for `mlflow.log_...` inside the block.

    Under `mlflow run` the run that MLflow has already opened is used if it is in this experiment; otherwise (it opens
    one wherever its own settings point) a run of our own.
    """
    tracking = client(settings)
    with quiet():
        experiment = experiment_id(settings, tracking)
        given = os.environ.pop("MLFLOW_RUN_ID", None)
        run_id = given if given and _is_ours(tracking, given, experiment) else None
        with mlflow.start_run(run_id=run_id, experiment_id=None if run_id else experiment, run_name=name) as active:
            yield active


def _is_ours(tracking: MlflowClient, run_id: str, experiment: str) -> bool:
    try:
        return str(tracking.get_run(run_id).info.experiment_id) == experiment
    except mlflow.exceptions.MlflowException:
        return False

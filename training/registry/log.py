"""What a run leaves in MLflow: parameters, metrics, model card, plots, the data version, and the registered version."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.risk_model import ModelCard, RiskModel
from features.settings import Settings
from training.dataset import DataVersion
from training.evaluation.card import Card, write
from training.registry.tracking import MODEL_NAME, client, mlflow, quiet, run

#: Distributions that a loaded version needs besides this project, pinned to what it was made with.
_PYFUNC: Final = Path(__file__).with_name("pyfunc_model.py")
_NEEDED: Final = ("lightgbm", "numpy", "pandas", "pydantic")
#: The tag that MLflow shows as the description of a run.
_DESCRIPTION: Final = "mlflow.note.content"


def log_version(
    folder: Path,
    model: RiskModel,
    example: npt.NDArray[np.float64],
    parameters: dict[str, Any],
    metrics: dict[str, float],
    data: DataVersion,
    card: ModelCard,
    moments: Mapping[str, int] | None = None,
) -> str:
    """Log to the active run and register `folder / "model"` as a version; gives its number.

    `example` are a few rows (n, k) of the model's features; `moments` in microseconds (where its stretches begin) are
    written on the version, for those who judge it later.
    """
    mlflow.log_params(parameters)
    mlflow.log_metrics({name: value for name, value in metrics.items() if math.isfinite(value)})
    tags = {"trained_until": card.trained_until, "prior": str(card.prior).lower()}
    tags |= {f"data_{name}": str(value) for name, value in data.tags().items()}
    tags |= {name: str(value) for name, value in (moments or {}).items()}
    mlflow.set_tags(tags)
    mlflow.log_input(_dataset(data), context="training")
    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(_PYFUNC),
        artifacts={"model": str(folder / "model")},
        signature=_signature(model.features),
        input_example=pd.DataFrame(example, columns=list(model.features)),
        pip_requirements=[f"{name}=={metadata.version(name)}" for name in _NEEDED],
        registered_model_name=MODEL_NAME,
    )
    version = str(info.registered_model_version)
    registry = mlflow.MlflowClient()
    for name, value in tags.items():
        registry.set_model_version_tag(MODEL_NAME, version, name, value)
    return version


def log_card(card: Card, version: str | None = None) -> None:
    """Log a model card (`card/`) and its pictures (`plots/`) to the active run; with `version` its summary also as the
    description of that version."""
    with tempfile.TemporaryDirectory(prefix="returnwise-") as folder:
        write(card, Path(folder))
        mlflow.log_artifacts(folder)
    mlflow.set_tag(_DESCRIPTION, card.summary)
    if version is not None:
        told = f"{card.summary} The model card is in its run: card/model_card.html."
        mlflow.MlflowClient().update_model_version(MODEL_NAME, version, description=told)


def log_evaluation(
    settings: Settings,
    card: Card,
    parameters: dict[str, Any],
    metrics: Mapping[str, float],
    data: DataVersion,
    version: str,
) -> str:
    """A run `evaluate` of a registered version, with its card; gives the id of the run."""
    with run(settings, "evaluate") as active:
        mlflow.log_params(parameters)
        mlflow.log_metrics({name: value for name, value in metrics.items() if math.isfinite(value)})
        tags = {f"data_{name}": str(value) for name, value in data.tags().items()}
        mlflow.set_tags(tags | {"evaluated_version": version})
        mlflow.log_input(_dataset(data), context="evaluation")
        log_card(card)
        return str(active.info.run_id)


def log_gate(
    settings: Settings,
    files: Mapping[str, str],
    version: str,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    data: DataVersion,
) -> str:
    """A run `gate` of a registered version, with `files` (text by name) in its folder `gate`; gives its id."""
    with run(settings, "gate") as active:
        mlflow.log_param("judged_version", version)
        mlflow.log_metrics({name: value for name, value in metrics.items() if math.isfinite(value)})
        mlflow.set_tags({f"data_{name}": str(value) for name, value in data.tags().items()} | dict(tags))
        mlflow.log_input(_dataset(data), context="evaluation")
        for name, text in files.items():
            mlflow.log_text(text, f"gate/{name}")
        return str(active.info.run_id)


def describe_version(settings: Settings, version: str, tags: Mapping[str, str], note: str) -> None:
    """Write tags on a registered version, and a note below its description."""
    tracking = client(settings)
    with quiet():
        for name, value in tags.items():
            tracking.set_model_version_tag(MODEL_NAME, version, name, value)
        told = tracking.get_model_version(MODEL_NAME, version).description
        tracking.update_model_version(MODEL_NAME, version, description=f"{told}\n\n{note}" if told else note)


def _signature(names: Sequence[str]) -> Any:
    def columns(of: Sequence[str]) -> Any:
        return mlflow.types.Schema([mlflow.types.ColSpec("double", name) for name in of])

    return mlflow.models.ModelSignature(inputs=columns(names), outputs=columns(["risk"]))


def _dataset(data: DataVersion) -> Any:
    """The ledger's state as an MLflow data set: told by its digest; the rows themselves stay in the ledger."""
    source = mlflow.data.code_dataset_source.CodeDatasetSource(tags={})
    made: Any = mlflow.data.meta_dataset.MetaDataset
    return made(source=source, name="ledger", digest=data.digest)

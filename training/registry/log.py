"""What a run leaves in MLflow: parameters, metrics, plots, the data version, and the registered version."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.risk_model import ModelCard, RiskModel
from training.dataset import DataVersion
from training.registry.tracking import MODEL_NAME, mlflow

#: Distributions that a loaded version needs besides this project, pinned to what it was made with.
_PYFUNC: Final = Path(__file__).with_name("pyfunc_model.py")
_NEEDED: Final = ("lightgbm", "numpy", "pandas", "pydantic")


def log_version(
    folder: Path,
    model: RiskModel,
    example: npt.NDArray[np.float64],
    parameters: dict[str, Any],
    metrics: dict[str, float],
    data: DataVersion,
    card: ModelCard,
) -> str:
    """Log to the active run and register `folder / "model"` as a version; gives its number.

    `folder / "plots"` goes along; `example` are a few rows (n, k) of the model's features.
    """
    mlflow.log_params(parameters)
    mlflow.log_metrics({name: value for name, value in metrics.items() if math.isfinite(value)})
    tags = {"trained_until": card.trained_until, "prior": str(card.prior).lower()}
    tags |= {f"data_{name}": str(value) for name, value in data.tags().items()}
    mlflow.set_tags(tags)
    mlflow.log_input(_dataset(data), context="training")
    mlflow.log_artifacts(str(folder / "plots"), "plots")
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
    client = mlflow.MlflowClient()
    for name, value in tags.items():
        client.set_model_version_tag(MODEL_NAME, version, name, value)
    return version


def _signature(names: Sequence[str]) -> Any:
    def columns(of: Sequence[str]) -> Any:
        return mlflow.types.Schema([mlflow.types.ColSpec("double", name) for name in of])

    return mlflow.models.ModelSignature(inputs=columns(names), outputs=columns(["risk"]))


def _dataset(data: DataVersion) -> Any:
    """The ledger's state as an MLflow data set: told by its digest; the rows themselves stay in the ledger."""
    source = mlflow.data.code_dataset_source.CodeDatasetSource(tags={})
    made: Any = mlflow.data.meta_dataset.MetaDataset
    return made(source=source, name="ledger", digest=data.digest)

"""The model as MLflow's pyfunc sees it. MLflow stores this file itself and runs it on loading; nothing is pickled."""

from __future__ import annotations

from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from features.risk_model import RiskModel


class RiskPythonModel(PythonModel):
    """One column `risk` for rows of the model's features, by name."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read `booster.txt` and `model.json`."""
        self._model = RiskModel.load(context.artifacts["model"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - the signature is MLflow's
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Calibrated probabilities, the same bits as `RiskModel.risk`."""
        rows = model_input[list(self._model.features)].to_numpy(dtype=np.float64, na_value=np.nan)
        return pd.DataFrame({"risk": self._model.risk(rows)})


mlflow.models.set_model(RiskPythonModel())

"""The drift job: judges the latest assessments and random checks, and writes a page, its figures, and a run in MLflow.

It reads what is stored with each assessment and computes no feature again. Nothing in it depends on the clock: days
count back from the latest assessment, so the same ledger and version give the same report.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Connection

from features.clock import DAY
from features.errors import ReturnwiseError
from features.ledger.store import Ledger
from features.risk_model import RiskModel
from features.service import SERVICE, VECTOR
from features.settings import Settings
from serving.assessments import repository
from training.drift import DriftReport, Window, compare, plots
from training.drift.page import render
from training.labels import read_labels
from training.registry import tracking
from training.registry.tracking import mlflow
from training.registry.versions import load

FOLDER: Final = "drift"
PAGE: Final = "report.html"
FIGURES: Final = "report.json"
#: Assessments that are compared; of more, an even choice.
MOST_ROWS: Final = 50_000
_ALL_TIME: Final = 2**62


class DriftError(ReturnwiseError):
    """The assessments cannot be judged; the message says why."""


@dataclass(frozen=True)
class DriftJob:
    """What came out: the report, and where it was written."""

    report: DriftReport
    page: Path
    run_id: str

    def lines(self) -> list[str]:
        """For people: the verdict and where the rest stands."""
        return [*self.report.verdict, f"The page: {self.page}"]


def drift(settings: Settings, *, days: int = 30, against: str = "champion") -> DriftJob:
    """Judge the assessments of the last `days` days against a version (`champion`, another alias, or its number).

    Raises `RegistryError` or `ModelError` if there is no such version, and `DriftError` if its features are not those
    that the service stores.
    """
    found = load(settings, against)
    version, model = found.number, found.model
    ledger = Ledger.open(settings)
    try:
        with ledger.read() as conn:
            window = read_window(conn, model, days)
            labels = read_labels(conn, _ALL_TIME)
    finally:
        ledger.close()
    report = compare(model, version, window, labels)
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / PAGE, render(report))
    _write(folder / FIGURES, json.dumps(report.to_json(), indent=1, allow_nan=False) + "\n")
    return DriftJob(report, folder / PAGE, _log(settings, report, folder, against))


def read_window(conn: Connection, model: RiskModel, days: int) -> Window:
    """The assessments of the last `days` days before the latest one, with the features of `model`."""
    missing = sorted(set(model.features) - set(VECTOR))
    if missing:
        raise DriftError(
            f"the model was trained on features that the service ({SERVICE}) does not store: {', '.join(missing[:5])}"
        )
    at = np.array([VECTOR.index(name) for name in model.features], dtype=np.intp)
    stretch = repository.latest_stretch(conn, days * DAY)
    parts, ids, since, left_out = [np.empty((0, len(at)))], [], stretch.latest, 0
    for batch in repository.seen_in(conn, stretch, MOST_ROWS):
        fit = [row for row in batch if row.feature_service == SERVICE and len(row.vector) == 8 * len(VECTOR)]
        left_out += len(batch) - len(fit)
        vectors = np.frombuffer(b"".join(row.vector for row in fit), dtype="<f8").reshape(len(fit), len(VECTOR))
        parts.append(vectors[:, at])
        ids += [row.return_id for row in fit]
        since = min([since, *(row.assessed_at for row in batch)])
    X = np.ascontiguousarray(np.concatenate(parts), dtype=np.float64)
    return Window(X, np.array(ids, dtype=object), since, stretch.latest, days, stretch.made, left_out)


def _write(path: Path, text: str) -> None:
    """Write a file so that a reader sees the former one or the new one, never half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _log(settings: Settings, report: DriftReport, folder: Path, against: str) -> str:
    """The run `drift`: parameters, figures, page and pictures. Gives its id."""
    with tracking.run(settings, "drift") as run:
        mlflow.log_params({"days": report.window.days, "against": against, "model_version": report.model_version})
        mlflow.log_metrics(report.metrics())
        mlflow.set_tags({"alarm": str(report.alarm).lower(), "verdict": report.verdict[0]})
        mlflow.log_artifact(str(folder / PAGE), "drift")
        mlflow.log_artifact(str(folder / FIGURES), "drift")
        for name, figure in plots.figures(report).items():
            mlflow.log_figure(figure, f"plots/{name}.png")
        return str(run.info.run_id)

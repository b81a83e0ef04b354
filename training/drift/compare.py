"""Comparing live assessments with what a model was trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.clock import DAY
from features.reference import Distribution, ReferenceSample
from features.risk_model import RiskModel
from training.drift import columns
from training.drift.performance import estimate
from training.drift.random_checks import Checks, RandomChecks, chart
from training.drift.report import Checked, ColumnDrift, DriftReport, Strength, Window
from training.drift.verdict import alarms, sentences
from training.errors import TrainingError
from training.table import parse_until

Floats = npt.NDArray[np.float64]

#: Fewer live assessments than this are not compared: noise would hide even a strong shift.
MIN_ROWS: Final = 200
#: Population stability indices from which a shift counts as moderate and as strong, if it is not noise.
MODERATE: Final = 0.1
STRONG: Final = 0.25
#: The probability that a report calls any column at all drifted where none has.
CHANCE: Final = 0.01
#: Rows behind the importance of the features.
_EXPLAINED: Final = 1_000


def compare(model: RiskModel, version: str, window: Window, labels: pd.DataFrame) -> DriftReport:
    """Judge the assessments of a window against a model and the reference on its card.

    `labels` are those of all checked returns, as `training.labels.read_labels` gives them. Risks are those of `model`,
    whichever version answered at the time. Raises `TrainingError` if the window does not hold the model's features.
    """
    if len(window) and window.X.shape[1] != len(model.features):
        raise TrainingError(
            f"the stored vectors give {window.X.shape[1]} features, version {version} has {len(model.features)}"
        )
    usual = model.card.usual
    checks = _random_checks(model, labels)
    report = DriftReport(
        model_version=version,
        trained_until=model.card.trained_until,
        window=window,
        reference_rows=usual.rows if usual else 0,
        reference_since=usual.since if usual else "",
        reference_until=usual.until if usual else "",
        random_checks=checks,
    )
    if usual is not None and len(window) >= MIN_ROWS:
        report = _judged(report, model, usual, labels)
    report = replace(report, alarms=alarms(report, _last_known(labels) - window.days * DAY))
    return replace(report, verdict=sentences(report, MIN_ROWS, prior=model.card.prior))


def _judged(report: DriftReport, model: RiskModel, usual: ReferenceSample, labels: pd.DataFrame) -> DriftReport:
    X = report.window.X
    risk = model.risk(X)
    weight = importance(model, X)
    chance = CHANCE / (len(model.features) + 1)
    features = [
        column_drift(spec.name, spec.family, X[:, i], usual.features[i], usual.rows, chance, weight[i], spec.categories)
        for i, spec in enumerate(model.card.features)
    ]
    order = {"strong": 0, "moderate": 1, "none": 2}
    features.sort(key=lambda f: (order[f.strength], -f.psi, f.name))
    return replace(
        report,
        features=tuple(features),
        score=column_drift("risk", "", risk, usual.risk, usual.rows, chance, 1.0),
        mean_risk=float(risk.mean()),
        performance=() if model.card.prior else estimate(risk, usual.expected or None),
        checked=None if model.card.prior else _checked(report.window, risk, labels),
    )


def column_drift(
    name: str,
    family: str,
    column: Floats,
    usual: Distribution,
    rows: int,
    chance: float,
    weight: float = 0.0,
    categories: tuple[str, ...] | None = None,
) -> ColumnDrift:
    """How far a live column (n,) lies from its reference of `rows` values. It counts as drifted where its index is
    above the written threshold and above what chance would give with probability `chance`."""
    before, now = columns.expected_counts(usual, rows), columns.counts(column, usual)
    numbers = usual.kind == "number"
    index, noise = columns.psi(before, now), columns.psi_noise(before, now, chance, ends=numbers)
    strength: Strength = "none"
    if index > noise:
        strength = "strong" if index >= STRONG else "moderate" if index >= MODERATE else "none"
    known = column[np.isfinite(column)]
    return ColumnDrift(
        name=name,
        family=family,
        strength=strength,
        psi=index,
        noise=noise,
        distance=columns.distance(before, now),
        move=columns.move(usual, column),
        importance=float(weight),
        missing_before=usual.missing,
        missing=float(now[-1] / now.sum()),
        unseen=float(now[:-1][before[:-1] == 0].sum() / now.sum()),
        median_before=usual.quantiles[len(usual.quantiles) // 2] if usual.quantiles else None,
        median=float(np.quantile(known, 0.5, method="inverted_cdf")) if numbers and len(known) else None,
        bins=columns.labels_of(usual, categories),
        before=tuple((before / before.sum()).tolist()),
        now=tuple((now / now.sum()).tolist()),
    )


def importance(model: RiskModel, X: Floats) -> Floats:
    """Each feature's share of what moves the risks of rows (n, k): mean absolute contributions, summing to 1. (k,)."""
    rows = X[np.linspace(0, len(X) - 1, min(len(X), _EXPLAINED)).astype(int)]
    size = np.abs(model.contributions(rows)).mean(axis=0)
    return np.asarray(size / max(float(size.sum()), 1e-12), dtype=np.float64)


def _random_checks(model: RiskModel, labels: pd.DataFrame) -> RandomChecks | None:
    known = labels[labels["label"].notna() & (labels["trigger"] == "random")]
    checks = Checks.of(known["known_at"], known["label"], known["propensity"])
    trained_until = parse_until(model.card.trained_until)
    if trained_until is None:
        return None
    return chart(checks, trained_until, None if model.card.prior else model.base_rate)


def _last_known(labels: pd.DataFrame) -> int:
    return int(labels["known_at"].max()) if len(labels) else 0


def _checked(window: Window, risk: Floats, labels: pd.DataFrame) -> Checked | None:
    """What came of the returns of the window that were checked, beside what their risks said."""
    known = labels[labels["label"].notna()].set_index("return_id")["label"]
    label = known.reindex(window.return_id).to_numpy(dtype=np.float64)
    seen = np.isfinite(label)
    if not seen.any():
        return None
    said, found = risk[seen], label[seen]
    spread = float(np.sqrt((said * (1.0 - said)).sum()))
    apart = float(found.sum() - said.sum())
    return Checked(int(seen.sum()), int(found.sum()), float(said.sum()), apart / spread if spread > 0 else 0.0)

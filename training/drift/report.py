"""What a drift report holds, and how it is written down."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from training.drift.performance import Estimate
from training.drift.random_checks import RandomChecks

Floats = npt.NDArray[np.float64]
Strength = Literal["none", "moderate", "strong"]
AlarmKind = Literal["random_checks", "scores", "features", "performance"]

#: Points of the chart of random checks that go into the report.
_POINTS: Final = 400


@dataclass(frozen=True)
class Window:
    """The live assessments to be judged: `X` (n, k) float64 in the order of the model's features, as they were stored,
    and their `return_id` (n,). They were made from `since` to `until` (microseconds), in the last `days` days; `made`
    is how many there were, of which `X` may hold an even choice, and `left_out` how many could not be read."""

    X: Floats
    return_id: npt.NDArray[np.object_]
    since: int
    until: int
    days: int
    made: int
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.X)


@dataclass(frozen=True)
class ColumnDrift:
    """How far one column (a feature, or the risk) has drifted.

    `psi` counts as drift above `noise` (what chance alone may do, over all columns together) and above the written
    thresholds. `distance` is Jensen and Shannon's, `move` Wasserstein's in standard deviations (numbers only),
    `importance` the column's share of what moves the risks now. `missing` and `unseen` (outside what the reference saw)
    are shares of all values. `bins` names what `before` and `now` hold the shares of.
    """

    name: str
    family: str
    strength: Strength
    psi: float
    noise: float
    distance: float
    move: float | None
    importance: float
    missing_before: float
    missing: float
    unseen: float
    median_before: float | None
    median: float | None
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]


@dataclass(frozen=True)
class Checked:
    """The returns of the window that were checked: how many, in how many something was found, how many their risks said
    there would be, and how far apart these two are in standard deviations."""

    returns: int
    found: int
    expected: float
    deviations: float


@dataclass(frozen=True)
class Alarm:
    """Something that a person should look at now."""

    kind: AlarmKind
    text: str


@dataclass(frozen=True)
class DriftReport:
    """The whole. `features` are sorted by strength; empty, like `score` and `performance`, where there is too little to
    compare or nothing to compare with, which `verdict` then says."""

    model_version: str
    trained_until: str
    window: Window
    reference_rows: int
    reference_since: str
    reference_until: str
    features: tuple[ColumnDrift, ...] = ()
    score: ColumnDrift | None = None
    mean_risk: float | None = None
    performance: tuple[Estimate, ...] = ()
    checked: Checked | None = None
    random_checks: RandomChecks | None = None
    alarms: tuple[Alarm, ...] = ()
    verdict: tuple[str, ...] = ()

    @property
    def alarm(self) -> bool:
        """Whether a person should look now."""
        return bool(self.alarms)

    @property
    def enough(self) -> bool:
        """Whether the window could be compared."""
        return bool(self.features)

    @property
    def state(self) -> Literal["alarm", "calm", "unknown"]:
        """The verdict in a word. Calm is only what was fully judged: features, risks and random checks."""
        if self.alarms:
            return "alarm"
        judged = self.enough and self.random_checks is not None and self.random_checks.enough
        return "calm" if judged else "unknown"

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The features that drifted, strongest first."""
        return tuple(f for f in self.features if f.strength != "none")

    def metrics(self) -> dict[str, float]:
        """Flat figures, for MLflow and for the service's metrics. What is not known is left out."""
        out: dict[str, float | None] = {
            "alarm": float(self.alarm),
            "assessments": float(self.window.made),
            "mean_risk": self.mean_risk,
        }
        if self.features:
            out["features_drifted_share"] = len(self.drifted) / len(self.features)
            out["features_drifted_importance"] = sum(f.importance for f in self.drifted)
            out["features_psi_max"] = max(f.psi for f in self.features)
        if self.score is not None:
            out["score_psi"] = self.score.psi
        out |= {f"estimated_{e.name}": e.value for e in self.performance}
        if self.random_checks is not None and self.random_checks.since is not None:
            since = self.random_checks.since
            out |= {"random_checks": float(since.checks), "random_checks_found_share": since.share}
            out["random_checks_before_share"] = self.random_checks.tested
        return {name: value for name, value in out.items() if value is not None and math.isfinite(value)}

    def to_json(self) -> dict[str, Any]:
        """Everything, in plain values: numbers rounded, times in ISO 8601, what is not known as null."""
        window = {
            "days": self.window.days,
            "since": iso(self.window.since),
            "until": iso(self.window.until),
            "assessments": self.window.made,
            "compared": len(self.window) if self.enough else 0,
            "left_out": self.window.left_out,
        }
        reference = {"rows": self.reference_rows, "since": self.reference_since, "until": self.reference_until}
        made: dict[str, Any] = {
            "format": 1,
            "state": self.state,
            "alarm": self.alarm,
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "verdict": list(self.verdict),
            "enough": self.enough,
            "model_version": self.model_version,
            "trained_until": self.trained_until,
            "window": window,
            "reference": reference,
            "metrics": self.metrics(),
            "score": None if self.score is None else asdict(self.score),
            "features": [asdict(feature) for feature in self.features],
            "performance": [asdict(each) for each in self.performance],
            "checked": None if self.checked is None else asdict(self.checked),
            "random_checks": _chart(self.random_checks),
        }
        plain: dict[str, Any] = _plain(made)
        return plain


def iso(moment: int) -> str:
    """Microseconds since epoch as ISO 8601; empty for 0.

    >>> iso(1_500_000)
    '1970-01-01T00:00:01+00:00'
    """
    return f"{np.datetime64(moment // 1_000_000, 's')}+00:00" if moment else ""


def _chart(chart: RandomChecks | None) -> dict[str, Any] | None:
    if chart is None:
        return None
    kept = np.unique(np.linspace(0, max(len(chart.path) - 1, 0), min(len(chart.path), _POINTS)).astype(int))
    return {
        "before": None if chart.before is None else asdict(chart.before),
        "since": None if chart.since is None else asdict(chart.since),
        "tested": chart.tested,
        "threshold": chart.threshold,
        "one_false_alarm_in_checks": chart.run,
        "alarms": [iso(moment) for moment in chart.alarms],
        "path": [{"at": iso(int(chart.moments[i])), "sum": float(chart.path[i])} for i in kept.tolist()],
        "months": [{"month": name, **asdict(share)} for name, share in chart.months],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value

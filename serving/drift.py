"""The latest drift report, as metrics: read again only when the file has changed.

`returnwise drift` writes the report; the service shows its figures and says how old it is. A report that cannot be read
takes nothing else down.
"""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
from prometheus_client import Gauge

from serving import metrics

_log = logging.getLogger(__name__)

MODE_DRIFT: Final = "drift"  # there is a drift report, but it cannot be read
#: A report has some hundred kilobytes; what is larger is none.
_MOST_BYTES: Final = 8 * 1024 * 1024
#: Gauge -> name of the figure in the report.
_SHOWN: Final[tuple[tuple[Gauge, str], ...]] = (
    (metrics.drift_alarm, "alarm"),
    (metrics.drift_features_share, "features_drifted_share"),
    (metrics.drift_importance_share, "features_drifted_importance"),
    (metrics.drift_psi_max, "features_psi_max"),
    (metrics.drift_estimated_precision, "estimated_precision_at_2"),
)


class DriftFigures(NamedTuple):
    """Figures of a drift report by name, and when it was written (microseconds since 1970 UTC)."""

    written_at: int
    figures: dict[str, float]


class DriftMetrics:
    """Follows `drift/report.json` in a home. `refresh` before metrics are shown."""

    def __init__(self, home: Path) -> None:
        self._path = home / "drift" / "report.json"
        self._seen: tuple[int, int] | None = None
        self._figures: dict[str, float] = {}

    def latest(self) -> DriftFigures | None:
        """The figures of the latest report; None if there is none, or none that can be read."""
        self.refresh()
        if self._seen is None or not self._figures:
            return None
        return DriftFigures(self._seen[0] // 1_000, dict(self._figures))

    def refresh(self) -> None:
        """Look at the file; read it if it is another one than last time. Never raises."""
        age = math.nan
        try:
            stat = self._path.stat()
            if self._seen != (stat.st_mtime_ns, stat.st_size):
                self._seen = (stat.st_mtime_ns, stat.st_size)
                self._figures = {}
                self._figures = _read(self._path, stat.st_size)
                metrics.degraded.labels(MODE_DRIFT).set(0)
            age = max(0.0, time.time() - stat.st_mtime)
        except FileNotFoundError:
            self._seen, self._figures = None, {}
            metrics.degraded.labels(MODE_DRIFT).set(0)
        except (OSError, ValueError) as error:
            _log.warning("the drift report %s cannot be read: %s", self._path, error)
            metrics.degraded.labels(MODE_DRIFT).set(1)
        metrics.drift_report_age_seconds.set(age)
        for gauge, name in _SHOWN:
            gauge.set(self._figures.get(name, math.nan))


def _read(path: Path, size: int) -> dict[str, float]:
    """The figures of a report.

    Raises:
        ValueError: it is none.
    """
    if size > _MOST_BYTES:
        raise ValueError(f"it has {size} bytes")
    content: Any = orjson.loads(path.read_bytes())
    figures = content.get("metrics") if isinstance(content, dict) else None
    if not isinstance(figures, dict):
        raise ValueError("it holds no figures")
    return {str(name): float(value) for name, value in figures.items() if isinstance(value, (int, float))}

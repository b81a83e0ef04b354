"""The written bounds of the gate, read from `bounds.toml` and checked."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from training import bounds
from training.evaluation.metrics import CAPACITIES


class Bounds(BaseModel):
    """What `bounds.toml` says; the file explains each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capacity: float
    min_findings: int = Field(ge=5)
    calibration_error: float = Field(gt=0, lt=1)
    calibration_error_share: float = Field(ge=0)
    min_flagged: int = Field(ge=1)
    one_return_ms: float = Field(gt=0)

    @field_validator("capacity")
    @classmethod
    def _measured(cls, capacity: float) -> float:
        if capacity not in CAPACITIES:
            raise ValueError(f"figures are measured at {', '.join(map(str, CAPACITIES))}")
        return capacity


def read_bounds(path: Path | None = None) -> Bounds:
    """The bounds of a file, by default of the one that Returnwise comes with.

    Raises:
        TrainingError: the file cannot be read, or a bound is missing, unknown or impossible.
    """
    return bounds.read(Bounds, "training.gate", path)

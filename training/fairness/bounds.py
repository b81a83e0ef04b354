"""The written bounds of fairness, read from `bounds.toml` and checked."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from training import bounds


class Bounds(BaseModel):
    """What `bounds.toml` says; the file explains each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_positive_ratio: float = Field(gt=1)
    calibration_gap: float = Field(gt=0, lt=1)
    calibration_gap_share: float = Field(ge=0)
    confidence: float = Field(ge=0.5, lt=1)
    min_effective_size: float = Field(ge=1)
    flag_share: float = Field(gt=0, lt=0.5)


def read_bounds(path: Path | None = None) -> Bounds:
    """The bounds of a file, by default of the one that Returnwise comes with.

    Raises:
        TrainingError: the file cannot be read, or a bound is missing, unknown or impossible.
    """
    return bounds.read(Bounds, "training.fairness", path)

"""What the reasons must hold, read from `bounds.toml` and checked."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from training import bounds


class Bounds(BaseModel):
    """What `bounds.toml` says; the file explains each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    removal_first: float = Field(ge=0, le=1)
    stable_first: float = Field(ge=0, le=1)
    stable_overlap: float = Field(ge=0, le=1)


def read_bounds(path: Path | None = None) -> Bounds:
    """The bounds of a file, by default of the one that Returnwise comes with.

    Raises:
        TrainingError: the file cannot be read, or a bound is missing, unknown or impossible.
    """
    return bounds.read(Bounds, "training.explanation", path)

"""What the reasons must hold, read from `bounds.toml` and checked."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.errors import TrainingError


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
    name = "bounds.toml" if path is None else path.name
    try:
        source = resources.files("training.explanation").joinpath("bounds.toml") if path is None else path
        return Bounds.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"{name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error

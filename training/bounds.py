"""Written bounds: small TOML files beside the code that holds a model to them."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from training.errors import TrainingError

Kind = TypeVar("Kind", bound=BaseModel)


def read(kind: type[Kind], package: str, path: Path | None = None) -> Kind:
    """The bounds of a file, by default of the `bounds.toml` of a package.

    Raises:
        TrainingError: the file cannot be read, or a bound is missing, unknown or impossible.
    """
    name = f"{package.replace('.', '/')}/bounds.toml" if path is None else path.name
    try:
        source = resources.files(package).joinpath("bounds.toml") if path is None else path
        return kind.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"{name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error

"""How long each class of data is kept: read from a written TOML file and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from features.errors import ReturnwiseError

FILE: Final = Path(__file__).with_name("retention.toml")
_MOST_DAYS: Final = 36_500


class RetentionError(ReturnwiseError):
    """The file of periods cannot be used; the message names the place."""


def read_periods(path: Path, classes: frozenset[str]) -> dict[str, int]:
    """Days by class of data.

    Raises:
        RetentionError: the file cannot be read, lacks a class, names one that does not exist, or days are no whole
            number of at least 1.
    """
    try:
        said: Mapping[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RetentionError(f"{path.name}: {error}") from error
    odd = sorted(classes ^ set(said))
    if odd:
        raise RetentionError(f"{path.name}: {odd[0]} is {'missing' if odd[0] in classes else 'no class of data'}")
    return {name: _days(path, name, said[name]) for name in said}


def _days(path: Path, name: str, section: object) -> int:
    if not isinstance(section, dict) or set(section) != {"days"}:
        raise RetentionError(f"{path.name}: {name} must have days, and nothing else")
    days = section["days"]
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= _MOST_DAYS:
        raise RetentionError(f"{path.name}: {name}.days must be a whole number from 1 to {_MOST_DAYS}")
    return days

"""What was left out of the model because it is a protected trait or may stand in for one (`left_out.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.signals import ModelFeature
from training.errors import TrainingError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StandIn(_Part):
    """Something the model must not see, why, and the parts of names that would give it away."""

    name: str = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)
    reason: str = Field(min_length=1)


class LetIn(_Part):
    """Features that look like a stand-in and are used all the same (patterns of their names), and why."""

    features: tuple[str, ...] = Field(min_length=1)
    reason: str = Field(min_length=1)


class LeftOut(_Part):
    """The content of `left_out.toml`."""

    left_out: tuple[StandIn, ...] = Field(min_length=1)
    let_in: tuple[LetIn, ...] = ()

    def found_in(self, features: Sequence[ModelFeature]) -> list[str]:
        """A sentence for each feature that is named after a stand-in, or made of a value that is."""
        let_in = [pattern for entry in self.let_in for pattern in entry.features]
        return [
            f"The feature {feature.name} may stand in for a protected trait ({stand_in.name}): {stand_in.reason}"
            for feature in features
            if not any(fnmatchcase(feature.name, pattern) for pattern in let_in)
            for stand_in in self.left_out
            if any(_has(name, stand_in.words) for name in (feature.name, *made_of(feature)))
        ]


def read_left_out() -> LeftOut:
    """The list that Returnwise comes with.

    Raises:
        TrainingError: an entry is incomplete.
    """
    text = resources.files("training.fairness").joinpath("left_out.toml").read_text(encoding="utf-8")
    try:
        return LeftOut.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise TrainingError(f"left_out.toml: {error}") from error


def made_of(feature: ModelFeature) -> list[str]:
    """Names of the values that a feature is computed from.

    >>> made_of(ModelFeature("x", "rate", 1, "share", "", lambda v: v["a_1d"] / (v["b_1d"] + 1.0)))
    ['a_1d', 'b_1d']
    """
    seen = _Recorder()
    feature.value(seen)
    return list(dict.fromkeys(seen.asked))


class _Recorder(Mapping[str, Any]):
    """Values that are all one, and remember which of them were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> float:
        self.asked.append(name)
        return 1.0

    def __iter__(self) -> Iterator[str]:
        return iter(self.asked)

    def __len__(self) -> int:
        return len(self.asked)


def _has(name: str, words: Sequence[str]) -> bool:
    return not set(name.split("_")).isdisjoint(words)

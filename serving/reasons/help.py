"""Help on the reasons and reassurances, for staff: `help.toml`, in other languages `help.LANGUAGE.toml`.

What each value means that they speak for stands with its declaration, in other languages in `features.LANGUAGE.toml`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.service import MODEL_FEATURES
from serving.reasons.catalogue import Catalogue, default_catalogue
from serving.reasons.facts import CatalogueError
from serving.reasons.told import words_of
from serving.reasons.translation import LANGUAGES, SOURCE
from serving.texts.judging import blaming_words

_FOLDER: Final = Path(__file__).parent


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    means: str = Field(min_length=1)
    does_not_mean: str = Field(min_length=1)
    innocent: tuple[str, ...] = ()
    settles: str = ""


@dataclass(frozen=True, slots=True)
class Help:
    """Help on one code. Of a reassurance `innocent` and `settles` are empty: it leaves nothing to settle."""

    code: str
    other: str  # the code of the same features in the other direction
    title: str
    customer: str  # what the customer is told
    check: str
    check_claim: str
    means: str
    does_not_mean: str
    innocent: tuple[str, ...]
    settles: str
    features: tuple[str, ...]

    @property
    def is_reason(self) -> bool:
        """Whether it raises the risk."""
        return self.code.startswith("R")


@lru_cache
def helps(language: str) -> dict[str, Help]:
    """Help on every code, reasons first, in a language of `LANGUAGES` (of another: in English).

    Raises:
        CatalogueError: the file cannot be read or does not fit the catalogue.
    """
    if language not in LANGUAGES:
        return helps(SOURCE)
    name = "help.toml" if language == SOURCE else f"help.{language}.toml"
    catalogue = default_catalogue()
    specs = load(_FOLDER / name, catalogue)
    found = {}
    for group in catalogue.groups:
        for entry, other in ((group.reason, group.reassurance), (group.reassurance, group.reason)):
            words, spec = words_of(entry.code, language), specs[entry.code]
            found[entry.code] = Help(
                entry.code,
                other.code,
                words.title,
                words.customer,
                words.check,
                words.check_claim,
                spec.means,
                spec.does_not_mean,
                spec.innocent,
                spec.settles,
                group.features,
            )
    return dict(sorted(found.items(), key=lambda item: (not item[1].is_reason, item[0])))


@lru_cache
def meanings(language: str) -> dict[str, str]:
    """What each value that the model sees means, by its name, in a language of `LANGUAGES` (of another: in English).

    Raises:
        CatalogueError: the file cannot be read, a value is missing or unknown, or a text blames somebody.
    """
    english = {feature.name: feature.text for feature in MODEL_FEATURES}
    if language == SOURCE or language not in LANGUAGES:
        return english
    path = _FOLDER / f"features.{language}.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    if odd := set(english) ^ set(found):
        raise CatalogueError(f"{path.name}: {min(odd)} is in only one of it and the declarations")
    for name, text in found.items():
        if not isinstance(text, str) or not text.strip() or blaming_words(text):
            raise CatalogueError(f"{path.name}: {name}: {text!r} is no text to use")
    return found


def load(path: Path, catalogue: Catalogue) -> dict[str, _Spec]:
    """The file's help by code.

    Raises:
        CatalogueError: it cannot be read; a code is missing or unknown; a reason does not say what explains or settles
            it, or a reassurance does; or a text blames somebody.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        specs = {code: _Spec.model_validate(spec) for code, spec in document.items()}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CatalogueError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    codes = {entry.code for entry in catalogue.entries()}
    if odd := codes ^ set(specs):
        raise CatalogueError(f"{path.name}: {min(odd)} is in only one of it and the catalogue")
    reasons = {group.reason.code for group in catalogue.groups}
    for code, spec in specs.items():
        if (bool(spec.innocent), bool(spec.settles)) != (code in reasons, code in reasons):
            raise CatalogueError(f"{path.name}: {code}: a reason, and only a reason, has `innocent` and `settles`")
        for text in (spec.means, spec.does_not_mean, *spec.innocent, spec.settles):
            if blaming := blaming_words(text):
                raise CatalogueError(f"{path.name}: {code}: {blaming[0]!r} in {text!r}")
    return specs

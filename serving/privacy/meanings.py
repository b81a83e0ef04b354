"""What each value of a stored vector means: in English as declared, in other languages by `meanings.LANGUAGE.toml`.

What the model makes of the counts is told by the help on the reasons, in the same words as to staff.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from features import declarations
from features.request import FIELDS
from features.service import VECTOR
from serving.reasons import help as reasons_help
from serving.reasons.facts import CatalogueError
from serving.texts import LANGUAGES
from serving.texts.catalogue import SOURCE
from serving.texts.judging import blaming_words

_FOLDER: Final = Path(__file__).parent


class _Count(NamedTuple):
    """A value of an entity: how many or how long ago (`window` is then empty) of what, and its English text."""

    entity: str
    what: str
    window: str
    text: str

    @property
    def name(self) -> str:
        return "_".join(part for part in (self.entity, self.what, self.window) if part)


@lru_cache
def meanings(language: str) -> dict[str, str]:
    """What each value of the vector means, by its name, in a language of `LANGUAGES` (of one without a file: English).

    Raises:
        CatalogueError: the file cannot be read, a text is missing or unknown, or a text blames somebody.
    """
    path = _FOLDER / f"meanings.{language}.toml"
    is_source = language == SOURCE or language not in LANGUAGES or not path.is_file()
    found = _source() if is_source else load(path)
    found |= reasons_help.meanings(SOURCE if is_source else language)
    return {name: found[name] for name in VECTOR}


def load(path: Path) -> dict[str, str]:
    """The texts of a file, by the name of the value, of all that no feature of the model is.

    Raises:
        CatalogueError: it cannot be read, a text is missing or unknown, or a text blames somebody.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    counts = list(_counts())
    keys = {
        "form": {"counted", "age"},
        "window": {"lifetime", "days"},
        "whose": {count.entity for count in counts},
        "measure": {count.what for count in counts},
        "request": {field.name for field in FIELDS},
    }
    _check(document, keys, path.name)
    form, window, whose, measure = (document[section] for section in ("form", "window", "whose", "measure"))
    try:
        found = {
            count.name: form["counted" if count.window else "age"].format(
                what=measure[count.what],
                whose=whose[count.entity],
                window=window["lifetime" if count.window == "lifetime" else "days"].format(
                    days=count.window.removesuffix("d")
                ),
            )
            for count in counts
        }
    except (LookupError, ValueError) as error:
        raise CatalogueError(f"{path.name}: a form or a window has another place than it may have: {error}") from error
    request: dict[str, str] = document["request"]
    return found | request


def _source() -> dict[str, str]:
    found = {}
    for count in _counts():
        window = "ever" if count.window == "lifetime" else f"in {count.window.removesuffix('d')} days"
        what = f"{count.text}, {window}" if count.window else count.text
        found[count.name] = f"{what} ({_whose(count.entity)})"
    return found | {field.name: field.text for field in FIELDS}


def _counts() -> Iterator[_Count]:
    for entity in declarations.ENTITIES:
        counted = [(each.name, each.text) for each in entity.measures]
        counted += [(each.name, each.text) for each in entity.distincts]
        for what, text in counted:
            yield from (_Count(entity.name, what, window, text) for window in entity.windows)
        yield from (_Count(entity.name, age.name, "", age.text) for age in entity.ages)


def _whose(entity: str) -> str:
    if entity.startswith("customer_"):
        return f"of the customer, with the {entity.removeprefix('customer_')} of the order"
    if entity in declarations.LINKS:
        return f"of all who used the {entity} of the order"
    return {"customer": "of the customer", "order": "of the order"}.get(entity, f"of the {entity} of the main item")


def _check(document: Mapping[str, Any], keys: Mapping[str, Set[str]], place: str) -> None:
    for section, names in keys.items():
        found = document.get(section, {})
        if odd := set(found) ^ names:
            raise CatalogueError(f"{place}: {section}.{min(odd)} is in only one of it and the declarations")
        for name, text in found.items():
            if not isinstance(text, str) or not text.strip() or blaming_words(text):
                raise CatalogueError(f"{place}: {section}.{name}: {text!r} is no text to use")
    if odd := set(document) - set(keys):
        raise CatalogueError(f"{place}: there is no section {min(odd)}")

"""Reading the catalogues, and looking texts up in them.

A text is named by section and key (`t("queue.title")`), may have places for values (`{name}`), and may have plural
forms, chosen by the value `count`. A catalogue is checked against the English one when it is read: the same keys, the
same places, every plural form that the language needs.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from features.errors import ReturnwiseError
from serving.texts.writing import Writing

_FOLDER: Final = Path(__file__).parent
#: The language of the catalogue that all others are held against.
SOURCE: Final = "en"
LANGUAGES: Final[tuple[str, ...]] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))
_FORMS: Final = frozenset(("zero", "one", "two", "few", "many", "other"))
_PREFERENCE: Final = re.compile(r"\s*([a-zA-Z]{2,3})(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{1,3})?)\s*)?", re.ASCII)

#: How a language picks the form for a whole number, after Unicode's plural rules; a catalogue names one of these.
_PLURALS: Final[dict[str, tuple[frozenset[str], Callable[[int], str]]]] = {
    "other": (frozenset(("other",)), lambda n: "other"),
    "one_other": (frozenset(("one", "other")), lambda n: "one" if n == 1 else "other"),
    "zero_one_other": (frozenset(("one", "other")), lambda n: "one" if n in (0, 1) else "other"),
    "one_few_many": (
        frozenset(("one", "few", "many")),
        lambda n: (
            "one" if n == 1 else "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "many"
        ),
    ),
}  # fmt: skip

Text = str | Mapping[str, str]


class CatalogueError(ReturnwiseError):
    """A catalogue of texts breaks the rules; the message names file and key."""


class Texts:
    """The texts of one language. Calling it gives one; `writing` writes numbers, money and times."""

    def __init__(self, language: str, found: Mapping[str, Text], writing: Writing, plural: str) -> None:
        self.language = language
        self.writing = writing
        self._found = found
        self._form = _PLURALS[plural][1]

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, with values in their places; whole numbers are written as the language does.

        Raises:
            KeyError: there is no such text, or a value is missing.
        """
        text = self._found[key]
        if not isinstance(text, str):
            text = text[self._form(values["count"])]
        if not values:
            return text
        return text.format_map({name: self._written(value) for name, value in values.items()})

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def of(self, section: str, code: str) -> str:
        """The text of a code, such as a state or a reason; a code without one stands for itself, made readable."""
        key = f"{section}.{code}"
        return self(key) if key in self._found else code.replace("_", " ")

    def forms(self, key: str) -> tuple[str, ...]:
        """The text as it is written, in all its plural forms."""
        text = self._found[key]
        return (text,) if isinstance(text, str) else tuple(text.values())

    def _written(self, value: Any) -> Any:
        return self.writing.number(value) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def texts(language: str) -> Texts:
    """The catalogue of a language of `LANGUAGES`; of another, the English one.

    Raises:
        CatalogueError: the file breaks the rules.
    """
    if language not in LANGUAGES:
        return texts(SOURCE)
    path = _FOLDER / f"{language}.toml"
    made = read(path.name, path.read_text(encoding="utf-8"))
    if language != SOURCE:
        check_against(made, texts(SOURCE), path.name)
    return made


def read(name: str, content: str) -> Texts:
    """The catalogue in the text of a file called `name`.

    Raises:
        CatalogueError: it is no TOML, a text has another type or place than allowed, a plural form is missing.
    """
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{name}: {error}") from error
    about = document.pop("language", {})
    try:
        plural = str(about["plural"])
        forms, _ = _PLURALS[plural]
        writing = Writing(**{key: value for key, value in about.items() if key != "plural"})
    except (KeyError, TypeError) as error:
        raise CatalogueError(f"{name}: [language] is not complete, or has something unknown: {error}") from error
    found = dict(_flat(name, document, ()))
    for key, text in found.items():
        if not isinstance(text, str) and frozenset(text) != forms:
            raise CatalogueError(f"{name}: {key} needs the forms {', '.join(sorted(forms))}")
        places(name, key, text)
    return Texts(Path(name).stem, found, writing, plural)


def check_against(made: Texts, source: Texts, name: str) -> None:
    """Hold a catalogue against another.

    Raises:
        CatalogueError: a text is missing, too many, or has other places.
    """
    missing, more = sorted(set(source) - set(made)), sorted(set(made) - set(source))
    if missing or more:
        raise CatalogueError(f"{name}: " + (f"{missing[0]} is missing" if missing else f"{more[0]} is unknown"))
    for key in source:
        theirs, ours = places(name, key, source._found[key]), places(name, key, made._found[key])
        if theirs != ours:
            raise CatalogueError(f"{name}: {key} has places {sorted(ours)}, not {sorted(theirs)}")


def places(name: str, key: str, text: Text) -> frozenset[str]:
    """The names of the places in a text; a plural form may leave `count` out.

    Raises:
        CatalogueError: a place is more than a name.
    """
    found: set[str] = set() if isinstance(text, str) else {"count"}
    for form in (text,) if isinstance(text, str) else text.values():
        try:
            parts = list(string.Formatter().parse(form))
        except ValueError as error:
            raise CatalogueError(f"{name}: {key}: {error}") from error
        for _, place, shape, conversion in parts:
            if place is None:
                continue
            if not place.isidentifier() or shape or conversion:
                raise CatalogueError(f"{name}: {key}: a place is a name in braces")
            found.add(place)
    return frozenset(found)


def preferred_language(accepted: str | None) -> str:
    """The language of ours that a browser asks for first (`Accept-Language`); English if none.

    >>> preferred_language("fr;q=0.9, nl-BE;q=0.8, en;q=0.1")
    'nl'
    """
    best, weight = SOURCE, 0.0
    for part in (accepted or "")[:500].split(","):
        match = _PREFERENCE.fullmatch(part)
        if match and match[1].lower() in LANGUAGES and float(match[2] or 1) > weight:
            best, weight = match[1].lower(), float(match[2] or 1)
    return best


def _flat(name: str, table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Text]]:
    for key, value in table.items():
        place = (*path, key)
        if isinstance(value, str) or (
            isinstance(value, dict)
            and value
            and set(value) <= _FORMS
            and all(isinstance(form, str) for form in value.values())
        ):
            yield ".".join(place), value
        elif isinstance(value, dict):
            yield from _flat(name, value, place)
        else:
            raise CatalogueError(f"{name}: {'.'.join(place)} must be a text or a section")

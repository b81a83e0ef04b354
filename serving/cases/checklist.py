"""The inspection checklist: what to look at by kind of product and stated reason, and what settles a claim.

Read from `checklist.toml`, with its words in other languages from `checklist.LANGUAGE.toml` beside it, and checked when
it is read. A retailer may keep an own one and name it by `RETURNWISE_CHECKLIST_FILE`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import ReturnwiseError
from features.ledger import vocabulary
from serving.cases.claim import Claim
from serving.settings import ServingSettings

FILE: Final = Path(__file__).with_name("checklist.toml")
#: The language of the words in the list itself.
DEFAULT_LANGUAGE: Final = "en"

When = Literal["no_proof_of_purchase", "other_tender", "nothing_delivered", "delivered"]


class ChecklistError(ReturnwiseError):
    """The checklist does not fit together; the message names the place."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Applies(_Strict):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Literal["return", "claim", "any"] = "return"
    groups: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    when: tuple[When, ...] = ()

    def fits(self, claim: Claim, groups: tuple[str, ...], holds: frozenset[str]) -> bool:
        return (
            self.kind in ("any", claim.kind)
            and (not self.groups or bool(set(self.groups) & set(groups)))
            and (not self.reasons or claim.reason in self.reasons)
            and set(self.when) <= holds
        )


class ItemWords(_Strict):
    """What a person reads of a check: its name, what to look at, how, and what it does not show."""

    name: str = Field(min_length=1)
    look: str = Field(min_length=1)
    how: str = Field(min_length=1)
    does_not_show: str = Field(min_length=1)


class Item(_Applies, ItemWords):
    """A check of the list. `supports` are the findings that it can lead to."""

    supports: tuple[str, ...] = ()


class _Settles(_Applies):
    text: str = Field(min_length=1)


class _Group(_Strict):
    name: str = Field(min_length=1)
    words: tuple[str, ...] = ()


class _Spec(_Strict):
    version: str
    groups: dict[str, _Group]
    settles: tuple[_Settles, ...]
    items: tuple[Item, ...]


class _Translation(_Strict):
    groups: dict[str, str] = {}
    settles: dict[str, str] = {}
    items: dict[str, ItemWords] = {}


@dataclass(frozen=True, slots=True)
class Check:
    """A check as somebody reads it."""

    id: str
    supports: tuple[str, ...]
    words: ItemWords


@dataclass(frozen=True, slots=True)
class Listed:
    """What applies to a case: names of the kinds of product, what settles it, and the checks."""

    groups: tuple[str, ...]
    settled_by: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Checklist:
    """All checks, with their words by language."""

    spec: _Spec
    translations: Mapping[str, _Translation]

    @property
    def version(self) -> str:
        """As the file says."""
        return self.spec.version

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that it has words in."""
        return (DEFAULT_LANGUAGE, *self.translations)

    def group(self, category: str | None) -> str:
        """The kind of product that a category belongs to."""
        whole = (category or "").casefold()
        words = {whole, *re.split(r"[^\w]+|_", whole)} - {""}
        for name, group in self.spec.groups.items():
            if words & {word.casefold() for word in group.words}:
                return name
        return next(reversed(self.spec.groups))

    def of(self, claim: Claim, language: str = DEFAULT_LANGUAGE) -> Listed:
        """What applies to a return or claim, in a language (English, where there are no words in it).

        What fits the stated reason comes first, then what fits the kind of product, then the rest.
        """
        groups = tuple(dict.fromkeys(self.group(category) for category in claim.categories or (None,)))
        holds = _holds(claim)
        told = self.translations.get(language, _Translation())
        items = [item for item in self.spec.items if item.fits(claim, groups, holds)]
        items.sort(key=lambda item: (not item.reasons, not item.groups))
        return Listed(
            tuple(told.groups.get(name, self.spec.groups[name].name) for name in groups),
            tuple(
                told.settles.get(each.id, each.text) for each in self.spec.settles if each.fits(claim, groups, holds)
            ),
            tuple(Check(item.id, item.supports, told.items.get(item.id, item)) for item in items),
        )

    def name(self, item: str, language: str = DEFAULT_LANGUAGE) -> str | None:
        """Name of the check of that id; None for one that is no longer on the list."""
        told = self.translations.get(language, _Translation()).items.get(item)
        return told.name if told else next((each.name for each in self.spec.items if each.id == item), None)

    def texts(self) -> list[str]:
        """Everything that somebody may read, in every language."""
        spec = self.spec
        said = [group.name for group in spec.groups.values()] + [each.text for each in spec.settles]
        said += [text for item in spec.items for text in (item.name, item.look, item.how, item.does_not_show)]
        for told in self.translations.values():
            said += [*told.groups.values(), *told.settles.values()]
            said += [text for words in told.items.values() for text in words.model_dump().values()]
        return said


def load(path: Path = FILE) -> Checklist:
    """Reads a checklist and the files with its words in other languages.

    Raises:
        ChecklistError: a file cannot be read, an id is there twice, or something names a group, reason, finding or item
            that does not exist. The message names the file and the place.
    """
    spec = _Spec.model_validate(_read(path, _Spec))
    _check(path.name, spec)
    translations = {}
    for other in sorted(path.parent.glob(f"{path.stem}.*.toml")):
        told = _Translation.model_validate(_read(other, _Translation))
        known = {
            "groups": set(spec.groups),
            "settles": {each.id for each in spec.settles},
            "items": {each.id for each in spec.items},
        }
        for section, names in known.items():
            for name in getattr(told, section):
                if name not in names:
                    raise ChecklistError(f"{other.name}: {section}.{name}: {path.name} has no such entry")
        translations[other.name.removeprefix(f"{path.stem}.").removesuffix(".toml")] = told
    return Checklist(spec, translations)


@lru_cache
def default_checklist() -> Checklist:
    """The checklist in use, read once: that of `RETURNWISE_CHECKLIST_FILE`, else the one that Returnwise comes with.

    Raises:
        ChecklistError: as `load`; the service asks when it starts.
    """
    return load(ServingSettings().checklist_file or FILE)


def _read(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        model.model_validate(content)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ChecklistError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ChecklistError(f"{path.name}: {_place(content, first['loc'])}: {first['msg']}") from error
    return content


def _place(content: Mapping[str, Any], location: tuple[int | str, ...]) -> str:
    """The place with the id of the block that it is in: "items[3] 'tags': reasons"."""
    section, *rest = location
    if not rest or not isinstance(rest[0], int):
        return ".".join(map(str, location))
    block = content[str(section)][rest[0]]
    name = f" {block['id']!r}" if isinstance(block, dict) and "id" in block else ""
    inner = ".".join(map(str, rest[1:]))
    return f"{section}[{rest[0]}]{name}" + (f": {inner}" if inner else "")


def _check(file: str, spec: _Spec) -> None:
    if not spec.groups or next(reversed(spec.groups.values())).words:
        raise ChecklistError(f"{file}: groups: the last one takes what fits nowhere, and has no words")
    owners: dict[str, str] = {}
    for name, group in spec.groups.items():
        for word in group.words:
            if owners.setdefault(word.casefold(), name) != name:
                raise ChecklistError(f"{file}: groups.{name}: the word {word!r} is in {owners[word.casefold()]}, too")
    for section, blocks in (("settles", spec.settles), ("items", spec.items)):
        twice = [name for name, count in Counter(block.id for block in blocks).items() if count > 1]
        if twice:
            raise ChecklistError(f"{file}: {section}: the id {twice[0]!r} is used twice")
        for block in blocks:
            place = f"{file}: {section} {block.id!r}"
            _known(f"{place}: groups", block.groups, tuple(spec.groups))
            _known(f"{place}: reasons", block.reasons, vocabulary.REASONS)
            if isinstance(block, Item):
                _known(f"{place}: supports", block.supports, vocabulary.FINDINGS)


def _known(place: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise ChecklistError(f"{place}: {name!r} is none of {', '.join(known)}")


def _holds(claim: Claim) -> frozenset[str]:
    holds = {"delivered" if claim.deliveries else "nothing_delivered"}
    if claim.proof_of_purchase is False:
        holds.add("no_proof_of_purchase")
    if claim.tender == "other":
        holds.add("other_tender")
    return frozenset(holds)

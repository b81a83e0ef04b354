"""Reading YAML so that every fault has its line: readers of scalars, lists and mappings over PyYAML's nodes.

A reader takes a `Place` and gives a value, or raises `Wrong` with all that it found. Nothing of YAML is used that a
person who reads the file would not see at once: no anchors, no tags, and scalars are read by what the key wants (the
country `NO` is Norway, whatever YAML thinks of the word).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import yaml

from serving.policy.faults import Fault, PolicyError, Wrong

#: More than any policy needs, and little enough to be read at once.
LONGEST: Final = 200_000
_DEEPEST: Final = 12
_CONTROLS: Final = yaml.reader.Reader.NON_PRINTABLE


class Place(NamedTuple):
    """A node of the file, and how one would write its place."""

    node: yaml.Node
    path: str
    key: yaml.Node | None = None

    def fault(self, what: str) -> Fault:
        """Something is wrong here."""
        # where lines are wrong together, the line that they hang on tells more than the first of them
        node = self.node if self.key is None or isinstance(self.node, yaml.ScalarNode) else self.key
        mark = node.start_mark
        return Fault(mark.line + 1, mark.column + 1, self.path, what)

    def wrong(self, what: str) -> Wrong:
        """The same, to be raised."""
        return Wrong([self.fault(what)])

    def child(self, node: yaml.Node, name: str, key: yaml.Node | None = None) -> Place:
        """A place below."""
        joined = name.startswith("[") or not self.path
        return Place(node, f"{self.path}{name}" if joined else f"{self.path}.{name}", key)


class Reader(Protocol):
    """Reads the value at a place."""

    @property
    def kind(self) -> str:
        """In words, what has to stand there."""
        ...

    def __call__(self, place: Place) -> Any:
        """The value.

        Raises:
            Wrong: something else stands there.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `convert` gives it, or raises ValueError with what is wrong."""

    kind: str
    convert: Callable[[str], Any]

    def __call__(self, place: Place) -> Any:
        """The value."""
        if not isinstance(place.node, yaml.ScalarNode) or place.node.tag == "tag:yaml.org,2002:null":
            raise place.wrong(f"must be {self.kind}, not {_shown(place.node)}")
        try:
            return self.convert(place.node.value)
        except ValueError as error:
            raise place.wrong(str(error)) from None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list; `single` takes a value by itself for a list of one."""

    of: Reader
    single: bool = False
    fewest: int = 0
    most: int = 500
    distinct: bool = True

    @property
    def kind(self) -> str:
        """What has to stand there."""
        return f"{self.of.kind}, or a list of such" if self.single else f"a list, each {self.of.kind}"

    def __call__(self, place: Place) -> tuple[Any, ...]:
        """The values."""
        node = place.node
        if isinstance(node, yaml.ScalarNode) and self.single:
            return (self.of(place),)
        if not isinstance(node, yaml.SequenceNode):
            raise place.wrong(f"must be {self.kind}, not {_shown(node)}")
        if not self.fewest <= len(node.value) <= self.most:
            raise place.wrong(f"has {len(node.value)} entries; {self.fewest} to {self.most} are possible")
        found: list[Any] = []
        faults: list[Fault] = []
        for number, item in enumerate(node.value):
            below = place.child(item, f"[{number}]")
            try:
                value = self.of(below)
            except Wrong as wrong:
                faults += wrong.faults
                continue
            if self.distinct and value in found:
                faults.append(below.fault(f"{_shown(item)} stands twice in this list; remove one"))
            found.append(value)
        if faults:
            raise Wrong(faults)
        return tuple(found)


_REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a mapping may have: its name, how to read what it holds, what it means, and what holds without it."""

    name: str
    read: Reader
    text: str
    default: Any = _REQUIRED

    @property
    def required(self) -> bool:
        """Whether it has to be there."""
        return self.default is _REQUIRED


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping with known keys. `build` makes the value of what they hold, and of the place; it may raise `Wrong`."""

    keys: tuple[Key, ...]
    build: Callable[..., Any]
    kind: str = "a mapping"

    def __call__(self, place: Place) -> Any:
        """The value."""
        known = {key.name: key for key in self.keys}
        found: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, item, at in _entries(place, faults):
            if name not in known:
                faults.append(at.fault(_unknown(name, [*known])))
                continue
            try:
                found[name] = known[name].read(item)
            except Wrong as wrong:
                faults += wrong.faults
                found[name] = None
        for key in self.keys:
            if key.name not in found:
                if key.required:
                    faults.append(place.fault(f"{key.name} is missing: {key.text}"))
                found[key.name] = key.default
        if faults:
            raise Wrong(faults)
        return self.build(place, **found)


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping whose keys are names of the writer's own, each read by `name` (a currency, a language)."""

    name: Reader
    of: Reader
    fewest: int = 0
    most: int = 500

    @property
    def kind(self) -> str:
        """What has to stand there."""
        return f"a mapping from {self.name.kind} to {self.of.kind}"

    def __call__(self, place: Place) -> Mapping[str, Any]:
        """name -> value, in the order of the file."""
        found: dict[str, Any] = {}
        faults: list[Fault] = []
        for _, item, at in _entries(place, faults):
            try:
                name = self.name(at)
                found[name] = self.of(item)
            except Wrong as wrong:
                faults += wrong.faults
        if not faults and not self.fewest <= len(found) <= self.most:
            faults.append(place.fault(f"has {len(found)} entries; {self.fewest} to {self.most} are possible"))
        if faults:
            raise Wrong(faults)
        return found


def _entries(place: Place, faults: list[Fault]) -> list[tuple[str, Place, Place]]:
    """The entries of a mapping: name, place of the value, place of the key. Keys that stand twice are faults."""
    if not isinstance(place.node, yaml.MappingNode):
        raise place.wrong(f"must be a mapping (lines of `key: value`), not {_shown(place.node)}")
    entries: list[tuple[str, Place, Place]] = []
    first: dict[str, int] = {}
    for key, value in place.node.value:
        if not isinstance(key, yaml.ScalarNode):
            faults.append(Place(key, place.path).fault("a key must be a word"))
            continue
        at = place.child(key, key.value)
        if key.value in first:
            faults.append(at.fault(f"stands twice, first in line {first[key.value]}; remove one of the two"))
            continue
        first[key.value] = key.start_mark.line + 1
        entries.append((key.value, place.child(value, key.value, key), at))
    return entries


def _unknown(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    perhaps = f"did you mean {close[0]!r}? " if close else ""
    return f"unknown key {name!r}; {perhaps}possible here: {', '.join(known)}"


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return repr(node.value[:60]) if node.value else "nothing"


def compose(text: str, file: str) -> Place:
    """The root of a file.

    Raises:
        PolicyError: it is no YAML, is empty or too long, nests too deep, or uses anchors or tags.
    """
    _is_text(text, file)
    faults, depth = list[Fault](), 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            fault = _refused(event, depth)
            if fault:
                faults.append(_at(event.start_mark, fault))
            if depth > _DEEPEST:
                break
        if faults:
            raise PolicyError(file, faults)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = "has a tab where lines are indented; use spaces"
        if mark is None or not _is_tab(text, mark):
            problem = error.problem or error.context
            what = f"is not YAML: {problem}; look at indentation, quotes and colons here and just above"
        raise PolicyError(file, [_at(mark, what)]) from None
    except yaml.YAMLError as error:
        raise PolicyError(file, [Fault(1, 1, "", f"is not YAML: {' '.join(str(error).split())}")]) from None
    if root is None:
        raise PolicyError(file, [Fault(1, 1, "", "is empty; start from `returnwise policy show`")])
    return Place(root, "")


def _is_text(text: str, file: str) -> None:
    """Holds that it is not too long, and text throughout."""
    if len(text) > LONGEST:
        what = f"is longer than {LONGEST:,} characters; shorten texts and comments, or write fewer entries"
        raise PolicyError(file, [Fault(1, 1, "", what)])
    control = _CONTROLS.search(text)
    if control:
        what = f"has a character that is no text here ({ord(control.group()):#04x}); remove it"
        raise PolicyError(file, [at_end(text[: control.start()], what)])


def at_end(before: str, what: str) -> Fault:
    """Something is wrong with what comes after `before`, the beginning of a file."""
    return Fault(before.count("\n") + 1, len(before) - before.rfind("\n"), "", what)


def _is_tab(text: str, mark: Any) -> bool:
    lines = text.splitlines()
    return bool(mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == "\t")


def _at(mark: Any, what: str) -> Fault:
    return Fault(mark.line + 1, mark.column + 1, "", what) if mark else Fault(1, 1, "", what)


def _refused(event: yaml.Event, depth: int) -> str | None:
    """What a policy does not use of YAML."""
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "anchors and references (& and *) are not possible here; write it out where it is used"
    tag = getattr(event, "tag", None)
    if tag:
        return f"tags (such as {tag}) are not possible here; remove it"
    if depth > _DEEPEST:
        return (
            f"nests deeper than {_DEEPEST} levels; no key of a policy lies so deep, so look at indentation and brackets"
        )
    return None

"""The keys of a policy file as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from serving.policy.nodes import Fields, Key, Listing, Named, Reader
from serving.policy.schema import document


class Row(NamedTuple):
    """A key: where it stands, what it holds, whether it has to be there, and what it means."""

    path: str
    kind: str
    required: bool
    text: str


def sections() -> list[tuple[str, str, list[Row]]]:
    """The sections of the file in order: name, meaning, and the keys below; none where it is a single value."""
    return [(key.name, key.text, list(_below(key.name, key.read))) for key in document().keys]


def plain() -> list[Row]:
    """The sections that are single values."""
    return [_row(key.name, key) for key in document().keys if not list(_below(key.name, key.read))]


def _below(path: str, reader: Reader) -> Iterator[Row]:
    if isinstance(reader, Listing):
        yield from _below(f"{path}[]", reader.of)
    elif isinstance(reader, Named):
        yield from _below(f"{path}.*", reader.of)
    elif isinstance(reader, Fields):
        for key in reader.keys:
            at = f"{path}.{key.name}"
            below = list(_below(at, key.read))
            yield _row(at, key)
            yield from below


def _row(path: str, key: Key) -> Row:
    return Row(path, _kind(key.read), key.required, key.text)


def _kind(reader: Reader) -> str:
    if isinstance(reader, Fields):
        return "keys below"
    if isinstance(reader, Listing) and isinstance(reader.of, Fields):
        return "a list of entries"
    return reader.kind

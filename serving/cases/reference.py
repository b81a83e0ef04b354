"""The reference of a case: what a customer may quote, on paper or over the telephone.

Ten random characters of Crockford's base 32, which has neither I nor L nor O nor U: 50 bits, so that nobody guesses
one. It says nothing about the customer, the return or how many cases there are.
"""

from __future__ import annotations

import secrets
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX: Final = "RW"
_LENGTH: Final = 10
#: What people write for what they read.
_MEANT: Final = str.maketrans({"I": "1", "L": "1", "O": "0", " ": None, "-": None, "\N{EN DASH}": None})


def new_reference() -> str:
    """A reference that no other case has, such as `RW-7K3QX-0M9TB`."""
    bits = secrets.randbits(5 * _LENGTH)
    return _written("".join(_ALPHABET[bits >> 5 * i & 31] for i in range(_LENGTH)))


def read_reference(text: str) -> str | None:
    """The reference that somebody typed, None if it is none.

    >>> read_reference("rw 7k3qx om9tb"), read_reference("R-1000"), read_reference("RW-7K3QX-0M9T")
    ('RW-7K3QX-0M9TB', None, None)
    """
    characters = text.strip().upper().translate(_MEANT).removeprefix(_PREFIX)
    if len(characters) != _LENGTH or not set(characters) <= set(_ALPHABET):
        return None
    return _written(characters)


def _written(characters: str) -> str:
    half = _LENGTH // 2
    return f"{_PREFIX}-{characters[:half]}-{characters[half:]}"

"""Passwords: argon2id, and which ones are taken.

Hashing takes tens of milliseconds and 64 MiB on purpose: call it in a thread, never on the event loop. At most a few
run at once, so that many who sign in together cannot fill the memory.
"""

from __future__ import annotations

import threading
from functools import cache
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
LONGEST: Final = 200
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_HASHER: Final = PasswordHasher()  # the low-memory choice of RFC 9106: argon2id, 3 rounds, 64 MiB, 4 lanes
_EASY: Final = ("returnwise", "password", "wachtwoord", "welcome", "welkom", "administrator", "qwerty", "azerty")
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def hashed(password: str) -> str:
    """The hash to keep."""
    with _AT_ONCE:
        return _HASHER.hash(password)


@cache
def _nobodys() -> str:
    """What the password of a login that nobody has is compared with, so that the answer takes as long."""
    return _HASHER.hash("nobody has this password")


def matches(password: str, kept: str | None) -> bool:
    """Whether the password is the one that was hashed; with no hash, False after the same time."""
    with _AT_ONCE:
        try:
            _HASHER.verify(kept or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept)


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def refusal(password: str, *, login: str, name: str = "") -> str | None:
    """Why a new password is not taken, as the key of a text; None if it is.

    >>> refusal("correct horse battery", login="ann")
    >>> refusal("too short", login="ann")
    'password.too_short'
    >>> refusal("Anneliese2026!", login="anneliese")
    'password.too_easy'
    """
    if len(password) < SHORTEST:
        return "password.too_short"
    if len(password) > LONGEST:
        return "password.too_long"
    rest = password.lower()
    known = {*_EASY, login.lower(), login.lower().partition("@")[0], *name.lower().split()}
    for word in sorted(known, key=len, reverse=True):
        if len(word) >= 3:
            rest = rest.replace(word, "")
    if len(rest) < SHORTEST - 4 and rest != password.lower():
        return "password.too_easy"
    steps = sum(_is_a_step(*pair) for pair in pairwise(password.lower()))
    return "password.too_easy" if steps > len(password) // 2 else None


def _is_a_step(one: str, following: str) -> bool:
    """Whether two characters are the same or neighbours in the alphabet, among the digits or on the keyboard."""
    return one == following or any(one + following in row or following + one in row for row in _ROWS)

"""What a person typed into a form that could not be taken: it comes back to them after signing in.

The words travel in a hidden field of the sign-in page, sealed with a key of the service: nobody else who signs in on
the same screen can read them there. They are given only to the person whose session it was, and for some hours. Nothing
of it is stored, and nothing stands in an address.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

import orjson
from cryptography.fernet import Fernet, InvalidToken

from features.ledger.identity import KeyHasher
from serving.console.form import KEY, Form

_SECONDS: Final = 12 * 3600
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was not taken. `path` is that of the form below the console, `page` that of the page it stood on."""

    path: str
    page: str
    fields: tuple[tuple[str, str], ...]
    staff_id: str | None
    had_files: bool = False

    def is_for(self, staff_id: str) -> bool:
        """Whether the words may be shown to a person: to whom they belong; anybody's, if nobody knows."""
        return self.staff_id in (None, staff_id)


def keep(form: Form, *, path: str, page: str, staff_id: str | None) -> Kept:
    """What of a form is kept: no passwords, and not its key."""
    fields = tuple((name, value) for name, value in form.fields if name != KEY and "password" not in name)
    return Kept(path, page, fields, staff_id, any(file.filename for _, file in form.files))


def seal(kept: Kept, hasher: KeyHasher) -> str:
    """The form as text that only this service can read; empty if it is too long to travel."""
    content = orjson.dumps([kept.path, kept.page, kept.fields, kept.staff_id, kept.had_files])
    return sealing(hasher).encrypt(content).decode() if len(content) <= _MOST_BYTES else ""


def unseal(sealed: str, hasher: KeyHasher) -> Kept | None:
    """The form that was sealed; None if it was not by this service, or too long ago."""
    if not sealed:
        return None
    try:
        content = sealing(hasher).decrypt(sealed.encode("utf-8", "surrogatepass"), ttl=_SECONDS)
    except InvalidToken:
        return None
    path, page, fields, staff_id, had_files = orjson.loads(content)
    return Kept(path, page, tuple((name, value) for name, value in fields), staff_id, had_files)


def sealing(hasher: KeyHasher) -> Fernet:
    """What seals texts that travel through a browser."""
    return Fernet(base64.urlsafe_b64encode(hasher.subkey(b"console forms")))

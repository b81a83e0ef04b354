"""Reading what a form of the console sends: with limits, and with errors that name the field.

The readers (`text`, `choice`, `integer`, ...) note what is wrong in `errors` and give an empty value, so that a page
can read all fields, then show its form again with the words in it and all errors at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from serving.problems import BodyTooLarge, MalformedBody

KEY: Final = "form_key"
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_MOST_FIELDS: Final = 500
_WHOLE: Final = re.compile(r"-?\d{1,15}", re.ASCII)


@dataclass(slots=True)
class Problem:
    """What is wrong with a field: the key of a text and its values."""

    key: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Form:
    """The fields of a form, and what is wrong with them."""

    fields: Sequence[tuple[str, str]] = ()
    files: Sequence[tuple[str, UploadFile]] = ()
    errors: dict[str, Problem] = field(default_factory=dict)

    @property
    def is_fine(self) -> bool:
        """Whether nothing was wrong with what has been read so far."""
        return not self.errors

    def refuse(self, name: str, key: str, **values: Any) -> None:
        """Note what is wrong with a field; the first word on a field stands."""
        self.errors.setdefault(name, Problem(key, values))

    def has(self, name: str) -> bool:
        """Whether a field was sent."""
        return any(key == name for key, _ in self.fields)

    def raw(self, name: str, default: str = "") -> str:
        """A field as it was typed, for showing it again."""
        return next((value for key, value in self.fields if key == name), default)

    def value(self, name: str, otherwise: str | None = None) -> str:
        """A field as it was typed; if it was not sent, what a page shows instead."""
        return self.raw(name, otherwise or "")

    def every(self, name: str) -> list[str]:
        """All values of a field that may come several times."""
        return [value for key, value in self.fields if key == name]

    def text(self, name: str, *, longest: int, required: bool = False, lines: bool = False) -> str:
        """A text, trimmed, in NFC, without control characters; `lines`: it may have several."""
        text = self.raw(name).replace("\r\n", "\n").replace("\r", "\n")
        text = unicodedata.normalize("NFC", _UNPRINTABLE.sub("", text if lines else text.replace("\n", " "))).strip()
        if len(text) > longest:
            self.refuse(name, "form.too_long", count=longest)
        elif required and not text:
            self.refuse(name, "form.missing")
        return text

    def secret(self, name: str) -> str:
        """A password, exactly as it was typed."""
        return self.raw(name)

    def choice(self, name: str, allowed: Collection[str], *, required: bool = True) -> str:
        """One of the allowed codes; empty if there is none."""
        value = self.raw(name)
        if value in allowed:
            return value
        if value:
            self.refuse(name, "form.not_a_choice")
        elif required:
            self.refuse(name, "form.choose")
        return ""

    def integer(self, name: str, *, least: int, most: int, required: bool = True) -> int | None:
        """A whole number within bounds."""
        value = self.raw(name).strip()
        if not value:
            if required:
                self.refuse(name, "form.missing")
            return None
        if not _WHOLE.fullmatch(value) or not least <= int(value) <= most:
            self.refuse(name, "form.not_within", least=least, most=most)
            return None
        return int(value)

    def flag(self, name: str) -> bool:
        """Whether a box is ticked. A hidden field of the same name before it tells an empty box from none at all."""
        return any(value not in ("", "0") for value in self.every(name))

    async def close(self) -> None:
        """Let go of the files."""
        for _, file in self.files:
            await file.close()

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file, if one was chosen."""
        return next((file for key, file in self.files if key == name and file.filename), None)


async def read_form(request: Request, *, max_bytes: int, max_files: int = 0) -> Form:
    """The form in the body of a request.

    Raises:
        BodyTooLarge: the body has more than `max_bytes`; found from the declared length, or while it arrives.
        MalformedBody: it is no form, was cut off, or has too many fields or files.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    left = max_bytes

    async def receive() -> Message:
        nonlocal left
        message = await request.receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(max_bytes)
        return message

    limited = Request(request.scope, receive)
    try:
        data = await limited.form(max_files=max_files, max_fields=_MOST_FIELDS, max_part_size=max_bytes)
    except (HTTPException, MultiPartException) as error:
        raise MalformedBody("The form could not be read.") from error
    except ClientDisconnect:
        raise MalformedBody("The body was cut off.") from None
    return _form(data)


def _form(data: FormData) -> Form:
    items = data.multi_items()
    return Form(
        [(name, value) for name, value in items if isinstance(value, str)],
        [(name, value) for name, value in items if isinstance(value, UploadFile)],
    )


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"A form here may have at most {limit} bytes.")

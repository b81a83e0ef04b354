"""Single values of a policy file: numbers, words and texts, with what is wrong about others."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

from serving.policy.nodes import Scalar
from serving.texts.judging import blaming_words

_NUMBER: Final = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?")
_INTEGER: Final = re.compile(r"[+-]?\d{1,9}")
#: Other names of some words.
_MEANT: Final = {"UK": "GB", "EL": "GR"}
_SOME: Final = 12  # names that a message lists


def number(least: float, most: float) -> Scalar:
    """A decimal number between two bounds."""
    kind = f"a number from {_plain(least)} to {_plain(most)}"

    def convert(text: str) -> float:
        if not _NUMBER.fullmatch(text):
            point = "; write a point, not a comma" if "," in text else ""
            raise ValueError(f"must be {kind}, not {text[:60]!r}{point}")
        value = float(text)
        if not least <= value <= most:
            raise ValueError(f"{text} is not {kind}")
        return value

    return Scalar(kind, convert)


def _plain(value: float) -> str:
    """As one would write it in the file: no exponent."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def integer(least: int, most: int, *, why: str = "") -> Scalar:
    """A whole number between two bounds; `why` tells whoever goes below."""
    kind = f"a whole number from {least} to {most}"

    def convert(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError(f"must be {kind}, not {text[:60]!r}")
        value = int(text)
        if not least <= value <= most:
            raise ValueError(f"{text} is not {kind}" + (f": {why}" if why and value < least else ""))
        return value

    return Scalar(kind, convert)


def word(choices: Sequence[str], what: str) -> Scalar:
    """One of some words; `what` names them, as in 'channel'."""

    def convert(text: str) -> str:
        if text in choices:
            return text
        close = [_MEANT[text]] if _MEANT.get(text) in choices else difflib.get_close_matches(text, choices, 1)
        listed = f"one of {', '.join(choices)}" if len(choices) <= _SOME else f"such as {', '.join(choices[:3])}"
        raise ValueError(f"unknown {what} {text[:60]!r}; {f'did you mean {close[0]!r}? ' if close else ''}{listed}")

    return Scalar(what if len(choices) > _SOME else f"{what} ({', '.join(choices)})", convert)


def pattern(regular: str, kind: str) -> Scalar:
    """A text of a certain form."""
    compiled = re.compile(regular)

    def convert(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"must be {kind}, not {text[:60]!r}")
        return text

    return Scalar(kind, convert)


def words(most: int, placeholders: Sequence[str] = ()) -> Scalar:
    """A text for a person, of one line, with exactly some `{placeholders}`."""
    kind = "a text" + (f" with {' and '.join(f'{{{name}}}' for name in placeholders)}" if placeholders else "")

    def convert(text: str) -> str:
        text = " ".join(text.split())
        if not 1 <= len(text) <= most:
            raise ValueError(f"must be a text of 1 to {most} characters" if not text else f"is longer than {most}")
        if not text.isprintable():
            raise ValueError("has characters that cannot be shown")
        judging = blaming_words(text)
        if judging:
            raise ValueError(f"must not judge anybody: say it without {judging[0]!r}")
        used = re.findall(r"\{([^{}]*)\}", text)
        if sorted(used) != sorted(placeholders) or text.count("{") != len(used) or text.count("}") != len(used):
            raise ValueError(f"must be {kind}" + ("" if placeholders else ", without braces"))
        return text

    return Scalar(kind, convert)

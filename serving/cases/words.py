"""Words that people write: kept as they are, without what no reader could see."""

from __future__ import annotations

import re
from typing import Final

from serving.cases.errors import Incomplete

#: Longest note, and longest reason of a verdict, in characters.
LONGEST: Final = 4_000
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def cleaned(words: str, field: str, *, needed: bool = False) -> str:
    """The words with plain ends of lines, without control characters.

    Raises:
        Incomplete: they are too long, or missing where they are needed.
    """
    words = _UNSEEN.sub("", words.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if needed and not words:
        raise Incomplete("words_missing", field, "is required: say it in your own words")
    if len(words) > LONGEST:
        raise Incomplete("words_long", field, f"has more than {LONGEST} characters")
    return words

"""Characters that no id may hold: they make two ids look alike, or a log lie.

One list for every way in, as the languages of patterns differ: Python's for requests, RE2 for whole columns in Arrow.
"""

from __future__ import annotations

import re
from typing import Final

_PLANE: Final = 0x10000

#: First and last code point of each stretch.
FORBIDDEN: Final[tuple[tuple[int, int], ...]] = (
    (0x0000, 0x001F),  # controls
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),  # soft hyphen
    (0x061C, 0x061C),  # direction of writing
    (0x115F, 0x1160),  # fillers of Hangul, which are letters and look like nothing
    (0x180E, 0x180E),  # invisible ones
    (0x200B, 0x200B),
    (0x200E, 0x200F),  # direction of writing
    (0x2028, 0x202E),  # ends of lines and paragraphs, direction of writing
    (0x2060, 0x206F),
    (0x2800, 0x2800),  # Braille without a dot
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),  # halves of surrogate pairs
    (0xFDD0, 0xFDEF),  # code points that never become characters
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFF),
    (0xE0000, 0xE0FFF),  # tags and selectors, which are invisible
    *((plane * _PLANE + 0xFFFE, plane * _PLANE + 0xFFFF) for plane in range(1, 17)),
)

#: One forbidden character, for Python.
FORBIDDEN_PATTERN: Final = re.compile("[" + "".join(rf"\U{low:08X}-\U{high:08X}" for low, high in FORBIDDEN) + "]")

#: The same for RE2, which reads UTF-8: it has no halves of surrogate pairs, and no word for them.
FORBIDDEN_RE2: Final = "[" + "".join(rf"\x{{{low:X}}}-\x{{{high:X}}}" for low, high in FORBIDDEN if low != 0xD800) + "]"

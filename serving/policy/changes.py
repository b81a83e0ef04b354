"""What changes from one policy text to another, line by line."""

from __future__ import annotations

import difflib
from typing import Final, Literal, NamedTuple

_AROUND: Final = 3

Kind = Literal["same", "gone", "new", "skip"]


class Line(NamedTuple):
    """A line of the comparison: its number before and after (from 1), or how many are left out (`skip`)."""

    kind: Kind
    before: int | None
    after: int | None
    text: str


def changes(before: str, after: str) -> list[Line]:
    """The changed lines with some around them; nothing if both are the same.

    >>> [(line.kind, line.text) for line in changes("a\\nb\\n", "a\\nc\\n")]
    [('same', 'a'), ('gone', 'b'), ('new', 'c')]
    """
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    shown_until = 0
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND):
        left_out = group[0][1] - shown_until
        if left_out:
            found.append(Line("skip", None, None, str(left_out)))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += [Line("same", i + 1, j1 + i - i1 + 1, old[i]) for i in range(i1, i2)]
            else:
                found += [Line("gone", i + 1, None, old[i]) for i in range(i1, i2)]
                found += [Line("new", None, j + 1, new[j]) for j in range(j1, j2)]
            shown_until = i2
    if found and shown_until < len(old):
        found.append(Line("skip", None, None, str(len(old) - shown_until)))
    return found

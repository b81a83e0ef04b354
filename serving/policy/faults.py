"""What is wrong with a policy file, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from features.errors import ReturnwiseError


class Fault(NamedTuple):
    """One thing that is wrong: its place (line and column from 1), and what to do about it."""

    line: int
    column: int
    path: str
    what: str

    def told(self, file: str) -> str:
        """The fault in one line.

        >>> Fault(12, 3, "costs.loss_share", "1.4 is more than 1").told("shop.yaml")
        'shop.yaml:12:3: costs.loss_share: 1.4 is more than 1'
        """
        place = f"{file}:{self.line}:{self.column}: "
        return f"{place}{self.path}: {self.what}" if self.path else place + self.what


#: So many faults tell what is wrong; more are those of another kind of file.
MOST: Final = 100


class PolicyError(ReturnwiseError):
    """The policy cannot be used. The message has a line for each fault: file, line, column, and what to do."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        self.file = file
        found = sorted(set(faults))
        if len(found) > MOST:
            left = found[MOST]
            found = [*found[:MOST], Fault(left.line, left.column, "", f"and {len(found) - MOST} more from here on")]
        self.faults = tuple(found)
        super().__init__("\n".join(fault.told(file) for fault in self.faults))


class Wrong(Exception):
    """Faults found in a part of the file. Only readers raise and catch it; what leaves them is a `PolicyError`."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)

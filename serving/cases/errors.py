"""Why a step was not taken. Nothing of it was kept, and what was typed is still with who typed it.

Problem
+-- Conflict
|   +-- Stale            somebody else has changed the case since the form was made
|   +-- Held             somebody else has claimed it
|   +-- NotPossible      not in the state in which the case is
+-- Forbidden
|   +-- NotAllowed       not with this role
|       +-- AnotherPerson   the verdict must come from somebody else
+-- Invalid
    +-- Incomplete       something is missing or does not fit; `code` says what
"""

from __future__ import annotations

from collections.abc import Sequence

from serving.audit.trail import Entry
from serving.problems import Conflict, FieldError, Forbidden, Invalid


class Stale(Conflict):
    """Somebody else has changed the case since."""

    slug = "stale"
    title = "The case has changed"

    def __init__(self, since: Sequence[Entry]) -> None:
        super().__init__("The case has changed since this form was made; look at it again.")
        #: What happened since, oldest first.
        self.since = tuple(since)


class Held(Conflict):
    """Somebody else has claimed the case."""

    slug = "held"
    title = "Somebody else has claimed the case"

    def __init__(self, by: str, until: int) -> None:
        super().__init__("Somebody else has claimed this case.")
        self.by = by
        #: When the claim ends without activity, in microseconds since 1970 UTC.
        self.until = until


class NotPossible(Conflict):
    """The case is not in a state for it."""

    slug = "not-possible"
    title = "Not possible now"

    def __init__(self, state: str, step: str) -> None:
        super().__init__(f"This cannot be done to a case that is {state.replace('_', ' ')}: {step.replace('_', ' ')}.")
        self.state = state
        self.step = step


class NotAllowed(Forbidden):
    """Not with this role."""

    slug = "not-allowed"
    title = "Your role does not allow this"

    def __init__(self, operation: str, detail: str = "") -> None:
        super().__init__(detail or f"Your role does not allow this: {operation}.")
        self.operation = operation


class AnotherPerson(NotAllowed):
    """Who was asked for a second opinion, or whose verdict is disputed, does not decide again."""

    title = "Another person decides"

    def __init__(self, operation: str) -> None:
        super().__init__(operation, "Another person must give this verdict.")


class Incomplete(Invalid):
    """A field is missing or does not fit. `code` names the text that says so, `field` the place."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}", errors=[FieldError((field,), detail)])
        self.code = code
        self.field = field

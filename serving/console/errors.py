"""Why a request to the console is not let in, or not done.

ReturnwiseError
+-- ConsoleError                 carries the status; the page's texts are those of `errors.<slug>`
    +-- SignInNeeded      303    a page without a session: leads to signing in, and back
    +-- SessionOver       401    a form without a session: signing in gives the words back
    +-- StaleForm         409    a form of an earlier session: it is shown again, with the words in it
    +-- ForeignForm       403    a form that no page of this service sent
    +-- NotAllowed        403    the role may not do this

Problems (`serving.problems`) of the services that pages call become pages, too, by their status.
"""

from __future__ import annotations

from typing import ClassVar

from features.errors import ReturnwiseError


class ConsoleError(ReturnwiseError):
    """A request that is answered with a page about itself."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "500"

    def __init__(self, message: str = "") -> None:
        super().__init__(message)


class SignInNeeded(ConsoleError):
    """A page without a session."""

    status = 303


class SessionOver(ConsoleError):
    """A form without a session."""

    status = 401


class StaleForm(ConsoleError):
    """A form of an earlier session."""

    status = 409


class ForeignForm(ConsoleError):
    """A form that no page of this service sent."""

    status = 403
    slug = "foreign"


class NotAllowed(ConsoleError):
    """The role may not do this."""

    status = 403
    slug = "403"

    def __init__(self, operation: str) -> None:
        super().__init__(operation)
        self.operation = operation

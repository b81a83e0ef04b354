"""The one base of the errors that a person using Returnwise can do something about.

    ReturnwiseError
    +-- (each room derives its own: a file that is not there, a model that was never trained, ...)

The command line prints the message of such an error as one line on stderr and ends with `exit_code`; anything else is
a defect and keeps its traceback.
"""

from __future__ import annotations


class ReturnwiseError(Exception):
    """Something the caller can put right. The message says what is wrong and, where known, what to do about it.

    >>> str(ReturnwiseError("no such folder: data"))
    'no such folder: data'
    """

    exit_code: int = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

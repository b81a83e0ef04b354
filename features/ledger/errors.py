"""What can be wrong with a ledger as a whole (single rows that are refused are `features.ledger.append.Reject`s).

ReturnwiseError
+-- LedgerError     the ledger cannot be opened or used as it is
"""

from __future__ import annotations

from features.errors import ReturnwiseError


class LedgerError(ReturnwiseError):
    """The ledger cannot be opened or used; the message says what to do about it."""

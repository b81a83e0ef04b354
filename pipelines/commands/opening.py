"""What commands open, and close again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from features.settings import get_settings

if TYPE_CHECKING:
    from features.ledger.store import Ledger


@contextmanager
def opened_ledger() -> Iterator[Ledger]:
    """The ledger of the settings."""
    from features.ledger.store import Ledger

    ledger = Ledger.open(get_settings())
    try:
        yield ledger
    finally:
        ledger.close()

"""Figures that are computed now and then, not for everybody who looks: what a stretch of months says does not change
within a minute."""

from __future__ import annotations

import threading

from features.clock import SECOND
from features.ledger.store import Ledger
from serving.overview.figures import Figures, figures


class KeptFigures:
    """The figures of each stretch, as of at most so many seconds ago. Threads may share it."""

    def __init__(self, ledger: Ledger, *, keep_seconds: float) -> None:
        self._ledger = ledger
        self._keep = round(keep_seconds * SECOND)
        self._known: dict[int, Figures] = {}
        self._locks: dict[int, threading.Lock] = {}

    def of(self, days: int, now: int) -> Figures:
        """The figures of the last `days` days; whoever asks while they are computed waits for the same ones."""
        with self._locks.setdefault(days, threading.Lock()):
            known = self._known.get(days)
            if known is None or not 0 <= now - known.until < self._keep:
                with self._ledger.read() as conn:
                    known = self._known[days] = figures(conn, now, days)
            return known

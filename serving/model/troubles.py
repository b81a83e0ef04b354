"""What the service works without, by mode: for `/readyz`, the metrics and the log."""

from __future__ import annotations

import logging
from typing import Final

from serving import metrics

_log = logging.getLogger(__name__)

MODE_REGISTRY: Final = "registry"  # the registry does not answer or has no champion
MODE_CHAMPION: Final = "champion"  # the champion cannot be used; an earlier version answers
MODE_CHALLENGER: Final = "challenger"  # there is a challenger, and it cannot be used; nothing is scored in the shadow
MODE_POLICY: Final = "policy"  # the policy that was published cannot be used; the one before it decides


class Troubles:
    """Troubles by mode, in words. One thread notes and clears them, any may ask."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def note(self, mode: str, text: str) -> None:
        """Something is missing."""
        if self._texts.get(mode) != text:
            _log.warning("%s: %s", mode, text)
        self._texts[mode] = text
        metrics.degraded.labels(mode).set(1)

    def clear(self, mode: str) -> None:
        """It is there again."""
        self._texts.pop(mode, None)
        metrics.degraded.labels(mode).set(0)

    def told(self) -> dict[str, str]:
        """All of them."""
        return dict(self._texts)

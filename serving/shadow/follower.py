"""The challenger in use, and how it is found."""

from __future__ import annotations

import logging

from features.errors import ReturnwiseError
from serving import metrics
from serving.model.loaded import UnfitModelError
from serving.model.registry import Registered, Registry, RegistryError
from serving.model.troubles import MODE_CHALLENGER, Troubles
from serving.shadow.model import VectorModel

_log = logging.getLogger(__name__)


class ChallengerFollower:
    """Holds the version under the alias `challenger`. One thread calls `refresh`, any may ask for `current`."""

    def __init__(self, registry: Registry, troubles: Troubles) -> None:
        self._registry = registry
        self._troubles = troubles
        self._model: VectorModel | None = None
        self._seen: Registered | None = None  # taken, or refused for good
        self._refusal = ""

    def current(self) -> VectorModel | None:
        """The challenger; `None` if there is none, or none that can be used."""
        return self._model

    def refresh(self) -> None:
        """Ask the registry once, and follow the alias. Whatever goes wrong is a trouble, and no exception."""
        try:
            wanted = self._registry.challenger()
            if wanted is None:
                self._drop()
                self._troubles.clear(MODE_CHALLENGER)
            elif wanted != self._seen:
                self._drop()  # the alias has moved: what it was on before is no challenger any more
                self._take(wanted)
            elif self._refusal:
                self._troubles.note(MODE_CHALLENGER, self._refusal)
            else:
                self._troubles.clear(MODE_CHALLENGER)
        except RegistryError as error:  # asked again at the next poll
            self._troubles.note(MODE_CHALLENGER, error.message)
        except Exception as error:  # noqa: BLE001 - the champion is followed on, whatever it was
            _log.exception("looking for the challenger failed")
            self._troubles.note(MODE_CHALLENGER, f"looking for it failed: {type(error).__name__}")

    def _take(self, wanted: Registered) -> None:
        """Loads a version; refuses it for good if it cannot be used."""
        try:
            model = VectorModel(wanted.version, self._registry.fetch(wanted))
        except RegistryError:
            raise
        except ReturnwiseError as error:
            self._seen, self._refusal = wanted, f"version {wanted.version} cannot be used: {error.message}"
            metrics.challenger_refused_total.labels("features" if isinstance(error, UnfitModelError) else "files").inc()
            self._troubles.note(MODE_CHALLENGER, self._refusal)
            return
        self._model, self._seen = model, wanted
        metrics.challenger_version.labels(model.version).set(1)
        self._troubles.clear(MODE_CHALLENGER)
        _log.info("version %s is assessed in the shadow", model.version)

    def _drop(self) -> None:
        if self._model is not None:
            metrics.challenger_version.labels(self._model.version).set(0)
        self._model, self._seen, self._refusal = None, None, ""

"""The model in use, and the thread that looks for a newer one.

Requests only read one reference, so a new champion takes over between two of them. Whatever goes wrong with the
registry, the artifacts or a new version, the model that answers stays; `/readyz` and the metrics tell.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, Protocol

from features.errors import ReturnwiseError
from features.settings import Settings
from serving import metrics
from serving.model.loaded import LoadedModel, UnfitModelError
from serving.model.registry import Champion, Registry, RegistryError
from serving.problems import Unavailable

_log = logging.getLogger(__name__)

MODE_REGISTRY: Final = "registry"  # the registry does not answer or has no champion
MODE_CHAMPION: Final = "champion"  # the champion cannot be used; an earlier version answers


class ModelSource(Protocol):
    """Something that has a model now."""

    def current(self) -> LoadedModel:
        """The model to answer with."""
        ...


class ModelHolder:
    """Holds the champion; `start` and `stop` the thread that follows it."""

    def __init__(self, settings: Settings, *, poll_seconds: float, start_seconds: float) -> None:
        self._registry = Registry(settings)
        self._poll_seconds = poll_seconds
        self._start_seconds = start_seconds
        self._model: LoadedModel | None = None
        self._champion: Champion | None = None
        self._refused: Champion | None = None
        self._troubles: dict[str, str] = {}
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="model-follower", daemon=True)

    def current(self) -> LoadedModel:
        """The model to answer with.

        Raises:
            Unavailable: there is none yet.
        """
        model = self._model
        if model is None:
            cause = next(iter(self._troubles.values()), "it is being loaded")
            raise Unavailable(f"There is no model to assess with: {cause}.")
        return model

    @property
    def ready(self) -> bool:
        """Whether there is a model."""
        return self._model is not None

    @property
    def troubles(self) -> dict[str, str]:
        """What the holder works without, by mode, in words."""
        return dict(self._troubles)

    def start(self) -> None:
        """Follow the champion. Returns when it is loaded, or when the registry has failed or kept us waiting."""
        self._thread.start()
        self._asked.wait(self._start_seconds)
        if self._model is None:
            self._take_kept()

    def stop(self) -> None:
        """Stop following; a call to the registry that is under way is left to end by itself."""
        self._stop.set()

    def _follow(self) -> None:
        while not self._stop.is_set():
            self.refresh()
            self._asked.set()
            self._stop.wait(self._poll_seconds)

    def refresh(self) -> None:
        """Ask the registry once, and take over what is new."""
        try:
            champion = self._registry.champion()
            self._clear(MODE_REGISTRY)
            if champion == self._champion:
                self._clear(MODE_CHAMPION)
            elif champion != self._refused:
                self._take(champion)
        except RegistryError as error:
            self._trouble(MODE_REGISTRY, error.message)
        except Exception as error:  # noqa: BLE001 - the follower must go on, whatever it was
            _log.exception("looking for a new champion failed")
            self._trouble(MODE_REGISTRY, f"looking for a new champion failed: {type(error).__name__}")

    def _take(self, champion: Champion) -> None:
        """Loads a version and lets it answer; refuses it for good if it cannot be used."""
        try:
            model = LoadedModel(champion.version, self._registry.fetch(champion))
        except RegistryError:
            raise
        except ReturnwiseError as error:
            self._refused = champion
            metrics.model_refused_total.labels("features" if isinstance(error, UnfitModelError) else "files").inc()
            self._trouble(MODE_CHAMPION, f"version {champion.version} cannot be used: {error.message}")
            return
        former, self._model, self._champion, self._refused = self._model, model, champion, None
        if former is not None and former.version != model.version:
            metrics.model_version.labels(former.version).set(0)
        metrics.model_version.labels(model.version).set(1)
        self._clear(MODE_CHAMPION)
        self._registry.keep(champion)
        _log.info("version %s of %s answers", model.version, model.name)

    def _take_kept(self) -> None:
        champion = self._registry.kept()
        if champion is None:
            return
        try:
            model = LoadedModel(champion.version, self._registry.fetch(champion))
        except ReturnwiseError as error:
            self._trouble(MODE_CHAMPION, f"the kept version {champion.version} cannot be used: {error.message}")
            return
        if self._model is None:  # the registry may have answered meanwhile
            self._model, self._champion = model, champion
            metrics.model_version.labels(model.version).set(1)
            _log.warning("going on with the kept version %s of %s", model.version, model.name)

    def _trouble(self, mode: str, text: str) -> None:
        if self._troubles.get(mode) != text:
            _log.warning("%s: %s", mode, text)
        self._troubles[mode] = text
        metrics.degraded.labels(mode).set(1)

    def _clear(self, mode: str) -> None:
        self._troubles.pop(mode, None)
        metrics.degraded.labels(mode).set(0)


def champion_now(settings: Settings) -> LoadedModel:
    """The champion; where the registry does not answer, the version that was used last.

    Raises:
        ReturnwiseError: there is neither, or it cannot be used.
    """
    registry = Registry(settings)
    try:
        champion = registry.champion()
    except RegistryError:
        kept = registry.kept()
        if kept is None:
            raise
        _log.warning("the registry does not answer; going on with the kept version %s", kept.version)
        champion = kept
    return LoadedModel(champion.version, registry.fetch(champion))

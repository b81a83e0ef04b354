"""The model in use, and the thread that looks for a newer one, and for a challenger.

Requests only read one reference, so a new champion takes over between two of them. Whatever goes wrong with the
registry, the artifacts or a new version, the model that answers stays; `/readyz` and the metrics tell.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from features.errors import ReturnwiseError
from features.settings import Settings
from serving import metrics
from serving.model.loaded import LoadedModel, UnfitModelError
from serving.model.registry import Registered, Registry, RegistryError
from serving.model.troubles import MODE_CHAMPION, MODE_REGISTRY, Troubles
from serving.problems import Unavailable
from serving.shadow.follower import ChallengerFollower
from serving.shadow.model import VectorModel

_log = logging.getLogger(__name__)


class ModelSource(Protocol):
    """Something that has a model now."""

    def current(self) -> LoadedModel:
        """The model to answer with."""
        ...


class ModelHolder:
    """Holds champion and challenger; `start` and `stop` the thread that follows them."""

    def __init__(self, settings: Settings, *, poll_seconds: float, start_seconds: float) -> None:
        self._registry = Registry(settings)
        self._poll_seconds = poll_seconds
        self._start_seconds = start_seconds
        self._model: LoadedModel | None = None
        self._champion: Registered | None = None
        self._refused: Registered | None = None
        self._troubles = Troubles()
        self._challengers = ChallengerFollower(self._registry, self._troubles)
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
            cause = next(iter(self.troubles.values()), "it is being loaded")
            raise Unavailable(f"There is no model to assess with: {cause}.")
        return model

    def challenger(self) -> VectorModel | None:
        """The version to score in the shadow, if there is one that can be used."""
        return self._challengers.current()

    @property
    def ready(self) -> bool:
        """Whether there is a model."""
        return self._model is not None

    @property
    def troubles(self) -> dict[str, str]:
        """What the holder works without, by mode, in words."""
        return self._troubles.told()

    def start(self) -> None:
        """Follow both. Returns when the champion is loaded, or when the registry has failed or kept us waiting."""
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
            self._stop.wait(self._poll_seconds)

    def refresh(self) -> None:
        """Ask the registry once, and take over what is new."""
        answered = self._refresh_champion()
        self._asked.set()  # nobody waits for a challenger
        if answered:
            self._challengers.refresh()

    def _refresh_champion(self) -> bool:
        """Whether the registry answered."""
        try:
            champion = self._registry.champion()
            self._troubles.clear(MODE_REGISTRY)
            if champion == self._champion:
                self._troubles.clear(MODE_CHAMPION)
            elif champion != self._refused:
                self._take(champion)
        except RegistryError as error:
            self._troubles.note(MODE_REGISTRY, error.message)
            return False
        except Exception as error:  # noqa: BLE001 - the follower must go on, whatever it was
            _log.exception("looking for a new champion failed")
            self._troubles.note(MODE_REGISTRY, f"looking for a new champion failed: {type(error).__name__}")
            return False
        return True

    def _take(self, champion: Registered) -> None:
        """Loads a version and lets it answer; refuses it for good if it cannot be used."""
        try:
            model = LoadedModel(champion.version, self._registry.fetch(champion))
        except RegistryError:
            raise
        except ReturnwiseError as error:
            self._refused = champion
            metrics.model_refused_total.labels("features" if isinstance(error, UnfitModelError) else "files").inc()
            self._troubles.note(MODE_CHAMPION, f"version {champion.version} cannot be used: {error.message}")
            return
        former, self._model, self._champion, self._refused = self._model, model, champion, None
        if former is not None and former.version != model.version:
            metrics.model_version.labels(former.version).set(0)
        metrics.model_version.labels(model.version).set(1)
        self._troubles.clear(MODE_CHAMPION)
        self._registry.keep(champion)
        _log.info("version %s of %s answers", model.version, model.name)

    def _take_kept(self) -> None:
        champion = self._registry.kept()
        if champion is None:
            return
        try:
            model = LoadedModel(champion.version, self._registry.fetch(champion))
        except ReturnwiseError as error:
            cause = f"the kept version {champion.version} cannot be used: {error.message}"
            self._troubles.note(MODE_CHAMPION, cause)
            return
        if self._model is None:  # the registry may have answered meanwhile
            self._model, self._champion = model, champion
            metrics.model_version.labels(model.version).set(1)
            _log.warning("going on with the kept version %s of %s", model.version, model.name)


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

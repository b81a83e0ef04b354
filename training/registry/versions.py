"""Registered versions, read back: the model, and what was written down about how it came to be."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from features.risk_model import ModelError, RiskModel
from features.service import SERVICE
from features.settings import Settings
from features.signals import ModelFeature
from training.errors import RegistryError
from training.registry.tracking import CHALLENGER, CHAMPION, MODEL_NAME, client, mlflow, quiet
from training.table import parse_until

#: Later than any moment of a ledger, in microseconds.
_EVER: Final = 2**62

#: What MLflow's stores answer for a model, version or alias that is not there.
_MISSING: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class Version:
    """A version of the registered model, as it was registered."""

    number: str
    model: RiskModel
    aliases: tuple[str, ...]
    tags: Mapping[str, str]

    @property
    def stretches(self) -> dict[str, int]:
        """The moments at which its calibration and its test stretch began, and the gap before each, in microseconds:
        `calibration_from_us`, `test_from_us`, `gap_us`; without those that were not written down."""
        names = ("calibration_from_us", "test_from_us", "gap_us")
        return {name: int(self.tags[name]) for name in names if self.tags.get(name, "").isdigit()}

    @property
    def learned_until(self) -> int:
        """The latest moment of which it has seen labels: the start of its test stretch, or, where that was not written
        down, all it was trained on. 0 for a prior model, which has seen none."""
        if self.model.card.prior:
            return 0
        until = parse_until(self.model.card.trained_until)
        return self.stretches.get("test_from_us", _EVER if until is None else until)

    @property
    def unseen_from(self) -> int:
        """The first moment of whose returns it has seen no label, in microseconds."""
        if self.model.card.prior:
            return 0
        return self.stretches.get("test_from_us", self.learned_until + 1)

    def columns(self, features: Sequence[ModelFeature]) -> list[int]:
        """Positions of the model's features among `features`, in the model's order.

        Raises `RegistryError` naming those that are missing, or whose words have changed.
        """
        place = {f.name: i for i, f in enumerate(features)}
        missing = [name for name in self.model.features if name not in place]
        if missing:
            raise RegistryError(
                f"version {self.number} of {MODEL_NAME} needs features that the feature service {SERVICE} does not "
                f"give: {', '.join(missing)}; train a new version"
            )
        changed = [
            spec.name
            for spec in self.model.card.features
            if spec.categories is not None and spec.categories != features[place[spec.name]].categories
        ]
        if changed:
            raise RegistryError(
                f"version {self.number} of {MODEL_NAME} knows other words for {', '.join(changed)} than the feature "
                f"service {SERVICE} gives; train a new version"
            )
        return [place[name] for name in self.model.features]


def champion(settings: Settings) -> Version | None:
    """The version with the alias `champion`, if there is one."""
    number = _by_alias(settings, CHAMPION)
    return None if number is None else load(settings, number)


def load(settings: Settings, version: str | int | None = None) -> Version:
    """A version: the one named by number or by alias, else the champion, else the newest.

    Raises `RegistryError` if there is none or if it cannot be read.
    """
    tracking = client(settings)
    named = version
    if version in (CHAMPION, CHALLENGER):
        version = _by_alias(settings, str(version))
        if version is None:
            raise RegistryError(f"{MODEL_NAME} has no {named}: run `returnwise train` and `returnwise promote` first")
    if version is not None and not str(version).isdigit():
        raise RegistryError(f"a version is a whole number, {CHAMPION} or {CHALLENGER}, not {version!r}")
    with quiet():
        known = sorted(int(v.version) for v in tracking.search_model_versions(f"name = '{MODEL_NAME}'"))
        if not known:
            raise RegistryError(f"no version of {MODEL_NAME} is registered; run `returnwise train` first")
        number = int(version) if version is not None else int(_by_alias(settings, CHAMPION) or known[-1])
        if number not in known:
            some = ", ".join(map(str, known[-5:]))
            raise RegistryError(f"{MODEL_NAME} has no version {number}; the latest are {some}")
        try:
            found = tracking.get_model_version(MODEL_NAME, str(number))
            with tempfile.TemporaryDirectory(prefix="returnwise-") as folder:
                uri = f"models:/{MODEL_NAME}/{number}"
                fetched = Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder))
                model = RiskModel.load(fetched / "artifacts" / "model")
        except (mlflow.MlflowException, ModelError, OSError) as error:
            raise RegistryError(f"cannot read version {number} of {MODEL_NAME}: {error}") from error
    return Version(str(number), model, tuple(found.aliases), dict(found.tags))


def _by_alias(settings: Settings, alias: str) -> str | None:
    tracking = client(settings)
    with quiet():
        try:
            return str(tracking.get_model_version_by_alias(MODEL_NAME, alias).version)
        except mlflow.MlflowException as error:
            if error.error_code in _MISSING:
                return None
            raise RegistryError(f"the registry cannot be asked about {MODEL_NAME}@{alias}: {error}") from error

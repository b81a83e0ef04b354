"""A model folder made ready to answer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import ReturnwiseError
from features.risk_model import RiskModel
from features.service import MODEL_FEATURES, SERVICE, VECTOR

Floats = npt.NDArray[np.float64]

#: Where each model feature stands in the stored vector.
_COLUMNS: Final = np.array([VECTOR.index(feature.name) for feature in MODEL_FEATURES], dtype=np.intp)


class UnfitModelError(ReturnwiseError):
    """The model cannot be used with this version of the features; the message says in what they differ."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the model says about a row. `contributions` (k,) are in log-odds, in the order of `MODEL_FEATURES`."""

    risk: float
    band: str
    sufficient: bool
    contributions: Floats


class LoadedModel:
    """One version of the model, checked against the feature service."""

    def __init__(self, version: str, folder: Path) -> None:
        """Load a model folder.

        Raises:
            ModelError: the folder is not a model.
            UnfitModelError: its features are not those of the feature service.
        """
        self.version = version
        self.model = RiskModel.load(folder)
        self.name = self.model.card.name
        self._check()
        thin = self.model.card.thin_history
        self._thin_below = 0 if thin is None else thin.orders
        self._thin_at = 0 if thin is None else VECTOR.index(thin.feature)
        self.assess(np.zeros(len(VECTOR)))  # the first use is slower than the others

    @property
    def prior(self) -> bool:
        """Whether the model follows written weights because there were too few findings to learn from."""
        return self.model.card.prior

    @property
    def elevated_from(self) -> float:
        """The risk at which the band `elevated` begins."""
        return self.model.card.bands.elevated

    def assess(self, vector: Floats) -> Estimate:
        """Risk and contributions of one stored vector (len(VECTOR),)."""
        row = vector[_COLUMNS].reshape(1, -1)
        risk = self.model.risk_of_one(row)
        sufficient = self._thin_below == 0 or bool(vector[self._thin_at] >= self._thin_below)
        return Estimate(risk, self.model.band(risk), sufficient, self.model.contributions(row)[0])

    def outlooks(self, vectors: Floats) -> list[tuple[float, str, bool]]:
        """Risk, band and sufficiency of many vectors (n, len(VECTOR)): what `assess` says of each, to the last bit,
        without the contributions, which take most of its time."""
        rows = np.ascontiguousarray(vectors[:, _COLUMNS])
        return [
            (risk, self.model.band(risk), not thin)
            for risk, thin in zip(self.model.risk(rows).tolist(), self.model.thin(rows).tolist(), strict=True)
        ]

    def assess_many(self, vectors: Floats) -> list[Estimate]:
        """What `assess` says about each of many vectors (n, len(VECTOR)), to the last bit."""
        rows = np.ascontiguousarray(vectors[:, _COLUMNS])
        risks = self.model.risk(rows).tolist()
        thin = self.model.thin(rows).tolist()
        return [
            Estimate(risk, self.model.band(risk), not short, parts)
            for risk, short, parts in zip(risks, thin, self.model.contributions(rows), strict=True)
        ]

    def _check(self) -> None:
        card = self.model.card
        if card.feature_service != SERVICE:
            raise UnfitModelError(f"it was trained on feature service {card.feature_service}, this is {SERVICE}")
        theirs = [(spec.name, spec.categories) for spec in card.features]
        ours = [(feature.name, feature.categories) for feature in MODEL_FEATURES]
        if theirs != ours:
            odd, _ = next(their or our for our, their in zip_longest(ours, theirs) if our != their)
            raise UnfitModelError(
                f"its {len(theirs)} features are not the {len(ours)} of {SERVICE}; the first that differs: {odd}"
            )

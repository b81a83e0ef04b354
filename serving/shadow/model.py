"""A version of the model that reads stored vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from features.risk_model import ModelCard, RiskModel
from features.service import MODEL_FEATURES, SERVICE, VECTOR
from serving.model.loaded import UnfitModelError

Floats = npt.NDArray[np.float64]

_POSITION: Final = {name: position for position, name in enumerate(VECTOR)}
_CATEGORIES: Final = {feature.name: feature.categories for feature in MODEL_FEATURES}


class VectorModel:
    """Takes from a stored vector what it needs, by name: its features may be fewer than the champion's, in another
    order, or values that the champion does not look at."""

    def __init__(self, version: str, folder: Path) -> None:
        """Load a model folder.

        Raises:
            ModelError: the folder is not a model.
            UnfitModelError: it needs something that the vector does not hold.
        """
        self.version = version
        self.model = RiskModel.load(folder)
        self._columns = _columns(self.model.card)

    def risk(self, vectors: Floats) -> Floats:
        """Risks of stored vectors, to the last bit what the version would have answered. (n, len(VECTOR)) -> (n,)."""
        return self.model.risk(vectors[:, self._columns])


def _columns(card: ModelCard) -> npt.NDArray[np.intp]:
    missing = [spec.name for spec in card.features if spec.name not in _POSITION]
    if missing:
        some = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise UnfitModelError(f"{len(missing)} of its {len(card.features)} features are not in the vector: {some}")
    for spec in card.features:
        if spec.categories != _CATEGORIES.get(spec.name):
            raise UnfitModelError(f"its categories of {spec.name} are not those of {SERVICE}")
    return np.array([_POSITION[spec.name] for spec in card.features], dtype=np.intp)


def decoded(feature_service: str, vector: bytes) -> Floats | None:
    """A vector as it was stored (len(VECTOR),); `None` if it was made by another version of the features, so that
    nobody can tell what stands where."""
    if feature_service != SERVICE or len(vector) != 8 * len(VECTOR):
        return None
    return np.frombuffer(vector, dtype="<f8")

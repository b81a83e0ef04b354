"""From the model's contributions to reasons and reassurances."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from features.reasons import CODES, group_of, strongest
from features.service import MODEL_FEATURES
from serving.reasons.catalogue import Catalogue, Entry

Floats = npt.NDArray[np.float64]


class Explainer:
    """Says what the groups that raise or lower a risk most mean."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._groups = catalogue.groups
        self._group_of = group_of([feature.family for feature in MODEL_FEATURES])

    def codes(self, contributions: Floats) -> list[str]:
        """Codes of the reasons, strongest first."""
        return [entry.code for entry, _ in self._chosen(contributions)[0]]

    def explain(
        self, contributions: Floats, vector: Floats, *, claim: bool, currency: str | None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Reasons and reassurances of a vector (len(VECTOR),), strongest first, as the answer has them."""
        raising, lowering = self._chosen(contributions)
        reasons = []
        for entry, amount in raising:
            reason = _told(entry, vector, currency or "")
            reason["check"] = entry.check_claim if claim else entry.check
            reason["contribution"] = round(amount, 4)
            reasons.append(reason)
        reassurances = []
        for entry, amount in lowering:
            reassurance = _told(entry, vector, currency or "")
            reassurance["contribution"] = round(amount, 4)
            reassurances.append(reassurance)
        return reasons, reassurances

    def _chosen(self, contributions: Floats) -> tuple[list[tuple[Entry, float]], list[tuple[Entry, float]]]:
        """What is told of contributions (k,) in log-odds, in each direction."""
        sums = np.bincount(self._group_of, weights=contributions, minlength=len(CODES))
        places = strongest(np.stack([sums, -sums]))
        raising = [(self._groups[i].reason, float(sums[i])) for i in places[0].tolist() if i >= 0]
        lowering = [(self._groups[i].reassurance, float(sums[i])) for i in places[1].tolist() if i >= 0]
        return raising, lowering


def _told(entry: Entry, vector: Floats, currency: str) -> dict[str, Any]:
    for sentence in entry.sentences:
        filled = sentence.fill(vector, currency)
        if filled is not None:
            detail, facts = filled
            return {"code": entry.code, "title": sentence.title, "detail": detail, "facts": facts}
    raise AssertionError(f"{entry.code} has no sentence for every case")  # the catalogue is checked when it is read

"""From the model's contributions to reasons and reassurances."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from serving.reasons.catalogue import Catalogue, Entry

Floats = npt.NDArray[np.float64]


class Explainer:
    """Sums contributions by group and says what the strongest sums mean."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._group_of = np.array(catalogue.group_of, dtype=np.intp)

    def sums(self, contributions: Floats) -> Floats:
        """Contributions (k,) in log-odds, summed by group: (number of groups,)."""
        sums: Floats = np.bincount(self._group_of, weights=contributions, minlength=len(self._catalogue.groups)).astype(
            np.float64, copy=False
        )
        return sums

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
        """At most `most` groups in each direction whose sums reach the threshold."""
        catalogue = self._catalogue
        sums = self.sums(contributions).tolist()
        ranked = sorted(enumerate(sums), key=lambda item: item[1])
        raising = [
            (catalogue.groups[i].reason, amount) for i, amount in reversed(ranked) if amount >= catalogue.threshold
        ]
        lowering = [(catalogue.groups[i].reassurance, amount) for i, amount in ranked if amount <= -catalogue.threshold]
        return raising[: catalogue.most], lowering[: catalogue.most]


def _told(entry: Entry, vector: Floats, currency: str) -> dict[str, Any]:
    for sentence in entry.sentences:
        filled = sentence.fill(vector, currency)
        if filled is not None:
            detail, facts = filled
            return {"code": entry.code, "title": sentence.title, "detail": detail, "facts": facts}
    raise AssertionError(f"{entry.code} has no sentence for every case")  # the catalogue is checked when it is read

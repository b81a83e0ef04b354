"""Parts of past returns that figures are told for, so that nobody is bothered more than others unseen."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
import numpy.typing as npt

from serving.policy.past import Past

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DIMENSIONS: Final = ("country", "channel", "kind", "value", "tenure")
_VALUES: Final = (25, 50, 100, 250)
_TENURES: Final = ((0, "first_30_days"), (30, "30_days_to_a_year"), (365, "over_a_year"))


def segments(past: Past, values: Floats) -> list[tuple[str, str, Bools]]:
    """Dimension, name and members (n,) of each segment that there is, the largest of a dimension first where names have
    no order."""
    asked = past.asked
    found: list[tuple[str, str, Bools]] = []
    for dimension, words in (("country", asked.countries), ("channel", asked.channels), ("kind", asked.kinds)):
        names = np.array([word or "unknown" for word in words], dtype=object)
        every, counts = np.unique(names.astype(str), return_counts=True)
        for at in np.argsort(-counts, kind="stable").tolist():
            found.append((dimension, str(every[at]), names == every[at]))
    bounds = (0, *_VALUES, None)
    for low, high in itertools.pairwise(bounds):
        name = f"{low}+" if high is None else f"{low}–{high}"
        found.append(("value", name, (values >= (low or 0)) & (values < (np.inf if high is None else high))))
    ends = [*[start for start, _ in _TENURES[1:]], np.inf]
    for (start, name), end in zip(_TENURES, ends, strict=True):
        found.append(("tenure", name, (past.tenure_days >= start) & (past.tenure_days < end)))
    found.append(("tenure", "unknown", np.isnan(past.tenure_days)))
    return [(dimension, name, among) for dimension, name, among in found if among.any()]

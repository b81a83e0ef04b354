"""Which reasons a risk has: families of features told as one, and how the strongest are chosen.

The service puts the reasons into words (`serving/reasons`), training tests that they are true (`training/explanation`);
both choose them here, so that what is tested is what is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

#: Families of features by the code of the reason that speaks for them. Codes never change their meaning and are never
#: used again.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "R01": ("findings",),
    "R02": ("rate",),
    "R03": ("claims",),
    "R04": ("velocity",),
    "R05": ("timing",),
    "R06": ("value",),
    "R07": ("tender",),
    "R08": ("links",),
    "R09": ("linked_history",),
    "R10": ("tenure",),
    "R11": ("product",),
    "R12": ("delivery",),
    "R13": ("request",),
    "R14": ("bracketing",),
    "R15": ("stated",),
}
CODES: Final = tuple(GROUPS)

#: A group whose contributions sum to less than this many log-odds is not told, and never more groups than `MOST`.
THRESHOLD: Final = 0.10
MOST: Final = 4

_GROUP_OF_FAMILY: Final = {family: number for number, families in enumerate(GROUPS.values()) for family in families}


def group_of(families: Sequence[str]) -> Places:
    """The group's position in `CODES` for each feature (k,), given the features' families.

    Raises:
        KeyError: a family is in no group.
    """
    return np.array([_GROUP_OF_FAMILY[family] for family in families], dtype=np.intp)


def group_sums(contributions: Floats, groups: Places) -> Floats:
    """Contributions (n, k) in log-odds, summed by group: (n, number of groups).

    Feature after feature, so that one row gives the same bits as many.
    """
    sums = np.zeros((len(contributions), len(CODES)))
    for column, group in enumerate(groups.tolist()):
        sums[:, group] += contributions[:, column]
    return sums


def strongest(sums: Floats) -> Places:
    """Positions in `CODES` of the groups that raise the risk, strongest first: (n, MOST), -1 for none.

    Of `-sums` it gives those that lower it.
    """
    ranked = np.argsort(-sums, axis=1, kind="stable")[:, :MOST]
    return np.where(np.take_along_axis(sums, ranked, axis=1) >= THRESHOLD, ranked, -1)

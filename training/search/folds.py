"""Time-ordered folds over the train stretch.

Windows that expand: each fold fits on what came before a moment and is judged on the block after it. A row is fitted
on only if it was asked for a gap before that moment and its label was known by then: the rule of `dataset.split`. A
judged row needs its label by the end of the train stretch only. What calibrates and tests the model takes no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training.dataset import MIN_PER_STRETCH, Rows, Split, day
from training.errors import TooFewLabels

FOLDS: Final = 4
#: Share of the train stretch before the first judged block.
FIRST_SHARE: Final = 0.4


@dataclass(frozen=True)
class Fold:
    """Rows to fit on, the rows of the block that follows, and the moment between them in microseconds."""

    train: Rows
    judged: Rows
    judged_from: int


def folds(parts: Split, count: int = FOLDS) -> list[Fold]:
    """Folds of `parts.train` in order of time. Raises `TooFewLabels` if one of them has too few of either kind."""
    rows = parts.train
    t = rows.requested_at
    positions = [int(len(rows) * (FIRST_SHARE + (1 - FIRST_SHARE) * k / count)) for k in range(count)]
    starts = [int(t[position]) for position in positions]
    ends = [*starts[1:], parts.calibration_from]
    shortest = min(end - start for start, end in zip([int(t[0]), *starts], ends, strict=False))
    gap = max(0, min(parts.gap, shortest // 4))
    made = [
        Fold(
            train=rows.take((t < start - gap) & (rows.known_at <= start)),
            judged=rows.take((t >= start) & (t < end)),
            judged_from=start,
        )
        for start, end in zip(starts, ends, strict=True)
    ]
    for number, fold in enumerate(made, start=1):
        for what, part in (("fitted", fold.train), ("judged", fold.judged)):
            negatives = len(part) - part.positives
            if min(part.positives, negatives) < MIN_PER_STRETCH:
                raise TooFewLabels(
                    f"too few labels to compare recipes: {part.positives} positive and {negatives} negative among the "
                    f"{what} returns of fold {number} of {count} (from {day(fold.judged_from)} on), at least "
                    f"{MIN_PER_STRETCH} of each are needed"
                )
    return made

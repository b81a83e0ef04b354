"""What goes into a model card so that drift can be told later."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from features.reference import ReferenceSample
from training.dataset import Rows
from training.drift.columns import describe
from training.drift.performance import expected
from training.model import Fitted

#: Returns that describe what is usual. More of them would not tell more: the noise of a month's live returns rules.
REFERENCE_ROWS: Final = 10_000


def with_reference(fitted: Fitted, rows: Rows) -> Fitted:
    """The same model, with what is usual among `rows` on its card: returns whatever their label (in order of time),
    because those that were checked are no picture of those that come in."""
    if not len(rows):
        return fitted
    model = fitted.load()
    risk = model.risk(rows.X)
    sample = ReferenceSample(
        rows=len(rows),
        since=_iso(int(rows.requested_at[0])),
        until=_iso(int(rows.requested_at[-1])),
        features=tuple(
            describe(rows.X[:, i], len(spec.categories or ())) for i, spec in enumerate(fitted.card.features)
        ),
        risk=describe(risk),
        expected={name: round(value, 6) for name, value in expected(risk).items() if np.isfinite(value)},
    )
    return replace(fitted, card=fitted.card.model_copy(update={"usual": sample}))


def _iso(moment: int) -> str:
    return f"{np.datetime64(moment, 'us')}+00:00"

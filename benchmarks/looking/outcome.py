"""What came of a strategy: how long and how many checks until it saw the new kind, and what it found meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.looking.loop import Loop, learn, risk_of
from benchmarks.looking.shop import Returns
from features.clock import DAY
from training.drift.random_checks import Checks, chart

Floats = npt.NDArray[np.float64]

#: The new kind counts as flagged when so much of what a model that knows every truth would flag of it is.
_OF_STEADY: Final = 0.5
#: What is waited for: see `Outcome`.
MOMENTS: Final = ("first", "fifth", "flagged", "alarm")
_STEADY: Final = 56 * DAY


@dataclass(frozen=True)
class When:
    """Days since the break, and checks made since it; infinite where it did not happen before the end."""

    days: float
    checks: float


@dataclass(frozen=True)
class Outcome:
    """When the first and the fifth case of the new kind were seen, when the alarm over random checks rang, and since
    when the model flagged the kind; the share of the new kind flagged since the break, and what was found since then:
    value in the currency, of the new kind and of all, and cases. `early` is the value found before the break."""

    moments: Mapping[str, When]
    flagged: float
    new_value: float
    value: float
    new_cases: int
    cases: int
    early: float
    checks: int


def steady_recall(shop: Returns, capacity: float) -> float:
    """Share of the new kind that a model would flag in the last weeks that knows every truth before them."""
    cut = shop.end - _STEADY
    everything = np.ones(len(shop), dtype=bool)
    model = learn(shop, shop.X, shop.abusive.astype(np.float64), everything, cut)
    later = np.flatnonzero(shop.requested_at >= cut)
    return _recall(risk_of(model, shop.X[later]), shop.new[later], capacity)


def outcome(shop: Returns, loop: Loop, *, capacity: float, steady: float) -> Outcome:
    """The outcome of a loop; `steady` as `steady_recall` gives it."""
    found = loop.checked & shop.abusive & (shop.seen == 1) & (shop.known_at < shop.end)
    since = found & (shop.requested_at >= shop.broke)
    new = np.sort(shop.known_at[since & shop.new])
    worth = np.where(found, shop.value, 0.0)
    after = loop.checked & (shop.requested_at >= shop.broke)
    moments = {
        "first": new[0] if len(new) else None,
        "fifth": new[4] if len(new) > 4 else None,
        "alarm": _alarm(shop, loop),
        "flagged": _flagged_from(shop, loop, capacity, _OF_STEADY * steady),
    }

    def when(moment: int | None) -> When:
        if moment is None:
            return When(np.inf, np.inf)
        return When((moment - shop.broke) / DAY, float((after & (shop.requested_at < moment)).sum()))

    return Outcome(
        moments={name: when(moment) for name, moment in moments.items()},
        flagged=float(np.mean([recall for _, recall in _recalls(shop, loop, capacity)])),
        new_value=float(worth[since & shop.new].sum()),
        value=float(worth[since].sum()),
        new_cases=int((since & shop.new).sum()),
        cases=int(since.sum()),
        early=float(worth[found & ~since].sum()),
        checks=int(after.sum()),
    )


def _alarm(shop: Returns, loop: Loop) -> int | None:
    """When the alarm over random checks first rang after the break."""
    own = loop.drawn & ~np.isnan(shop.seen) & (shop.known_at < shop.end)
    before = shop.before
    checks = Checks.of(
        np.concatenate([before.known_at, shop.known_at[own]]),
        np.concatenate([before.found, shop.seen[own]]),
        np.concatenate([before.odds, loop.odds[own]]),
    )
    drawn = chart(checks, shop.start, None) if own.any() else None
    return None if drawn is None else next((moment for moment in drawn.alarms if moment >= shop.broke), None)


def _flagged_from(shop: Returns, loop: Loop, capacity: float, bar: float) -> int | None:
    """From when on the model flagged at least `bar` of the new kind: the start of that model's use."""
    return next((begin for begin, recall in _recalls(shop, loop, capacity) if recall >= bar), None)


def _recalls(shop: Returns, loop: Loop, capacity: float) -> list[tuple[int, float]]:
    """For each model in use after the break: from when, and the share of the new kind among its highest scores."""
    out = []
    since = shop.requested_at >= shop.broke
    for number in np.unique(loop.model[since]).tolist():
        rows = np.flatnonzero(since & (loop.model == number))
        if shop.new[rows].any():
            out.append((int(shop.requested_at[rows[0]]), _recall(loop.risk[rows], shop.new[rows], capacity)))
    return out


def _recall(risk: Floats, new: npt.NDArray[np.bool_], capacity: float) -> float:
    """Share of `new` (n,) among the highest scores."""
    top = np.argsort(-risk, kind="stable")[: round(capacity * len(risk))]
    return float(new[top].sum() / max(new.sum(), 1))

"""What would have had to be different for a return not to be checked, so that it can be told and is true.

The search starts from the vector that was stored with the assessment and changes what a customer could have done
otherwise: fewer returns in 90 days, fewer claims in a year, the money asked back to where it came from, a proof of
purchase. Each change is carried through everything that follows from it: all windows that hold the returns left out,
what they were worth, how they were asked for, and what the model's signals make of that. The model that made the
assessment scores every changed vector, and the policy that decided decides again. Told is the smallest change after
which nobody would have checked; none, if there is none.

Left out are the oldest returns of the window, as the average of their age: which ones is nothing that a sentence could
say. The latest return stays, unless all go, because from when the one before it is is not in the vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from features.clock import WINDOWS
from features.declarations import LINKS
from features.ledger import vocabulary as words
from features.service import DERIVED, VECTOR
from serving.model.loaded import Floats, LoadedModel

Lever = Literal["fewer_returns", "fewer_claims", "original_tender", "with_proof"]
#: Whether somebody would check a return of that risk, band and sufficiency of the history, all else being as it was.
Checks = Callable[[float, str, bool], bool]
Values = dict[str, float]

_ASKED: Final[tuple[Lever, ...]] = ("original_tender", "with_proof")
_MOST_RETURNS: Final = 12
_MOST_CLAIMS: Final = 6
_ALL: Final = tuple(WINDOWS)
#: Sums over returns of goods and over claims alike; what of them goes with some of these is their share, rounded down.
_OF_BOTH: Final = (
    "defect_returns",
    "exchanges",
    "store_credits",
    "other_tender",
    "without_proof",
    "late_returns",
    "quick_returns",
    "weekend_returns",
    "days_kept",
)
_OF_GOODS: Final = ("items_returned", "value_returned")
_OF_CLAIMS: Final = ("value_claimed", "not_received", "missing_items")
_PLACE: Final = {name: place for place, name in enumerate(VECTOR)}
_GIVEN: Final = len(VECTOR) - len(DERIVED)
_AGE: Final = "customer_seconds_since_last_return"


class Change(NamedTuple):
    """One thing that would have been different; `number` of it within `window`, where it is counted."""

    lever: Lever
    number: int = 1
    window: str = ""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The changes, fewest first, and the vector (len(VECTOR),) that they make."""

    changes: tuple[Change, ...]
    vector: Floats


def search(vector: Floats, model: LoadedModel, checks: Checks) -> Counterfactual | None:
    """The smallest change of a stored vector (len(VECTOR),) after which nobody would check.

    `model` must be the one that made the assessment. Takes some milliseconds: not for the event loop.
    """
    if len(vector) != len(VECTOR):
        return None
    before = dict(zip(VECTOR, vector.tolist(), strict=True))
    tried = list(_candidates(before))
    if not tried:
        return None
    changed = _vectors([values for _, values in tried])
    for (changes, _), row, outlook in zip(tried, changed, model.outlooks(changed), strict=True):
        if not checks(*outlook):
            return Counterfactual(changes, row)
    return None


def _candidates(before: Values) -> Iterator[tuple[tuple[Change, ...], Values]]:
    """Changes and what they make of the values, the smallest first; at most two things at once."""
    returns = _some(before, "fewer_returns", "90d", _MOST_RETURNS)
    claims = _some(before, "fewer_claims", "365d", _MOST_CLAIMS)
    asked = [Change(lever) for lever in _ASKED if _can_ask(before, lever)]
    singles = [(each,) for each in (*asked, *returns, *claims)]
    pairs = [
        *((one, other) for one in returns for other in claims),
        *((one, other) for one in (*returns, *claims) for other in asked),
        *(tuple(asked[:2]) for _ in asked[1:]),
    ]
    for changes in (
        *sorted(singles, key=lambda made: made[0].number),
        *sorted(pairs, key=lambda made: sum(each.number for each in made)),
    ):
        values: Values | None = before
        for change in changes:
            values = None if values is None else _changed(values, change)
        if values is not None:
            yield changes, values


def _some(before: Values, lever: Lever, window: str, most: int) -> list[Change]:
    there = _counted(before, lever, window)
    return [Change(lever, count, window) for count in range(1, min(there, most) + 1)]


def _counted(values: Mapping[str, float], lever: Lever, window: str) -> int:
    claims = values[f"customer_claims_{window}"]
    return int(claims if lever == "fewer_claims" else values[f"customer_returns_{window}"] - claims)


def _can_ask(values: Mapping[str, float], lever: Lever) -> bool:
    if lever == "with_proof":
        return values["request_proof_of_purchase"] == 0
    return values["request_tender_code"] == words.TENDERS.index("other")


def _changed(values: Values, change: Change) -> Values | None:
    """The values with a change, None where it cannot be told what follows from it."""
    after = dict(values)
    if change.lever == "with_proof":
        after["request_proof_of_purchase"] = 1.0
        return after
    if change.lever == "original_tender":
        after["request_tender_code"] = float(words.TENDERS.index("original"))
        return after
    there = _counted(values, change.lever, change.window)
    all_go = change.number == values["customer_returns_lifetime"]
    on_this_order = values["order_returns_lifetime"]
    if change.number > there - (0 if all_go else 1) or change.number > there - on_this_order:
        return None
    _leave_out(after, change)
    if all_go:
        after[_AGE] = math.nan
    return after


def _leave_out(after: Values, change: Change) -> None:
    """Takes `number` of the returns or claims out of all sums, from the oldest ring of the window inwards."""
    inner = _ALL[: _ALL.index(change.window) + 1]
    left = change.number
    alone = [link for link in LINKS if _all_with(after, link)]
    for place in range(len(inner) - 1, -1, -1):
        ring = inner[place], inner[place - 1] if place else None
        there = _in_ring(after, change.lever, ring)
        going = min(left, there)
        if going:
            _take(after, change.lever, ring, going, there, alone)
        left -= going


Ring = tuple[str, str | None]  # between the outer window and the next smaller one


def _ring(values: Mapping[str, float], name: str, ring: Ring) -> int:
    outer, inside = ring
    return int(values[f"{name}_{outer}"] - (values[f"{name}_{inside}"] if inside else 0.0))


def _in_ring(values: Mapping[str, float], lever: Lever, ring: Ring) -> int:
    claims = _ring(values, "customer_claims", ring)
    return claims if lever == "fewer_claims" else _ring(values, "customer_returns", ring) - claims


def _take(after: Values, lever: Lever, ring: Ring, going: int, there: int, links: list[str]) -> None:
    """Takes `going` of the `there` returns or claims of a ring out of every window that holds it."""
    both = _ring(after, "customer_returns", ring)
    own = _OF_CLAIMS if lever == "fewer_claims" else _OF_GOODS
    taken = {"returns": going, **({"claims": going} if lever == "fewer_claims" else {})}
    taken |= {name: _ring(after, f"customer_{name}", ring) * going // both for name in _OF_BOTH}
    taken |= {name: _ring(after, f"customer_{name}", ring) * going // there for name in own}
    holders = _ALL[_ALL.index(ring[0]) :]
    for name, amount in taken.items():
        for window in holders:
            for who in ("customer", *links, *(f"customer_{link}" for link in links)):
                key = f"{who}_{name}_{window}"
                if key in after:
                    after[key] -= amount


def _all_with(values: Mapping[str, float], link: str) -> bool:
    """Whether all that the customer ever returned was returned with this address, card, device or e-mail: only then is
    it known that what is left out was."""
    return values[f"customer_{link}_returns_lifetime"] == values["customer_returns_lifetime"]


def _vectors(changed: list[Values]) -> Floats:
    """Whole vectors (n, len(VECTOR)) of changed values: the signals made anew of what they are made of."""
    vectors = np.array([[values[name] for name in VECTOR[:_GIVEN]] + [0.0] * len(DERIVED) for values in changed])
    columns = {name: vectors[:, place] for name, place in _PLACE.items() if place < _GIVEN}
    for place, feature in enumerate(DERIVED, start=_GIVEN):
        vectors[:, place] = feature.value(columns)
    return vectors

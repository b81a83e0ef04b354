"""Values at one moment, for the API: masks and one matrix product per kind of fact."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from features import declarations
from features.clock import SECOND, window_us
from features.history import PARTIES, History
from features.kernel.key import KeyFacts
from features.measures import FACT_KINDS, Entity, FactKind, Ints, Measure

_WINDOWS: Final = declarations.ALL_WINDOWS
_LENGTHS: Final = np.array([window_us(name) for name in _WINDOWS], dtype=np.int64)


def parties_of(entity: Entity) -> tuple[str, ...]:
    """The parties whose keys must all match: ("customer", "address") for their pair, () for the order itself."""
    return tuple(key.removesuffix("_id") for key in entity.keys if key != "order_id")


#: Shape (entities, parties and order): what must be the asked one for a fact to be the entity's.
_NEEDED: Final = np.array(
    [[party in parties_of(entity) for party in PARTIES] + ["order_id" in entity.keys] for entity in declarations.EXACT],
    dtype=np.float64,
)


@dataclass(frozen=True)
class _Plan:
    """Where each sum is found in the (entity, window, measure) product of its kind of fact."""

    measures: tuple[Measure, ...]
    source: Ints
    target: Ints


#: Names of all exact values, in the order of the arrays that this module returns.
NAMES: Final = tuple(name for entity in declarations.EXACT for name in entity.feature_names())
_POSITION: Final = {name: position for position, name in enumerate(NAMES)}


#: Where the values of each entity stand; those of a single link by the name of the party.
_PLACES: Final = {
    entity.name: slice(_POSITION[entity.feature_names()[0]], _POSITION[entity.feature_names()[-1]] + 1)
    for entity in declarations.EXACT
}

#: Number of the entity, party counted, and for each window the place of the count and the window's length.
_DISTINCTS: Final = tuple(
    (
        number,
        distinct.of,
        tuple((_POSITION[f"{entity.name}_{distinct.name}_{w}"], window_us(w)) for w in entity.windows),
    )
    for number, entity in enumerate(declarations.EXACT)
    for distinct in entity.distincts
)


def _plans() -> dict[FactKind, _Plan]:
    plans: dict[FactKind, _Plan] = {}
    for kind in FACT_KINDS:
        measures: list[Measure] = []
        source: list[int] = []
        target: list[int] = []
        wanted = [
            (number, entity, measure)
            for number, entity in enumerate(declarations.EXACT)
            for measure in entity.measures
            if measure.facts == kind
        ]
        for _, _, measure in wanted:
            if measure not in measures:
                measures.append(measure)
        for number, entity, measure in wanted:
            for window in entity.windows:
                row = number * len(_WINDOWS) + _WINDOWS.index(window)
                source.append(row * len(measures) + measures.index(measure))
                target.append(_POSITION[f"{entity.name}_{measure.name}_{window}"])
        plans[kind] = _Plan(tuple(measures), np.array(source, dtype=np.int64), np.array(target, dtype=np.int64))
    return plans


_PLANS: Final = _plans()


def values(
    history: History,
    keys: Mapping[str, str | None],
    order_no: int | None,
    moment: int,
    busy: Mapping[str, KeyFacts] = MappingProxyType({}),
) -> npt.NDArray[np.float64]:
    """Exact values of every `NAMES` at `moment`.

    Shape (len(NAMES),); whole numbers, and NaN for an age without a fact. A missing key has no history: zeros. Of the
    parties in `busy` the history need not hold all orders; the values of the party itself are those of its facts there.
    """
    result = np.zeros(len(NAMES), dtype=np.float64)
    masks: dict[FactKind, npt.NDArray[np.bool_]] = {}
    for kind, plan in _PLANS.items():
        facts = history.facts[kind]
        if not len(facts):
            masks[kind] = np.zeros((len(declarations.EXACT), 0), dtype=bool)
            continue
        occurred = facts.columns["occurred_at"]
        mask = _belongs(history, kind, keys, order_no) & (facts.columns["recorded_at"] < moment)
        masks[kind] = mask
        within = occurred >= (moment - _LENGTHS)[:, None]
        weights = (mask[:, None, :] & within[None, :, :]).reshape(-1, len(facts)).astype(np.float64)
        matrix = np.empty((len(facts), len(plan.measures)), dtype=np.float64)
        for column, measure in enumerate(plan.measures):
            matrix[:, column] = measure.value(facts.columns)
        # Sums of integers below 2**53 are exact in float64, and BLAS adds them much faster than int64 loops.
        result[plan.target] = (weights @ matrix).ravel()[plan.source]
    _distincts(history, masks["orders"], moment, result)
    _ages(history, masks, moment, result)
    for party, of_key in busy.items():
        result[_PLACES[party]] = of_key.values(moment)
    return result


def _belongs(
    history: History, kind: FactKind, keys: Mapping[str, str | None], order_no: int | None
) -> npt.NDArray[np.bool_]:
    """Shape (entities, facts): which facts are of the asked customer, address, pair, order."""
    order = history.facts[kind].order
    # `of_keys` gives the asked key the code 0. A last row for the order itself.
    other = np.ones((len(PARTIES) + 1, len(order)), dtype=np.float64)
    for position, party in enumerate(PARTIES):
        if keys.get(party) is not None:
            np.not_equal(history.fact_keys(kind, party), 0, out=other[position], casting="unsafe")
    if order_no is not None:
        np.not_equal(history.facts[kind].columns["order_no"], order_no, out=other[-1], casting="unsafe")
    mask: npt.NDArray[np.bool_] = (_NEEDED @ other) == 0
    return mask


def _distincts(history: History, mask: npt.NDArray[np.bool_], moment: int, result: npt.NDArray[np.float64]) -> None:
    # A customer has few orders: plain lists and dicts are quicker here than arrays.
    occurred: list[int] = history.facts["orders"].columns["occurred_at"].tolist()
    by_time = sorted(range(len(occurred)), key=occurred.__getitem__)
    codes: dict[str, list[int]] = {party: history.keys[party].tolist() for party in PARTIES}
    masks: list[list[bool]] = mask[:, by_time].tolist()
    for number, of, targets in _DISTINCTS:
        if True not in masks[number]:
            continue
        own = codes[of]
        latest = {
            own[position]: occurred[position] for position, is_in in zip(by_time, masks[number], strict=True) if is_in
        }
        latest.pop(-1, None)
        last = sorted(latest.values())
        for target, length in targets:
            result[target] = len(last) - bisect_left(last, moment - length)


def _ages(
    history: History, masks: Mapping[FactKind, npt.NDArray[np.bool_]], moment: int, result: npt.NDArray[np.float64]
) -> None:
    for number, entity in enumerate(declarations.EXACT):
        for age in entity.ages:
            facts = history.facts[age.facts]
            mask = masks[age.facts][number]
            if age.where is not None and len(facts):
                mask = mask & age.where(facts.columns)
            chosen = facts.columns["occurred_at"][mask]
            position = _POSITION[f"{entity.name}_{age.name}"]
            if len(chosen):
                end = int(chosen.max() if age.end == "last" else chosen.min())
                result[position] = (moment - end) // SECOND
            else:
                result[position] = np.nan

"""Values at one moment, for the API: masks and one matrix product per kind of fact."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from features import declarations
from features.clock import SECOND, window_us
from features.history import PARTIES, History
from features.kernel.key import KeyFacts
from features.measures import FACT_KINDS, Entity, FactKind, Ints, Measure, names_of

_WINDOWS: Final = declarations.ALL_WINDOWS
_CUSTOMER: Final = PARTIES.index("customer")
_LENGTHS: Final = np.array([window_us(name) for name in _WINDOWS], dtype=np.int64)


def parties_of(entity: Entity) -> tuple[str, ...]:
    """The parties whose keys must all match: ("customer", "address") for their pair, () for the order itself."""
    return tuple(key.removesuffix("_id") for key in entity.keys if key != "order_id")


#: Shape (entities, parties and order): what must be the asked one for a fact to be the entity's.
_NEEDED: Final = np.array(
    [[party in parties_of(entity) for party in PARTIES] + ["order_id" in entity.keys] for entity in declarations.EXACT],
    dtype=np.float64,
)


#: Names of all exact values, in the order of the arrays that this module returns.
NAMES: Final = names_of(declarations.EXACT)
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


#: Number of the entity, the age, and its place.
_AGES: Final = tuple(
    (number, age, _POSITION[f"{entity.name}_{age.name}"])
    for number, entity in enumerate(declarations.EXACT)
    for age in entity.ages
)

#: The measures of each kind of fact, each once.
_MEASURES: Final[dict[FactKind, tuple[Measure, ...]]] = {
    kind: tuple(dict.fromkeys(m for entity in declarations.EXACT for m in entity.measures if m.facts == kind))
    for kind in FACT_KINDS
}
#: Sums of a kind of fact of which there is none: (entity, window, measure), flat.
_NOTHING: Final = {
    kind: np.zeros(len(declarations.EXACT) * len(_WINDOWS) * len(measures)) for kind, measures in _MEASURES.items()
}


def _sums() -> tuple[Ints, Ints]:
    """Where each sum is found in the flat (kind, entity, window, measure) products, and its place among `NAMES`."""
    source: list[int] = []
    target: list[int] = []
    offset = 0
    for kind, measures in _MEASURES.items():
        for number, entity in enumerate(declarations.EXACT):
            for measure in entity.measures:
                if measure.facts != kind:
                    continue
                for window in entity.windows:
                    row = number * len(_WINDOWS) + _WINDOWS.index(window)
                    source.append(offset + row * len(measures) + measures.index(measure))
                    target.append(_POSITION[f"{entity.name}_{measure.name}_{window}"])
        offset += len(_NOTHING[kind])
    return np.array(source, dtype=np.int64), np.array(target, dtype=np.int64)


_SOURCE, _TARGET = _sums()


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
    facts = [history.facts[kind] for kind in FACT_KINDS]
    ends = list(accumulate((len(of_kind) for of_kind in facts), initial=0))
    places = dict(zip(FACT_KINDS, map(slice, ends, ends[1:]), strict=False))
    occurred = np.concatenate([of_kind.columns["occurred_at"] for of_kind in facts])
    known = np.concatenate([of_kind.columns["recorded_at"] for of_kind in facts]) < moment
    mask = _belongs(history, keys, order_no, places) & known
    within = occurred >= (moment - _LENGTHS)[:, None]
    weights = (mask[:, None, :] & within).reshape(len(mask) * len(within), -1).astype(np.float64)
    products = []
    for of_kind, kind in zip(facts, FACT_KINDS, strict=True):
        if not len(of_kind):
            products.append(_NOTHING[kind])
            continue
        measures = _MEASURES[kind]
        matrix = np.empty((len(of_kind), len(measures)), dtype=np.float64)
        for column, measure in enumerate(measures):
            matrix[:, column] = measure.value(of_kind.columns)
        # Sums of integers below 2**53 are exact in float64, and BLAS adds them much faster than int64 loops.
        products.append((weights[:, places[kind]] @ matrix).ravel())
    result[_TARGET] = np.concatenate(products)[_SOURCE]
    _distincts(history, mask[:, places["orders"]], moment, result)
    _ages(history, mask, places, moment, result)
    for party, of_key in busy.items():
        result[_PLACES[party]] = of_key.values(moment)
    return result


def _belongs(
    history: History, keys: Mapping[str, str | None], order_no: int | None, places: Mapping[FactKind, slice]
) -> npt.NDArray[np.bool_]:
    """Shape (entities, facts): which facts are of the asked customer, address, pair, order."""
    # `of_keys` gives the asked key the code 0. A last row for the order itself.
    other = np.ones((len(PARTIES) + 1, len(history.order_nos)), dtype=np.float64)
    for position, party in enumerate(PARTIES):
        if keys.get(party) is not None:
            np.not_equal(history.keys[party], 0, out=other[position], casting="unsafe")
    if order_no is not None:
        np.not_equal(history.order_nos, order_no, out=other[-1], casting="unsafe")
    of_facts = other[:, np.concatenate([history.facts[kind].order for kind in FACT_KINDS])]
    for kind, place in places.items():
        returner = history.facts[kind].returner
        if returner is not None and keys.get("customer") is not None and len(returner) and returner.max() >= 0:
            of_facts[_CUSTOMER, place][returner >= 0] = returner[returner >= 0] != 0
    mask: npt.NDArray[np.bool_] = (_NEEDED @ of_facts) == 0
    return mask


def _distincts(history: History, mask: npt.NDArray[np.bool_], moment: int, result: npt.NDArray[np.float64]) -> None:
    # A customer has few orders: plain lists and dicts are quicker here than arrays.
    occurred = history.facts["orders"].columns["occurred_at"]
    by_time = np.argsort(occurred, kind="stable")
    occurred, mask = occurred[by_time], mask[:, by_time]
    codes = {party: history.keys[party][by_time] for party in PARTIES}
    for number, of, targets in _DISTINCTS:
        own = mask[number]
        latest: dict[int, int] = dict(zip(codes[of][own].tolist(), occurred[own].tolist(), strict=True))
        latest.pop(-1, None)
        if latest:
            last = sorted(latest.values())
            for target, length in targets:
                result[target] = len(last) - bisect_left(last, moment - length)


def _ages(
    history: History,
    masks: npt.NDArray[np.bool_],
    places: Mapping[FactKind, slice],
    moment: int,
    result: npt.NDArray[np.float64],
) -> None:
    for number, age, position in _AGES:
        facts = history.facts[age.facts]
        mask = masks[number, places[age.facts]]
        if age.where is not None and len(facts):
            mask = mask & age.where(facts.columns)
        chosen = facts.columns["occurred_at"][mask]
        if len(chosen):
            end = int(chosen.max() if age.end == "last" else chosen.min())
            result[position] = (moment - end) // SECOND
        else:
            result[position] = np.nan

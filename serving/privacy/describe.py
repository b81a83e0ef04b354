"""Every value of a stored vector, described for the person it is about."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from features import declarations
from features.request import FIELDS
from features.service import MODEL_FEATURES, SERVICE, VECTOR

_WINDOWS: Final = {
    name: "ever" if name == "lifetime" else f"in {name.removesuffix('d')} days" for name in declarations.ALL_WINDOWS
}


class Described(NamedTuple):
    """A value with its name and what it means; None where it was not known.

    `withheld`: it tells of other customers with the same address, card, device or e-mail, whose it is: the person hears
    that it was used and what it means, and not what it was.
    """

    name: str
    value: float | None
    meaning: str
    withheld: bool = False


#: About all who used an address, card, device or e-mail together, so that it tells of the others; how many they are is
#: told.
_OF_OTHERS: Final = frozenset(
    name
    for entity in declarations.EXACT
    if entity.name in declarations.LINKS
    for name in entity.feature_names()
    if not name.startswith(f"{entity.name}_customers_")
) | {feature.name for feature in MODEL_FEATURES if feature.family == "linked_history"}


def vector_told(feature_service: str, vector: bytes) -> list[Described]:
    """The values of a vector (float64 bytes) in their order; none of one of another release."""
    values = np.frombuffer(vector, dtype="<f8").tolist() if len(vector) % 8 == 0 else []
    if feature_service != SERVICE or len(values) != len(VECTOR):
        return []
    return [
        Described(name, None if value != value or name in _OF_OTHERS else value, meanings()[name], name in _OF_OTHERS)
        for name, value in zip(VECTOR, values, strict=True)
    ]


@cache
def meanings() -> dict[str, str]:
    """What each value of the vector means, by its name."""
    found: dict[str, str] = {}
    for entity in declarations.ENTITIES:
        whose = _whose(entity.name)
        for measure in entity.measures:
            for window in entity.windows:
                found[f"{entity.name}_{measure.name}_{window}"] = f"{measure.text}, {_WINDOWS[window]} ({whose})"
        for distinct in entity.distincts:
            for window in entity.windows:
                found[f"{entity.name}_{distinct.name}_{window}"] = f"{distinct.text}, {_WINDOWS[window]} ({whose})"
        for age in entity.ages:
            found[f"{entity.name}_{age.name}"] = f"{age.text} ({whose})"
    found |= {field.name: field.text for field in FIELDS}
    found |= {feature.name: feature.text for feature in MODEL_FEATURES}
    return {name: found[name] for name in VECTOR}


def _whose(entity: str) -> str:
    if entity.startswith("customer_"):
        return f"of the customer, with the {entity.removeprefix('customer_')} of the order"
    if entity in declarations.LINKS:
        return f"of all who used the {entity} of the order"
    return {"customer": "of the customer", "order": "of the order"}.get(entity, f"of the {entity} of the main item")


def plain_rows(feature_service: str, vector: bytes) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [each._asdict() for each in vector_told(feature_service, vector)]

"""Every value of a stored vector, described for the person it is about."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from features import declarations
from features.service import MODEL_FEATURES, SERVICE, VECTOR
from serving.privacy.meanings import meanings


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


def vector_told(feature_service: str, vector: bytes, language: str) -> list[Described]:
    """The values of a vector (float64 bytes) in their order, told in a language; none of one of another release."""
    values = np.frombuffer(vector, dtype="<f8").tolist() if len(vector) % 8 == 0 else []
    if feature_service != SERVICE or len(values) != len(VECTOR):
        return []
    texts = meanings(language)
    return [
        Described(name, None if value != value or name in _OF_OTHERS else value, texts[name], name in _OF_OTHERS)
        for name, value in zip(VECTOR, values, strict=True)
    ]


def plain_rows(feature_service: str, vector: bytes, language: str) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [each._asdict() for each in vector_told(feature_service, vector, language)]

"""How an input of the model is declared, and the families that inputs belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Values = Mapping[str, Any]
DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True)
class ModelFeature:
    """One input of the model."""

    name: str
    family: str
    sign: int
    unit: str
    text: str
    value: Callable[[Values], Any]
    categories: tuple[str, ...] | None = None


#: Families of features; each is spoken for by exactly one group of the reason catalogue.
FAMILIES: Final = {
    "rate": "how much of what they buy comes back, against what shoppers of the same items return",
    "velocity": "how often and how quickly returns follow each other",
    "timing": "when returns are asked for after delivery",
    "value": "what returns are worth against what is kept",
    "claims": "claims that goods did not arrive",
    "findings": "what earlier inspections and verdicts said",
    "tender": "how the money is asked back, and with what proof",
    "links": "how many customers share an address, card, device or e-mail",
    "linked_history": "how other customers at the same address, card, device or e-mail fared",
    "tenure": "how long and how much the customer has been buying",
    "product": "the item's and its category's own return, defect and loss rates",
    "delivery": "the courier's and the country's losses, and how delivery was proven",
    "request": "how this request compares with the order and with earlier ones",
    "bracketing": "several items of one kind in an order",
    "stated": "the stated reason, kind and channel",
}

MODEL_FEATURES: Final[list[ModelFeature]] = []


def add(
    name: str,
    family: str,
    sign: int,
    unit: str,
    text: str,
    value: Callable[[Values], Any],
    categories: tuple[str, ...] | None = None,
) -> None:
    """Declares an input of the model; see `ModelFeature`."""
    MODEL_FEATURES.append(ModelFeature(name, family, sign, unit, text, value, categories))


def copy(name: str, family: str, sign: int, unit: str, text: str) -> None:
    """Declares a value that the model sees as it is."""
    add(name, family, sign, unit, text, lambda v: v[name] * 1.0)


def share(part: Any, whole: Any, weight: float, usual: Any) -> Any:
    """`part / whole`, with `weight` added at the usual rate."""
    return (part + weight * usual) / (whole + weight)


def expected_rate(v: Values, who: str, window: str) -> Any:
    """Expected returns per item; 0 where nothing was bought."""
    bought = v[f"{who}_items_bought_{window}"]
    return v[f"{who}_expected_returns_ppm_{window}"] / (bought + (bought == 0)) / 1e6

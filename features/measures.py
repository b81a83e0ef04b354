"""The language in which features are declared: measure x window x entity.

A *fact* is one row of the ledger seen as something that happened: an order, an order line, a delivery, a returned
line, an inspection, a verdict. A measure turns facts into integers that can be summed, so its value over any window
is a sum: exact, and the same online and offline. The same functions run on both sides, on columns of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Columns = Mapping[str, Ints]
FactKind = str
#: The kinds of facts of the ledger.
FACT_KINDS: tuple[FactKind, ...] = ("orders", "lines", "deliveries", "returns", "inspections", "verdicts")


@dataclass(frozen=True)
class Measure:
    """A sum over facts of one kind.

    `value` takes the columns of n facts (int64 arrays of length n, see `features.history.FIELDS`) and gives n
    integers (or booleans, which count as 0 and 1).
    """

    name: str
    facts: FactKind
    value: Callable[[Columns], npt.NDArray[np.int64] | npt.NDArray[np.bool_]]
    unit: str
    text: str


@dataclass(frozen=True)
class Distinct:
    """How many different values of another key the entity's orders carry within the window."""

    name: str
    of: str
    text: str


@dataclass(frozen=True)
class Age:
    """Whole seconds since the entity's first or last fact of one kind (of those for which `where` holds)."""

    name: str
    facts: FactKind
    end: Literal["first", "last"]
    text: str
    where: Callable[[Columns], npt.NDArray[np.bool_]] | None = None


@dataclass(frozen=True)
class Entity:
    """What features are kept about.

    `keys` are the columns that identify one of them in a request; `pooled` entities are known as of the last midnight
    UTC (see `features.population`), the others to the microsecond.
    """

    name: str
    keys: tuple[str, ...]
    windows: tuple[str, ...]
    measures: tuple[Measure, ...]
    distincts: tuple[Distinct, ...] = ()
    ages: tuple[Age, ...] = ()
    pooled: bool = False

    @property
    def view(self) -> str:
        """Name of the feature view in Feast."""
        return f"{self.name}_history" if not self.pooled else f"{self.name}_rates"

    def feature_names(self) -> tuple[str, ...]:
        """Names of the values of this entity, in storage order: sums, then distinct counts, then ages."""
        sums = [f"{self.name}_{m.name}_{w}" for m in self.measures for w in self.windows]
        counts = [f"{self.name}_{d.name}_{w}" for d in self.distincts for w in self.windows]
        return (*sums, *counts, *(f"{self.name}_{a.name}" for a in self.ages))


def names_of(entities: Sequence[Entity]) -> tuple[str, ...]:
    """Names of all values of these entities, in the order in which the kernels give them."""
    return tuple(name for entity in entities for name in entity.feature_names())

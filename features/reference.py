"""What was usual when a model was trained: where the values of each feature and the risks lay.

Part of `model.json`, some tens of kilobytes. Counts per bin are enough to tell later whether live values lie elsewhere
(`training.drift`), and no row of anybody is kept. It describes returns as they come, whether anybody looked at them or
not: what was inspected is picked, and would differ from live returns for that reason alone.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Levels of the quantiles that are kept of a column of numbers; the inner ones divide its bins.
LEVELS: Final = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Distribution(_Part):
    """One column of the reference.

    A column of numbers has a bin for what lies below its smallest value (`low`), one up to and including each of
    `edges`, one from there to its largest value (`high`), and one for what lies above. A column of codes has a bin for
    each code and one for any other. `shares` are those of the bins among known values, `missing` is the share of all
    values that are not known. `quantiles` stand at `LEVELS`; `spread` is the standard deviation.
    """

    kind: Literal["number", "code"]
    shares: tuple[float, ...] = Field(min_length=2)
    missing: float = Field(ge=0, le=1)
    low: float = 0.0
    high: float = 0.0
    edges: tuple[float, ...] = ()
    quantiles: tuple[float, ...] = ()
    spread: float = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "number":
            if len(self.shares) != len(self.edges) + 3:
                raise ValueError("a column of numbers has three bins more than edges")
            if len(self.quantiles) not in (0, len(LEVELS)):
                raise ValueError(f"a column of numbers has {len(LEVELS)} quantiles")
        return self


class ReferenceSample(_Part):
    """`rows` returns that were requested from `since` to `until` (ISO 8601, UTC): their features, in the order of the
    model, their risks, and what to expect of the model among them if its risks are right (names as in the metrics)."""

    rows: int = Field(ge=1)
    since: str = ""
    until: str = ""
    features: tuple[Distribution, ...]
    risk: Distribution
    expected: dict[str, float] = {}

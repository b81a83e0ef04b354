"""Which returns somebody looks at, why, and with what odds.

A return is picked by a draw, whatever else is said of it (`random`), or else because the policy's action asks for a
look (`risk`). The draw comes first and reaches every return, so that the checks that it picks, each counted as one over
its odds, stand for all returns: those that nobody would have picked, and those that would have been looked at anyway.
Where the action asks for no look, a drawn check changes nothing for the customer: the refund is made as it would have
been.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Trigger = Literal["risk", "random"]

#: Actions with which somebody looks at the item, or asks the carrier.
LOOKS: Final = ("inspect_before_refund", "staff_review")
#: Training counts a check as a hundred returns at most (`training.dataset.ESTIMATE_CLIP`).
_SMALLEST: Final = 0.01


class Check(NamedTuple):
    """A look at a return: what picked it, and the odds with which that picks such a return."""

    trigger: Trigger
    propensity: float


class CheckRules(BaseModel):
    """Odds of the draw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    random_rate: float = Field(ge=0, le=0.5)
    uncertain_rate: float = Field(ge=0, le=0.5)
    uncertain_from: float = Field(gt=0, le=1)

    def check(self, *, looks: bool, risk: float, elevated_from: float, drawn: float) -> Check | None:
        """The check of a return, None if nobody needs to look.

        `looks` says whether the action asks for one, `elevated_from` is the risk at which the band `elevated` begins,
        and `drawn` a number from 0 to below 1 that has nothing to do with the return.
        """
        odds = self.odds(risk, elevated_from)
        if drawn < odds:
            return Check("random", odds)
        return Check("risk", round(1.0 - odds, 6)) if looks else None

    def odds(self, risk: float, elevated_from: float) -> float:
        """Odds of the draw for a return of that risk."""
        return self.uncertain_rate if risk >= self.uncertain_from * elevated_from else self.random_rate

    @model_validator(mode="after")
    def _odds_that_count(self) -> Self:
        if any(0 < odds < _SMALLEST for odds in (self.random_rate, self.uncertain_rate)):
            raise ValueError(
                f"odds must be 0 or at least {_SMALLEST:g}: below, a check would stand for more returns than training "
                "lets it"
            )
        if self.uncertain_rate < self.random_rate:
            raise ValueError("uncertain_rate must not be less than random_rate")
        return self

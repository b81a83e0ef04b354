"""Reading the policy, and deciding by it."""

from __future__ import annotations

import itertools
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from features.errors import ReturnwiseError
from serving.policy.checks import LOOKS, Check, CheckRules

Action = Literal["refund_now", "refund_on_scan", "inspect_before_refund", "staff_review"]
Band = Literal["low", "elevated", "high"]
Kind = Literal["return", "claim"]

FILE: Final = Path(__file__).with_name("default.toml")
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
_NEEDS_GOODS: Final = ("refund_on_scan", "inspect_before_refund")


class PolicyError(ReturnwiseError):
    """The policy does not fit together; the message names the place."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One line of the policy."""

    action: Action
    kind: Kind | None = None
    band: tuple[Band, ...] | None = None
    sufficient: bool | None = None
    value_from: float = Field(default=0.0, ge=0)

    def fits(self, *, kind: str, band: str, sufficient: bool, value_minor: int) -> bool:
        """Whether the rule applies; `value_minor` in 1/100 of the currency."""
        return (
            (self.kind is None or kind == self.kind)
            and (self.band is None or band in self.band)
            and (self.sufficient is None or sufficient == self.sufficient)
            and value_minor >= self.value_from * 100
        )


class RightsRules(_Strict):
    """How long which right lasts."""

    withdrawal_days: int = Field(ge=0)
    withdrawal_countries: frozenset[str]
    store_channels: frozenset[str]
    warranty_days: int = Field(ge=0)
    warranty_reasons: frozenset[str]
    policy_days: int = Field(ge=0)


class Policy(_Strict):
    """A whole policy."""

    version: str = Field(min_length=1)
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    notices: dict[Action, str]
    checks: CheckRules
    rights: RightsRules

    def action(self, *, kind: str, band: str, sufficient: bool, value_minor: int) -> Action:
        """What to do about a return."""
        return next(
            rule.action
            for rule in self.rules
            if rule.fits(kind=kind, band=band, sufficient=sufficient, value_minor=value_minor)
        )

    def check(self, action: Action, *, risk: float, elevated_from: float, drawn: float) -> Check | None:
        """Whether somebody looks at a return for which `action` was decided, and with what odds; see `CheckRules`."""
        return self.checks.check(looks=action in LOOKS, risk=risk, elevated_from=elevated_from, drawn=drawn)

    @model_validator(mode="after")
    def _complete(self) -> Policy:
        if set(self.notices) != set(ACTIONS):
            raise ValueError("there must be a notice for each action")
        values = {0, *(int(rule.value_from * 100) for rule in self.rules)}
        for kind, band, sufficient, value in itertools.product(
            get_args(Kind), get_args(Band), (True, False), sorted(values)
        ):
            case = f"a {kind} of {band} risk, {'' if sufficient else 'in'}sufficient history and value {value / 100:g}"
            try:
                action = self.action(kind=kind, band=band, sufficient=sufficient, value_minor=value)
            except StopIteration:
                raise ValueError(f"no rule fits {case}") from None
            if kind == "claim" and action in _NEEDS_GOODS:
                raise ValueError(f"{action} for {case}: no goods come back")
            if kind == "return" and not sufficient and action == "staff_review":
                raise ValueError(f"{action} for {case}: goes beyond a look at the item")
        return self


def load(path: Path = FILE) -> Policy:
    """Read a policy.

    Raises:
        PolicyError: it cannot be read, leaves a case open, or asks of a claim or a thin history what it must not.
    """
    try:
        return Policy.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise PolicyError(f"{path.name}: {place}: {first['msg']}") from error


@lru_cache
def default_policy() -> Policy:
    """The policy that Returnwise comes with."""
    return load()

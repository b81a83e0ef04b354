"""A whole policy, and what it says of a return.

The same return and the same policy always give the same answer: nothing here counts, draws or looks at a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from serving.policy import texts as told
from serving.policy.checks import LOOKS, Check, CheckRules
from serving.policy.conditions import UNKNOWN, Box, Case
from serving.policy.costs import ACTIONS, RANK, Action, Capacity, Costs, ExpectedCost
from serving.policy.rights import Purchase, Right, rights
from serving.policy.terms import Alternative, Season, Terms
from serving.policy.texts import Languages

__all__ = ["ACTIONS", "Action", "CaseRule", "Clause", "Decision", "Facts", "Policy", "Rule"]

Band = Literal["low", "elevated", "high"]
Kind = Literal["return", "claim"]
Way = Literal["expected_cost", "rules"]
Opened = Literal["inspect_before_refund", "staff_review", "draw", "hand", "dispute"]

#: Clauses that are not entries of a list.
EXPECTED_COST: Final = "expected-cost"
RESTRICTION: Final = "restriction"


class Facts(NamedTuple):
    """What is known of a return; `value_minor` in 1/100 of `currency`, `category` and `channel` those of the order."""

    kind: str
    reason: str
    risk: float
    band: str
    sufficient: bool
    value_minor: int
    currency: str | None = None
    country: str | None = None
    channel: str | None = None
    category: str | None = None
    restricted: bool = False


class Decision(NamedTuple):
    """What to do, and the clause of the policy that says so."""

    action: Action
    clause: str


class Clause(NamedTuple):
    """A part of the file that an answer can name: its section, its first line, and its text."""

    id: str
    section: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A fixed handling of some returns."""

    id: str
    box: Box
    action: Action


@dataclass(frozen=True, slots=True)
class CaseRule:
    """How long staff have for a case, in days, and what happens past it."""

    due_days: int
    past_due: Literal["clear", "escalate"]


@dataclass(frozen=True, slots=True)
class CaseRules:
    """Deadlines of cases by what opened them, and how far other things put them off, in days."""

    opened: Mapping[str, CaseRule]
    wait_customer_days: int
    wait_inspection_days: int
    longest_days: int
    second_opinion_days: int
    escalated_days: int


@dataclass(frozen=True)
class Policy:
    """A whole policy. Made by `serving.policy.reading`, which holds that its parts fit together."""

    version: str
    currency: str
    rates: Mapping[str, float]
    categories: tuple[str, ...]
    costs: Costs
    capacity: Capacity
    way: Way
    rules: tuple[Rule, ...]
    checks: CheckRules
    terms: tuple[Terms, ...]
    seasons: tuple[Season, ...]
    alternatives: tuple[Alternative, ...]
    cases: CaseRules
    languages: Languages
    clauses: Mapping[str, Clause] = field(compare=False)
    text: str = field(compare=False, repr=False)  # as it was written

    @property
    def by_cost(self) -> ExpectedCost:
        """What decides where no rule does."""
        return ExpectedCost(self.costs, self.capacity.least_gain)

    def value(self, value_minor: int, currency: str | None) -> float:
        """A value in 1/100 of the policy's currency; of currencies without a rate one is taken for one."""
        return value_minor * self.rates.get(currency or self.currency, 1.0)

    def case(self, facts: Facts) -> Case:
        """A return as conditions see it."""
        return Case(
            facts.kind,
            facts.band,
            "enough" if facts.sufficient else "thin",
            facts.country or UNKNOWN,
            facts.channel or UNKNOWN,
            facts.category or UNKNOWN,
            facts.reason,
            self.value(facts.value_minor, facts.currency),
        )

    def decide(self, facts: Facts) -> Decision:
        """What to do about a return: one of the four actions.

        A restriction asks for a look before the refund and for no more. Of a claim nothing comes back to look at.
        """
        case = self.case(facts)
        decision = self._usual(facts, case)
        look = RANK["inspect_before_refund"]
        if facts.restricted and facts.kind == "return" and RANK[decision.action] < look:
            return Decision("inspect_before_refund", RESTRICTION)
        return decision

    def _usual(self, facts: Facts, case: Case) -> Decision:
        for rule in self.rules:
            if rule.box.fits(case):
                return Decision(rule.action, rule.id)
        best = self.by_cost.best(facts.kind, facts.sufficient, facts.risk, case.value / 100)
        return Decision(best, EXPECTED_COST)

    def check(self, action: str, *, risk: float, elevated_from: float, drawn: float) -> Check | None:
        """Whether somebody looks at a return for which `action` was decided, and with what odds; see `CheckRules`."""
        return self.checks.check(looks=action in LOOKS, risk=risk, elevated_from=elevated_from, drawn=drawn)

    def right(self, facts: Facts, purchase: Purchase) -> Right:
        """What the return rests on."""
        case = self.case(facts)
        return rights(case, purchase, next(terms for terms in self.terms if terms.box.fits(case)), self.seasons)

    def language(self, country: str | None) -> str:
        """The language that a customer of that country is written to in."""
        return self.languages.of(country)

    def notice(self, action: str, country: str | None) -> str:
        """What the customer is told about an action."""
        return self.languages.texts[self.language(country)].notices[action]

    def right_told(self, right: Right, country: str | None) -> dict[str, Any]:
        """A right in the form of the answer, conditions and fees in the language of the country."""
        texts = self.languages.texts[self.language(country)]
        return {
            **right.told(),
            "conditions": told.conditions_told(texts, right.conditions),
            "fees": told.fee_told(texts, right.fee, self.currency),
        }

    def alternatives_told(
        self, facts: Facts, action: str, right: Right, resolution: str | None
    ) -> list[dict[str, Any]]:
        """What is worth offering beside what was asked for, each with its clause; the choice is the customer's.

        A lower refund for over-use only where somebody looks at goods that come back, and never for what the shop
        answers for.
        """
        texts = self.languages.texts[self.language(facts.country)]
        case = self.case(facts)
        found: dict[str, dict[str, Any]] = {}
        for alternative in self.alternatives:
            offer = alternative.offer
            lawful = offer != "partial_refund" or (
                facts.kind == "return" and action in LOOKS and right.basis != "warranty"
            )
            if offer != resolution and offer not in found and lawful and alternative.box.fits(case):
                said: dict[str, Any] = {"offer": offer, "clause": alternative.id, "text": texts.offers[offer]}
                if alternative.bonus_percent:
                    text = texts.offers["store_credit_bonus"].format(percent=alternative.bonus_percent)
                    said |= {"bonus_percent": alternative.bonus_percent, "text": text}
                found[offer] = said
        return list(found.values())

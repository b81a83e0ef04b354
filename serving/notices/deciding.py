"""The policy asked again, for a notice: in which language, what it says, and whether another risk would be checked."""

from __future__ import annotations

from serving.notices.counterfactual import Checks
from serving.notices.repository import CaseFacts
from serving.policy.checks import LOOKS
from serving.policy.policy import Facts, Policy
from serving.texts import LANGUAGES
from serving.texts.catalogue import SOURCE


def language_of(policy: Policy, country: str | None) -> str:
    """The language that a customer of a country is written to in: the policy's, if notices have words in it."""
    language = policy.language(country)
    return language if language in LANGUAGES else SOURCE


def handling(policy: Policy, case: CaseFacts) -> str:
    """What the policy says to the customer about the action."""
    if case.action is None or policy.language(case.country) != language_of(policy, case.country):
        return ""
    return policy.notice(case.action, case.country)


def would_check(policy: Policy, case: CaseFacts, value_minor: int) -> Checks:
    """Whether the policy asks for a look at the return of a case, whatever its risk, band and sufficiency were.

    Restrictions and draws are left out: they do not come from the risk.
    """

    def checks(risk: float, band: str, sufficient: bool) -> bool:
        facts = Facts(
            kind=case.kind,
            reason=case.reason,
            risk=risk,
            band=band,
            sufficient=sufficient,
            value_minor=value_minor,
            currency=case.currency,
            country=case.country,
            channel=case.channel,
            category=case.category,
        )
        return policy.decide(facts).action in LOOKS

    return checks

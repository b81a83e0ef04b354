"""The answer of an assessment: what the returns system gets, and what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from features.clock import SECOND
from features.ledger.identity import KeyHasher
from features.request import FIELD_NAMES, RequestRow, Stated
from serving.assessments.features import POSITION, Floats
from serving.assessments.repository import OrderHead
from serving.clock import iso, iso_date
from serving.model.loaded import Estimate, LoadedModel
from serving.policy.checks import Check
from serving.policy.policy import Action, Facts, Policy
from serving.policy.rights import Purchase
from serving.reasons.explain import Explainer

_ORDERS = POSITION["customer_orders_lifetime"]
_RETURNS = POSITION["customer_returns_lifetime"]
_FIRST_ORDER = POSITION["customer_seconds_since_first_order"]
_VALUE = FIELD_NAMES.index("request_value")

_UNKNOWN: Final = "Nothing is known of this customer before this order: the risk is near the usual one."
_LITTLE_KNOWN: Final = "Little is known of this customer yet: the risk is near the usual one."


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that an answer is made of."""

    assessment_id: str
    return_id: str
    assessed_at: int
    row: RequestRow
    stated: Stated
    vector: Floats
    estimate: Estimate
    order: OrderHead
    model: LoadedModel
    policy: Policy
    restricted: bool = False

    @property
    def facts(self) -> Facts:
        """What the policy looks at."""
        return Facts(
            kind=self.stated.kind,
            reason=self.stated.reason,
            risk=self.estimate.risk,
            band=self.estimate.band,
            sufficient=self.estimate.sufficient,
            value_minor=self.row.values[_VALUE],
            currency=self.order.currency,
            country=self.order.country,
            channel=self.order.channel,
            category=self.row.keys["category"],
            restricted=self.restricted,
        )


class Answer(NamedTuple):
    """The answer as JSON, and some things that it says: action, check, codes of the reasons."""

    action: Action
    check: Check | None
    reasons: tuple[str, ...]
    content: bytes


class Answerer:
    """Turns what the model says into what is said: reasons by the catalogue, action by the policy."""

    def __init__(self, explainer: Explainer, hasher: KeyHasher) -> None:
        self._explainer = explainer
        self._hasher = hasher

    def check(self, made: Assessment, action: Action) -> Check | None:
        """Whether somebody looks, and with what odds: the same for the same return, model and policy version."""
        return made.policy.check(
            action,
            risk=made.estimate.risk,
            elevated_from=made.model.elevated_from,
            drawn=self._hasher.draw("check", made.policy.version, made.return_id),
        )

    def answer(self, made: Assessment) -> Answer:
        """All that is said, and what of it is counted."""
        estimate, order, stated = made.estimate, made.order, made.stated
        policy, facts = made.policy, made.facts
        action, clause = policy.decide(facts)
        check = self.check(made, action)
        right = policy.right(facts, Purchase(stated.requested_at, order.ordered_at, order.delivered_at))
        reasons, reassurances = self._explainer.explain(
            estimate.contributions, made.vector, claim=stated.kind == "claim", currency=order.currency
        )
        answer = {
            "assessment_id": made.assessment_id,
            "return_id": made.return_id,
            "assessed_at": iso(made.assessed_at),
            "risk": estimate.risk,
            "risk_band": estimate.band,
            "action": action,
            "check": None if check is None else check._asdict(),
            "reasons": reasons,
            "reassurances": reassurances,
            "history": _history(made.vector, stated.requested_at, estimate.sufficient),
            "rights": policy.right_told(right, order.country),
            "alternatives": policy.alternatives_told(facts, action, right, stated.resolution),
            "customer_notice": policy.notice(action, order.country),
            "language": policy.language(order.country),
            "model": _model(made.model),
            "policy_version": policy.version,
            "clause": clause,
        }
        return Answer(action, check, tuple(reason["code"] for reason in reasons), orjson.dumps(answer))


def _model(model: LoadedModel) -> dict[str, Any]:
    said: dict[str, Any] = {"name": model.name, "version": model.version}
    if model.prior:
        said["prior"] = True
    return said


def _history(vector: Floats, moment: int, sufficient: bool) -> dict[str, Any]:
    seconds = float(vector[_FIRST_ORDER])
    said = {
        "orders": int(vector[_ORDERS]),
        "returns": int(vector[_RETURNS]),
        "since": None if seconds != seconds else iso_date(moment - int(seconds) * SECOND),
        "sufficient": sufficient,
    }
    if not sufficient:
        said["note"] = _UNKNOWN if vector[_ORDERS] <= 1 and vector[_RETURNS] == 0 else _LITTLE_KNOWN
    return said

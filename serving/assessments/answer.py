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
from serving.policy.policy import Action, Policy
from serving.policy.rights import rights
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


class Answer(NamedTuple):
    """The answer as JSON, and two things that it says."""

    action: Action
    check: Check | None
    content: bytes


class Answerer:
    """Turns what the model says into what is said: reasons by the catalogue, action by the policy."""

    def __init__(self, explainer: Explainer, policy: Policy, hasher: KeyHasher) -> None:
        self._explainer = explainer
        self._policy = policy
        self._hasher = hasher

    @property
    def policy_version(self) -> str:
        """Version of the policy that decides."""
        return self._policy.version

    def action(self, estimate: Estimate, row: RequestRow, stated: Stated) -> Action:
        """What the policy asks for."""
        return self._policy.action(
            kind=stated.kind, band=estimate.band, sufficient=estimate.sufficient, value_minor=row.values[_VALUE]
        )

    def check(self, made: Assessment, action: Action) -> Check | None:
        """Whether somebody looks, and with what odds: the same for the same return, model and policy version."""
        return self._policy.check(
            action,
            risk=made.estimate.risk,
            elevated_from=made.model.elevated_from,
            drawn=self._hasher.draw("check", self._policy.version, made.return_id),
        )

    def answer(self, made: Assessment) -> Answer:
        """All that is said, and what of it is counted."""
        estimate, order, stated = made.estimate, made.order, made.stated
        action = self.action(estimate, made.row, stated)
        check = self.check(made, action)
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
            "rights": rights(
                self._policy.rights,
                requested_at=stated.requested_at,
                delivered_at=order.delivered_at,
                order_channel=order.channel,
                country=order.country,
                reason=stated.reason,
            ),
            "customer_notice": self._policy.notices[action],
            "model": _model(made.model),
            "policy_version": self._policy.version,
        }
        return Answer(action, check, orjson.dumps(answer))


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

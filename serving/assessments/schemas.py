"""Bodies of the assessment endpoints.

Requests are read with these models. Answers are written straight from the service, because they are stored and sent
again byte for byte; the models describe them in OpenAPI, and a test holds that they agree.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from serving.events.schemas import LINES, Body, OrderFields
from serving.fields import Channel, Identifier, Kind, OptionalMoment, Quantity, Reason, Resolution, Tender, misplaced

Band = Literal["low", "elevated", "high"]
Action = Literal["refund_now", "refund_on_scan", "inspect_before_refund", "staff_review"]


class ReturnedLine(Body):
    """A line of the order that comes back, wholly or in part."""

    line_id: Identifier = Field(description="The line of the order.")
    quantity: Quantity = Field(description="Pieces returned or claimed.")


class InlineOrder(OrderFields):
    """The order, for a ledger that may not have it yet."""

    order_id: Identifier | None = Field(None, description="The same as the request's, if given.")  # type: ignore[assignment]
    customer_id: Identifier | None = Field(  # type: ignore[assignment]
        None, description="The customer who bought; absent: the one who returns."
    )
    ordered_at: OptionalMoment = Field(None, description="When it was placed. Required, under this name or the next.")
    occurred_at: OptionalMoment = Field(None, description="The same, under the name that events have for it.")

    @model_validator(mode="after")
    def _has_time(self) -> InlineOrder:
        if self.ordered_at is None and self.occurred_at is None:
            raise misplaced("is required", "ordered_at")
        if self.ordered_at is not None and self.occurred_at not in (None, self.ordered_at):
            raise misplaced("must be the same as ordered_at", "occurred_at")
        return self

    @property
    def placed_at(self) -> int:
        """When it was placed, in microseconds since 1970 UTC."""
        placed = self.ordered_at if self.ordered_at is not None else self.occurred_at
        assert placed is not None
        return placed


class AssessmentRequest(Body):
    """Body of `POST /v1/assessments`."""

    return_id: Identifier = Field(description="Identifies the return; asking again with the same body is safe.")
    customer_id: Identifier = Field(description="The customer who returns.")
    order_id: Identifier = Field(description="The order that the return belongs to.")
    lines: Annotated[list[ReturnedLine], *LINES] = Field(
        description="What comes back; one assessment covers all lines."
    )
    reason: Reason = Field(description="The stated reason.")
    kind: Kind | None = Field(None, description="`return` (default), or `claim`: money back without goods coming back.")
    resolution: Resolution | None = Field(None, description="What is asked for.")
    channel: Channel | None = Field(None, description="Where it is asked for.")
    tender: Tender | None = Field(None, description="Whether the money goes back to the tender that paid.")
    proof_of_purchase: bool | None = Field(None, description="Whether a proof of purchase was shown.")
    requested_at: OptionalMoment = Field(
        None, description="When the return was asked for: ISO 8601 with a time zone. Absent: now."
    )
    order: InlineOrder | None = Field(None, description="The order itself, if the ledger may not have it.")


class ReasonAnswer(BaseModel):
    """Something that raised the risk."""

    code: str = Field(description="Stable code; see the reason catalogue.", examples=["R02"])
    title: str = Field(description="What it is about, for staff.")
    detail: str = Field(description="The facts behind it, in a sentence.")
    facts: dict[str, float | int | str] = Field(description="The facts by name: numbers, or a word of a vocabulary.")
    check: str = Field(description="What would settle the doubt.")
    contribution: float = Field(description="How much it raised the risk, in log-odds.")


class ReassuranceAnswer(BaseModel):
    """Something that lowered the risk."""

    code: str = Field(description="Stable code; see the reason catalogue.", examples=["A01"])
    title: str = Field(description="What it is about, for staff.")
    detail: str = Field(description="The facts behind it, in a sentence.")
    facts: dict[str, float | int | str] = Field(description="The facts by name: numbers, or a word of a vocabulary.")
    contribution: float = Field(description="How much it lowered the risk, in log-odds (negative).")


class HistoryAnswer(BaseModel):
    """How much is known of the customer."""

    orders: int = Field(description="Orders before this request.")
    returns: int = Field(description="Returns and claims before this request.")
    since: str | None = Field(description="Day of the first order (UTC).", examples=["2024-03-02"])
    sufficient: bool = Field(description="Whether that is enough for a risk of its own; if not, it is near the usual.")
    note: str | None = Field(None, description="The same in words; only where it is not sufficient.")


class CheckAnswer(BaseModel):
    """A look at the return: the item when it arrives, or of a claim a trace asked of the carrier."""

    trigger: Literal["risk", "random"] = Field(
        description="What picked it: the policy's action, or a draw. Send it back with the inspection."
    )
    propensity: float = Field(
        description="The odds with which that picks such a return. Send it back with the inspection.", gt=0, le=1
    )


class ConditionAnswer(BaseModel):
    """What the goods have to be like, where the shop's own terms are what the return rests on."""

    code: str = Field(description="Names it.", examples=["unused"])
    text: str = Field(description="In the language of the country.")


class FeeAnswer(BaseModel):
    """What is taken off the refund."""

    kind: Literal["postage", "restocking"] = Field(description="What for.")
    amount: str = Field(description="How much, as decimal text.", examples=["4.95"])
    currency: str = Field(description="The policy's currency (ISO 4217).", examples=["EUR"])
    text: str = Field(description="In the language of the country.")


class RightsAnswer(BaseModel):
    """What the customer is entitled to."""

    basis: Literal["withdrawal", "warranty", "policy"] = Field(description="What the return rests on.")
    until: str | None = Field(description="Last day of it (UTC); null while the time has not begun to run.")
    may_refuse: Literal[False] = Field(description="Always false: nothing is refused on the strength of a score.")
    clause: str = Field(
        description="What gives it: `withdrawal` or `warranty` by law, or else an entry of the policy.",
        examples=["withdrawal"],
    )
    covered: bool = Field(description="Whether the request is within it. If not, a person may still grant it.")
    conditions: list[ConditionAnswer] = Field(description="Conditions that apply; none within a right by law.")
    fees: list[FeeAnswer] = Field(description="Fees that apply; within the withdrawal only postage.")


class AlternativeAnswer(BaseModel):
    """Something else that the customer may like as well as a refund. The choice is theirs."""

    offer: Literal["exchange", "store_credit", "partial_refund"] = Field(
        description="What is offered. `partial_refund`: only if an inspection finds use beyond trying the item on."
    )
    clause: str = Field(description="The entry of the policy that offers it.", examples=["credit"])
    text: str = Field(description="The offer in the language of the country.")
    bonus_percent: int | None = Field(None, description="So much more, where it is store credit with a bonus.")


class ModelAnswer(BaseModel):
    """Which model answered."""

    name: str = Field(description="Its name in the registry.", examples=["returnwise-risk"])
    version: str = Field(description="Its registered version.", examples=["3"])
    prior: Literal[True] | None = Field(
        None,
        description="Present where too few findings were known to learn from: the risk follows written weights and an "
        "assumed base rate, and is no measured probability.",
    )


class AssessmentAnswer(BaseModel):
    """An assessment."""

    model_config = ConfigDict(protected_namespaces=())

    assessment_id: str = Field(description="Identifies the assessment.")
    return_id: str = Field(description="The return.")
    assessed_at: str = Field(description="When the answer was made (UTC).")
    risk: float = Field(description="Probability that a careful inspection would confirm abuse.", ge=0, le=1)
    risk_band: Band = Field(description="The risk as a band.")
    action: Action = Field(description="What the policy asks for; never a refusal.")
    check: CheckAnswer | None = Field(
        description="Whether somebody should look at the return, and with what odds it was picked. A drawn check "
        "changes nothing else: a refund does not wait for it."
    )
    reasons: list[ReasonAnswer] = Field(description="What raised the risk, strongest first; at most four.")
    reassurances: list[ReassuranceAnswer] = Field(description="What lowered it, strongest first; at most four.")
    history: HistoryAnswer = Field(description="How much is known of the customer.")
    rights: RightsAnswer = Field(description="What the customer is entitled to.")
    alternatives: list[AlternativeAnswer] = Field(description="What is worth offering beside what was asked for.")
    customer_notice: str = Field(description="What may be said to the customer, in the language of the country.")
    language: str = Field(description="Language of the texts for the customer (ISO 639-1).", examples=["en"])
    model: ModelAnswer = Field(description="Which model answered.")
    policy_version: str = Field(description="Which policy decided.", examples=["2026-12"])
    clause: str = Field(
        description="What of the policy decided the action: the id of a rule, `expected-cost` or `restriction`.",
        examples=["expected-cost"],
    )


class StoredAssessmentAnswer(AssessmentAnswer):
    """Answer of `GET /v1/assessments/{assessment_id}`."""

    requested_at: str = Field(description="The moment that the features are as of (UTC).")
    feature_service: str = Field(description="The feature service that the vector belongs to.")
    features: dict[str, float | None] = Field(description="The full vector, by feature name; null where not known.")


def _or_its_errors(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """A request, or what is wrong with it: one that is wrong does not spoil the others of its batch."""
    try:
        return validate(value)
    except ValidationError as error:
        return error


class BatchRequest(Body):
    """Body of `POST /v1/assessments/batch`."""

    assessments: Annotated[list[Annotated[AssessmentRequest, WrapValidator(_or_its_errors)]], Field(min_length=1)] = (
        Field(description="Requests, each as for `POST /v1/assessments`.")
    )


class BatchResult(BaseModel):
    """What became of one request of a batch."""

    status: int = Field(description="HTTP status that the request would have had by itself.")
    assessment: AssessmentAnswer | None = Field(None, description="The assessment, if the status is 200.")
    problem: dict[str, Any] | None = Field(None, description="The problem document otherwise.")


class BatchAnswer(BaseModel):
    """Answer of `POST /v1/assessments/batch`, results in the order of the requests."""

    results: list[BatchResult] = Field(description="One result for each request.")

"""Bodies of the dispute endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from features.ledger.characters import FORBIDDEN_PATTERN
from serving.events.schemas import Body
from serving.fields import Identifier

LONGEST = 8_000


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    text = value.strip()
    if not text:
        raise ValueError("must not be empty")
    if len(text) > LONGEST:
        raise ValueError(f"must be at most {LONGEST} characters")
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(FORBIDDEN_PATTERN.search(line) for line in lines.replace("\t", " ").split("\n")):
        raise ValueError("must not contain control or invisible characters")
    return lines


class DisputeRequest(Body):
    """Body of `POST /v1/disputes`."""

    reference: Identifier = Field(
        description="The reference in the notice, such as `RW-7K3QX-0M9TB`; blanks and case do not count."
    )
    words: Annotated[
        str,
        BeforeValidator(_words),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST}),
    ] = Field(description="What the customer says, in their own words.")
    dispute_id: Identifier | None = Field(
        None, description="An id of your own, so that sending it again is safe. Absent: the same words are the same."
    )


class DisputeAnswer(BaseModel):
    """How a dispute stands."""

    dispute_id: str = Field(description="Names the dispute.")
    reference: str = Field(description="The case that it is about.")
    status: Literal["received", "decided"] = Field(description="Whether another person has decided.")
    received_at: str = Field(description="When it was received (UTC).")
    due_at: str = Field(description="Until when the customer hears (UTC).")
    decided_at: str | None = Field(description="When it was decided (UTC).")
    outcome: Literal["upheld", "changed"] | None = Field(
        description="`upheld`: the conclusion stays; `changed`: there is another one; null: not decided."
    )

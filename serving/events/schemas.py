"""Bodies of `POST /v1/events`. Field names are those of the table contract."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from serving.fields import (
    AbuseType,
    Basis,
    Channel,
    Country,
    Currency,
    Finding,
    Identifier,
    Kind,
    Moment,
    Money,
    OptionalMoment,
    OptionalText,
    Proof,
    Quantity,
    Reason,
    Resolution,
    Tender,
    Trigger,
    Verdict,
    misplaced,
)

MOST_LINES = 1_000


class Body(BaseModel):
    """Base of all bodies: types are not converted, fields that the contract does not have are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Line(Protocol):
    @property
    def line_id(self) -> str: ...


_L = TypeVar("_L", bound=_Line)


def _different(lines: list[_L]) -> list[_L]:
    seen: set[str] = set()
    for i, line in enumerate(lines):
        if line.line_id in seen:
            raise misplaced("stands in more than one line", i, "line_id")
        seen.add(line.line_id)
    return lines


#: For lists of lines: at least one, and each line_id once.
LINES = (Field(min_length=1, max_length=MOST_LINES), AfterValidator(_different))


class OrderLine(Body):
    """A line of an order."""

    line_id: Identifier = Field(description="Identifies the line within its order.")
    sku: Identifier = Field(description="The product.")
    quantity: Quantity = Field(description="Pieces bought.")
    unit_price: Money = Field(description="Price of one piece in the order's currency; four decimals count.")
    category: OptionalText = Field(None, description="Category of the product.")
    discount: Money = Field(0, description="Taken off the whole line, in the order's currency.")


class OrderFields(Body):
    """What is known of an order, besides its time."""

    order_id: Identifier = Field(description="Identifies the order.")
    customer_id: Identifier = Field(description="The customer who bought.")
    channel: Channel | None = Field(None, description="Where it was bought.")
    country: Country = Field(None, description="Where it is delivered to: ISO 3166-1 alpha-2.")
    currency: Currency = Field(None, description="ISO 4217.")
    email_id: OptionalText = Field(None, description="E-mail, raw or as an id; kept only as a keyed hash.")
    address_id: OptionalText = Field(None, description="Delivery address, raw or as an id; kept only as a keyed hash.")
    payment_id: OptionalText = Field(None, description="Payment means, raw or as an id; kept only as a keyed hash.")
    device_id: OptionalText = Field(None, description="Device, raw or as an id; kept only as a keyed hash.")
    courier: OptionalText = Field(None, description="Who delivers.")
    lines: Annotated[list[OrderLine], *LINES] = Field(description="The lines of the order, all of them.")


class _Event(Body):
    event_id: Identifier = Field(description="Identifies the event; the same event may be sent again.")
    occurred_at: Moment = Field(description="When it happened: ISO 8601 with a time zone.")


class OrderEvent(_Event, OrderFields):
    """An order was placed."""

    type: Literal["order"] = Field(description="Always `order`.")
    ordered_at: OptionalMoment = Field(None, description="The same as `occurred_at`, if given.")


class DeliveryEvent(_Event):
    """A parcel of an order was delivered."""

    type: Literal["delivery"] = Field(description="Always `delivery`.")
    order_id: Identifier = Field(description="The order.")
    delivered_at: OptionalMoment = Field(None, description="The same as `occurred_at`, if given.")
    proof: Proof | None = Field(None, description="How the delivery was proven.")


class ReturnEvent(_Event):
    """A line of an order was asked to be returned or claimed, elsewhere than through an assessment."""

    type: Literal["return"] = Field(description="Always `return`.")
    return_id: Identifier = Field(description="Identifies the return; its lines share it.")
    order_id: Identifier = Field(description="The order.")
    line_id: Identifier = Field(description="The line of the order.")
    requested_at: OptionalMoment = Field(None, description="The same as `occurred_at`, if given.")
    quantity: Quantity = Field(description="Pieces returned of the line.")
    reason: Reason = Field(description="The stated reason.")
    kind: Kind | None = Field(None, description="`return` (default), or `claim`: money back without goods coming back.")
    resolution: Resolution | None = Field(None, description="What is asked for.")
    channel: Channel | None = Field(None, description="Where it was asked for.")
    tender: Tender | None = Field(None, description="Whether the money goes back to the tender that paid.")
    proof_of_purchase: bool | None = Field(None, description="Whether a proof of purchase was shown.")


class InspectionEvent(_Event):
    """A returned item or a delivery was checked."""

    type: Literal["inspection"] = Field(description="Always `inspection`.")
    return_id: Identifier = Field(description="The return.")
    inspected_at: OptionalMoment = Field(None, description="The same as `occurred_at`, if given.")
    finding: Finding = Field(description="What was seen.")
    trigger: Trigger | None = Field(None, description="Why the check was made.")
    propensity: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="With what probability the check was made."
    )
    line_id: OptionalText = Field(None, description="The line that was checked; absent: the whole return.")


class VerdictEvent(_Event):
    """A person concluded."""

    type: Literal["verdict"] = Field(description="Always `verdict`.")
    return_id: Identifier = Field(description="The return.")
    decided_at: OptionalMoment = Field(None, description="The same as `occurred_at`, if given.")
    verdict: Verdict = Field(description="The conclusion.")
    abuse_type: AbuseType | None = Field(None, description="The kind of abuse, if it was confirmed.")
    basis: Basis | None = Field(None, description="What the conclusion rests on.")


Event = Annotated[
    OrderEvent | DeliveryEvent | ReturnEvent | InspectionEvent | VerdictEvent, Field(discriminator="type")
]

#: Event type -> the name that its time has in the table contract.
OWN_TIME = {
    "order": "ordered_at",
    "delivery": "delivered_at",
    "return": "requested_at",
    "inspection": "inspected_at",
    "verdict": "decided_at",
}


class EventsRequest(Body):
    """Body of `POST /v1/events`: all of it is taken, or none."""

    events: Annotated[list[Event], Field(min_length=1)] = Field(description="The events, in any order.")


class EventsAnswer(BaseModel):
    """Answer of `POST /v1/events`, given once the events are durable."""

    accepted: int = Field(description="Events that are new in the ledger.")
    duplicates: int = Field(description="Events that it had already, with the same content.")


def table_row(event: Any, *, time_name: str) -> dict[str, Any]:
    """An event as a row of its table, with the time under the table's own name."""
    row = {name: value for name, value in vars(event).items() if name not in _NOT_IN_ROWS}
    row[time_name] = event.occurred_at
    return row


_NOT_IN_ROWS = frozenset(("event_id", "type", "occurred_at", "lines"))

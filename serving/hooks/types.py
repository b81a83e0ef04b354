"""What webhooks tell of: the types of messages and the fields of each.

Messages are thin: ids, and words of closed vocabularies. Whoever wants to know more asks the API or opens the console,
with a key or an account that may. No message names a customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MessageType:
    """A type of message.

    Attributes:
        name: as it stands in `type`.
        text: when it is sent.
        fields: name of each field of `data` -> what it says; one that does not apply is null.
    """

    name: str
    text: str
    fields: dict[str, str]


_CASE: Final = {
    "case_id": "The reference of the case.",
    "return_id": "Your id of the return.",
    "order_id": "Your id of the order.",
}

#: In the order in which the documents list them.
TYPES: Final[dict[str, MessageType]] = {
    entry.name: entry
    for entry in (
        MessageType(
            "assessment.made",
            "A return request was assessed.",
            {
                "assessment_id": "As in the answer of the assessment.",
                "return_id": "Your id of the return.",
                "order_id": "Your id of the order.",
                "action": "What the policy asks for.",
                "risk_band": "`low`, `elevated` or `high`.",
            },
        ),
        MessageType(
            "case.opened",
            "Staff shall look at a return.",
            _CASE
            | {
                "opened_because": "`action`, `draw`, `hand` or `dispute`.",
                "due_at": "Until when the case should be closed.",
            },
        ),
        MessageType(
            "case.closed",
            "A case was closed, with a verdict or because its deadline had passed.",
            _CASE | {"verdict": "The conclusion that stands."},
        ),
        MessageType(
            "verdict.given",
            "A person concluded.",
            _CASE
            | {
                "verdict": "`cleared`, `abuse_confirmed` or `inconclusive`.",
                "abuse_type": "The kind of abuse, if it was confirmed.",
                "basis": "What the conclusion rests on.",
            },
        ),
        MessageType(
            "notice.made",
            "A notice to a customer is ready to be sent.",
            {
                "notice_id": "The reference of the notice.",
                "kind": "What the notice is about.",
                "return_id": "Your id of the return, if it is about one.",
                "language": "The language of its words.",
            },
        ),
    )
}
#: Sent by `returnwise webhooks test` and from the console, to one endpoint, whatever it is subscribed to.
TEST: Final = MessageType("webhook.test", "Somebody tries an endpoint out.", {"endpoint_id": "The endpoint."})

"""Which tables hold something about a customer, and how that is found: the one place.

Export, erasure and the page for data-protection officers are made from this, and a test fails while a table is missing
here. What a table holds is told to the customer in their language (`export.tables.<table>` of `serving.texts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: What of a person the rows are found by; see `serving.privacy.person.Person`.
Found = Literal[
    "customer_id",
    "subject",
    "customer_hash",
    "order_nos",
    "order_ids",
    "return_ids",
    "assessment_ids",
    "case_nos",
    "keys",
    "message_nos",
]


@dataclass(frozen=True, slots=True)
class Personal:
    """A table that holds something about customers.

    Attributes:
        ways: (column, what of a person it holds); a row belongs to a person by any of them.
        erased: what an erasure does to the rows.
    """

    ways: tuple[tuple[str, Found], ...]
    erased: str


_RENAMED: Final = "every name in it is replaced by a random one"
_WORDS: Final = "deleted"

PERSONAL: Final[dict[str, Personal]] = {
    "orders": Personal((("order_no", "order_nos"),), _RENAMED),
    "order_lines": Personal((("order_no", "order_nos"),), "stays, under the random name of its order"),
    "deliveries": Personal((("order_no", "order_nos"),), "stays, under the random name of its order"),
    "returns": Personal((("return_id", "return_ids"),), _RENAMED),
    "inspections": Personal((("return_id", "return_ids"),), _RENAMED),
    "verdicts": Personal((("return_id", "return_ids"),), _RENAMED),
    "watermarks": Personal((("key", "keys"), ("key", "customer_id")), _RENAMED),
    "erasures": Personal((("subject", "customer_hash"),), "kept: that files from before are not taken in again"),
    "assessments": Personal(
        (("return_id", "return_ids"),),
        "risk, band, action, versions and times stay under a random name; answer, reasons and vector are deleted",
    ),
    "shadow_assessments": Personal((("assessment_id", "assessment_ids"),), _RENAMED),
    "cases": Personal((("customer_id", "customer_id"),), _RENAMED),
    "case_findings": Personal((("case_no", "case_nos"),), "stays, under the random name of its case"),
    "case_checks": Personal((("case_no", "case_nos"),), "stays, under the random name of its case"),
    "case_notes": Personal((("case_no", "case_nos"),), _WORDS),
    "case_photos": Personal((("case_no", "case_nos"),), _WORDS),
    "case_verdicts": Personal((("case_no", "case_nos"),), "the words are deleted; the verdict stays"),
    "case_lookers": Personal((("case_no", "case_nos"),), _WORDS),
    "disputes": Personal((("case_no", "case_nos"),), "the words are deleted; times, risks and outcome stay"),
    "notices": Personal((("customer_id", "customer_id"),), _WORDS),
    "restrictions": Personal((("customer_id", "customer_id"),), _WORDS),
    "webhook_messages": Personal((("message_no", "message_nos"),), _WORDS),
    "webhook_deliveries": Personal((("message_no", "message_nos"),), _WORDS),
    "shop_waiting": Personal((("order_id", "order_ids"),), _WORDS),
    "audit": Personal(
        (("case_no", "case_nos"), ("subject", "subject")),
        "kept: it can only be added to, and names no customer, only keyed hashes and numbers of cases",
    ),
    "requests_of_people": Personal((("subject", "customer_hash"),), "kept: that the request was met"),
}

_STAFF: Final = "about members of staff, not about customers"
_CONNECTIONS: Final = "about other systems, not about customers"

NOT_PERSONAL: Final[dict[str, str]] = {
    "live_events": "ids of messages as their senders chose them, with a keyed digest of each and the day it came: "
    "nothing in it is found by person, and it goes when its time is over",
    "order_changes": "numbers of orders that changed lately, without anything about them, and thrown away soon",
    "ledger_meta": "state of the ledger itself",
    "population_days": "sums of a day over all customers by product, category, courier and country",
    "api_keys": _CONNECTIONS,
    "policies": "texts of policies and who of the staff proposed them",
    "policy_simulations": "texts of policies and figures over all returns",
    "webhook_endpoints": _CONNECTIONS,
    "shop_connections": _CONNECTIONS,
    "staff": _STAFF,
    "staff_sessions": _STAFF,
    "staff_links": _STAFF,
    "sign_in_attempts": _STAFF,
}

#: Columns that hold who of the staff did something: an export says that somebody did, and in which role, not who.
STAFF_COLUMNS: Final = frozenset(
    (
        "staff_id",
        "claimed_by",
        "judged_by",
        "closed_by",
        "decided_by",
        "made_by",
        "lifted_by",
        "withdrawn_by",
        "not_by",
    )
)

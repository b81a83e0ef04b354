"""The closed vocabularies of the table contract, in an order that never changes: codes are positions in it."""

from __future__ import annotations

from typing import Final

CHANNELS: Final = ("web", "app", "store", "marketplace", "phone")
PROOFS: Final = ("none", "scan", "photo", "signature")
REASONS: Final = (
    "changed_mind",
    "size_fit",
    "not_as_described",
    "defective",
    "damaged_in_transit",
    "wrong_item_sent",
    "arrived_late",
    "not_received",
    "missing_item",
    "gift",
    "other",
)
KINDS: Final = ("return", "claim")
RESOLUTIONS: Final = ("refund", "exchange", "store_credit")
TENDERS: Final = ("original", "other")
FINDINGS: Final = (
    "as_described",
    "worn",
    "damaged",
    "wrong_item",
    "counterfeit",
    "missing_item",
    "empty_package",
    "not_arrived",
    "delivery_shown",
)
TRIGGERS: Final = ("routine", "risk", "random")
VERDICTS: Final = ("cleared", "abuse_confirmed", "inconclusive")
BASES: Final = ("inspection", "carrier_trace", "admission", "opinion", "policy")
ABUSE_TYPES: Final = (
    "wardrobing",
    "empty_parcel",
    "switched_item",
    "counterfeit_item",
    "fake_tracking",
    "false_claim",
    "receipt_trick",
    "stolen_goods",
    "account_ring",
    "hired_refunder",
    "serial_returning",
    "other",
)

#: Findings that speak for abuse; `damaged` alone does not (couriers damage too), nor do the two that clear.
CONCERN_FINDINGS: Final = ("worn", "wrong_item", "counterfeit", "missing_item", "empty_package", "delivery_shown")
CLEARING_FINDINGS: Final = ("as_described", "not_arrived")

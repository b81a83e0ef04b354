"""What is asked for now, and how that compares with the order and with earlier returns."""

from __future__ import annotations

from features.ledger import vocabulary as words
from features.signals.language import add, copy, share


def _tender() -> None:
    add(
        "request_other_tender",
        "tender",
        1,
        "yes or no",
        "refund asked to another tender than the one that paid",
        lambda v: (v["request_tender_code"] == words.TENDERS.index("other")) * 1.0,
    )
    add(
        "request_without_proof",
        "tender",
        1,
        "yes or no",
        "no proof of purchase",
        lambda v: (v["request_proof_of_purchase"] == 0) * 1.0,
    )
    for name, sign, text in (
        ("other_tender", 1, "asked to another tender"),
        ("without_proof", 1, "without proof of purchase"),
        ("exchanges", -1, "for an exchange"),
        ("store_credits", -1, "for store credit"),
    ):
        add(
            f"customer_{name}_share_365d",
            "tender",
            sign,
            "share",
            f"share of a year's returns {text}",
            lambda v, n=name: share(v[f"customer_{n}_365d"], v["customer_returns_365d"], 3.0, 0.05),
        )
    add(
        "request_resolution",
        "tender",
        0,
        "code",
        "refund, exchange or store credit",
        lambda v: v["request_resolution_code"] * 1.0,
        words.RESOLUTIONS,
    )


def _request() -> None:
    copy("request_items", "request", 0, "items", "items of this request")
    copy("request_lines", "request", 0, "lines", "lines of this request")
    add(
        "request_share_of_order",
        "request",
        0,
        "share",
        "share of the order's value that this request covers",
        lambda v: v["request_value"] / (v["order_value_bought_lifetime"] + 1.0),
    )
    add(
        "order_returned_before_share",
        "request",
        0,
        "share",
        "share of the order's items that had come back before",
        lambda v: v["order_items_returned_lifetime"] / (v["order_items_bought_lifetime"] + 1.0),
    )
    copy("order_returns_lifetime", "request", 0, "returns", "earlier returns and claims on this order")
    copy("order_value_bought_lifetime", "request", 0, "1/100 currency", "value of the order")
    add(
        "request_value_to_usual_return",
        "request",
        0,
        "ratio",
        "value of this request against the customer's usual return",
        lambda v: (
            v["request_value"]
            / (share(v["customer_value_returned_365d"], v["customer_returns_365d"], 1.0, v["request_value"]) + 1.0)
        ),
    )
    add(
        "order_discounted",
        "request",
        0,
        "share",
        "share of the order's items bought at a discount",
        lambda v: v["order_items_discounted_lifetime"] / (v["order_items_bought_lifetime"] + 1.0),
    )


def _bracketing() -> None:
    copy("request_similar_lines", "bracketing", 0, "lines", "lines of this request of the main item's category")
    copy("request_order_similar_lines", "bracketing", 0, "lines", "lines of the order of the main item's category")
    add(
        "request_similar_kept",
        "bracketing",
        -1,
        "lines",
        "lines of the main item's category that stay with the customer",
        lambda v: v["request_order_similar_lines"] - v["request_similar_lines"],
    )
    copy("order_lines_lifetime", "bracketing", 0, "lines", "lines of the order")


def _stated() -> None:
    for name, vocabulary, text in (
        ("request_reason", words.REASONS, "stated reason"),
        ("request_channel", words.CHANNELS, "channel of the return"),
        ("request_order_channel", words.CHANNELS, "channel of the order"),
    ):
        add(name, "stated", 0, "code", text, lambda v, n=name: v[f"{n}_code"] * 1.0, vocabulary)
    add(
        "request_is_claim",
        "stated",
        0,
        "yes or no",
        "money asked back without goods coming back",
        lambda v: (v["request_kind_code"] == words.KINDS.index("claim")) * 1.0,
    )


for _declare in (_tender, _request, _bracketing, _stated):
    _declare()

"""What the model sees: signals made of the declared values and of the request itself.

Each `ModelFeature` below is the whole declaration of one input of the model: its name, the family whose reason speaks
for it, the direction in which it can only raise (+1) or lower (-1) the risk (0: not in doubt either way), and how it is
computed. The functions use nothing but `+ - * /` and comparisons, so that a Python float (online) and a numpy column
(offline) give the same bits.

Rates of small histories are pulled to what would be expected: (count + weight * expected rate) / (total + weight).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from features.declarations import LINKS
from features.ledger import vocabulary as words

Values = Mapping[str, Any]
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class ModelFeature:
    """One input of the model."""

    name: str
    family: str
    sign: int
    unit: str
    text: str
    value: Callable[[Values], Any]
    categories: tuple[str, ...] | None = None


#: Families of features; each is spoken for by exactly one group of the reason catalogue.
FAMILIES: Final = {
    "rate": "how much of what they buy comes back, against what shoppers of the same items return",
    "velocity": "how often and how quickly returns follow each other",
    "timing": "when returns are asked for after delivery",
    "value": "what returns are worth against what is kept",
    "claims": "claims that goods did not arrive",
    "findings": "what earlier inspections and verdicts said",
    "tender": "how the money is asked back, and with what proof",
    "links": "how many customers share an address, card, device or e-mail",
    "linked_history": "how other customers at the same address, card, device or e-mail fared",
    "tenure": "how long and how much the customer has been buying",
    "product": "the item's and its category's own return, defect and loss rates",
    "delivery": "the courier's and the country's losses, and how delivery was proven",
    "request": "how this request compares with the order and with earlier ones",
    "bracketing": "several items of one kind in an order",
    "stated": "the stated reason, kind and channel",
}

MODEL_FEATURES: Final[list[ModelFeature]] = []


def _add(
    name: str,
    family: str,
    sign: int,
    unit: str,
    text: str,
    value: Callable[[Values], Any],
    categories: tuple[str, ...] | None = None,
) -> None:
    MODEL_FEATURES.append(ModelFeature(name, family, sign, unit, text, value, categories))


def _copy(name: str, family: str, sign: int, unit: str, text: str) -> None:
    _add(name, family, sign, unit, text, lambda v: v[name] * 1.0)


def _share(part: Any, whole: Any, weight: float, usual: Any) -> Any:
    return (part + weight * usual) / (whole + weight)


def _expected_rate(v: Values, who: str, window: str) -> Any:
    """Expected returns per item; 0 where nothing was bought."""
    bought = v[f"{who}_items_bought_{window}"]
    return v[f"{who}_expected_returns_ppm_{window}"] / (bought + (bought == 0)) / 1e6


def _rates() -> None:
    for window in ("90d", "365d", "lifetime"):
        _add(
            f"customer_return_rate_{window}",
            "rate",
            1,
            "share",
            f"items returned of items bought ({window}), small histories pulled to what such items see",
            lambda v, w=window: _share(
                v[f"customer_items_returned_{w}"],
                v[f"customer_items_bought_{w}"],
                4.0,
                _expected_rate(v, "customer", w),
            ),
        )
        _add(
            f"customer_excess_returns_{window}",
            "rate",
            1,
            "items",
            f"items returned beyond what shoppers of the same items return ({window})",
            lambda v, w=window: v[f"customer_items_returned_{w}"] - v[f"customer_expected_returns_ppm_{w}"] / 1e6,
        )
    for window in ("365d", "lifetime"):
        _add(
            f"customer_returns_to_expected_{window}",
            "rate",
            1,
            "ratio",
            f"items returned for each that was to be expected ({window}), one added to both",
            lambda v, w=window: (
                (v[f"customer_items_returned_{w}"] + 1.0) / (v[f"customer_expected_returns_ppm_{w}"] / 1e6 + 1.0)
            ),
        )


def _velocity() -> None:
    for window in ("7d", "30d", "90d", "365d"):
        _copy(f"customer_returns_{window}", "velocity", 1, "returns", f"returns and claims in {window}")
    for window in ("7d", "30d"):
        _copy(f"customer_orders_{window}", "velocity", 0, "orders", f"orders in {window}")
    _add(
        "customer_return_burst",
        "velocity",
        1,
        "share",
        "share of the last 90 days' returns that fell into the last 7",
        lambda v: v["customer_returns_7d"] / (v["customer_returns_90d"] + 2.0),
    )
    _add(
        "customer_days_since_last_return",
        "velocity",
        0,
        "days",
        "days since the latest return or claim",
        lambda v: v["customer_seconds_since_last_return"] / _DAY_SECONDS,
    )


def _timing() -> None:
    _add(
        "request_days_since_delivery",
        "timing",
        0,
        "days",
        "days from the order's delivery to this request",
        lambda v: v["order_seconds_since_delivered"] / _DAY_SECONDS,
    )
    _add(
        "request_days_since_order",
        "timing",
        0,
        "days",
        "days from the order to this request",
        lambda v: v["order_seconds_since_ordered"] / _DAY_SECONDS,
    )
    for name, sign, text in (
        ("late_returns", 1, "returns that came three weeks or more after delivery"),
        ("weekend_returns", 1, "returns of things delivered before a weekend and sent back right after it"),
        ("quick_returns", 0, "returns within three days of delivery"),
    ):
        _add(
            f"customer_{name.removesuffix('s')}_share_365d",
            "timing",
            sign,
            "share",
            f"share of a year's {text}",
            lambda v, n=name: _share(v[f"customer_{n}_365d"], v["customer_returns_365d"], 3.0, 0.15),
        )
    _copy("customer_weekend_returns_lifetime", "timing", 1, "returns", "returns right after a weekend, ever")
    _add(
        "customer_mean_days_kept_365d",
        "timing",
        0,
        "days",
        "usual days from delivery to return in a year",
        lambda v: v["customer_days_kept_365d"] / (v["customer_returns_365d"] + 1.0),
    )


def _value() -> None:
    _copy("request_value", "value", 0, "1/100 currency", "what was paid for the items of this request")
    _add(
        "request_value_to_usual",
        "value",
        0,
        "ratio",
        "value of this request against the customer's usual order",
        lambda v: (
            v["request_value"]
            / (
                _share(
                    v["customer_value_bought_365d"], v["customer_orders_365d"], 1.0, v["order_value_bought_lifetime"]
                )
                + 1.0
            )
        ),
    )
    _add(
        "request_item_price",
        "value",
        0,
        "1/100 currency",
        "price of an item of this request",
        lambda v: v["request_value"] / v["request_items"],
    )
    for window in ("90d", "365d"):
        _copy(f"customer_value_returned_{window}", "value", 1, "1/100 currency", f"value sent back in {window}")
    _add(
        "customer_value_return_rate_365d",
        "value",
        1,
        "share",
        "share of the year's purchases, by value, that came back or was claimed",
        lambda v: (
            (v["customer_value_returned_365d"] + v["customer_value_claimed_365d"])
            / (v["customer_value_bought_365d"] + 1000.0)
        ),
    )
    _add(
        "customer_value_kept_lifetime",
        "value",
        -1,
        "1/100 currency",
        "value of everything bought and kept",
        lambda v: (
            v["customer_value_bought_lifetime"]
            - v["customer_value_returned_lifetime"]
            - v["customer_value_claimed_lifetime"]
        ),
    )
    _add(
        "customer_discount_share_365d",
        "value",
        0,
        "share",
        "share of the year's items bought at a discount",
        lambda v: v["customer_items_discounted_365d"] / (v["customer_items_bought_365d"] + 1.0),
    )


def _claims() -> None:
    for window in ("90d", "365d", "lifetime"):
        _copy(f"customer_claims_{window}", "claims", 1, "claims", f"claims without goods coming back in {window}")
    _copy("customer_not_received_365d", "claims", 1, "claims", "parcels said not to arrive in a year")
    _copy("customer_missing_items_365d", "claims", 1, "claims", "parcels said to lack an item in a year")
    _copy("customer_value_claimed_365d", "claims", 1, "1/100 currency", "value of a year's claims")
    for window in ("365d", "lifetime"):
        _add(
            f"customer_claim_rate_{window}",
            "claims",
            1,
            "share",
            f"claims for each order ({window})",
            lambda v, w=window: _share(v[f"customer_claims_{w}"], v[f"customer_orders_{w}"], 5.0, 0.02),
        )


def _findings() -> None:
    for window in ("365d", "lifetime"):
        _copy(f"customer_concerns_{window}", "findings", 1, "findings", f"inspections that found something ({window})")
    _copy("customer_confirmed_lifetime", "findings", 1, "verdicts", "verdicts of abuse that rest on evidence")
    _copy("customer_clean_checks_lifetime", "findings", -1, "findings", "inspections that found all in order")
    _copy("customer_cleared_lifetime", "findings", -1, "verdicts", "verdicts that cleared a return")
    _add(
        "customer_concern_rate_lifetime",
        "findings",
        1,
        "share",
        "share of inspections that found something, pulled to one in ten",
        lambda v: _share(v["customer_concerns_lifetime"], v["customer_checks_lifetime"], 2.0, 0.1),
    )
    _add(
        "customer_days_since_concern",
        "findings",
        0,
        "days",
        "days since an inspection last found something",
        lambda v: v["customer_seconds_since_last_concern"] / _DAY_SECONDS,
    )


def _tender() -> None:
    _add(
        "request_other_tender",
        "tender",
        1,
        "yes or no",
        "refund asked to another tender than the one that paid",
        lambda v: (v["request_tender_code"] == words.TENDERS.index("other")) * 1.0,
    )
    _add(
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
        _add(
            f"customer_{name}_share_365d",
            "tender",
            sign,
            "share",
            f"share of a year's returns {text}",
            lambda v, n=name: _share(v[f"customer_{n}_365d"], v["customer_returns_365d"], 3.0, 0.05),
        )
    _add(
        "request_resolution",
        "tender",
        0,
        "code",
        "refund, exchange or store credit",
        lambda v: v["request_resolution_code"] * 1.0,
        words.RESOLUTIONS,
    )


def _links() -> None:
    for link in LINKS:
        for window in ("90d", "lifetime"):
            _copy(f"{link}_customers_{window}", "links", 0, "customers", f"customers who used this {link} ({window})")
        _copy(f"{link}_orders_30d", "links", 0, "orders", f"orders with this {link} in 30 days")
    for name in ("addresses", "payments", "devices"):
        _copy(f"customer_{name}_365d", "links", 0, name, f"different {name} of this customer in a year")


def _linked_history() -> None:
    for link in LINKS:
        for measure, window in (("concerns", "lifetime"), ("confirmed", "lifetime"), ("claims", "365d")):
            _add(
                f"others_at_{link}_{measure}_{window}",
                "linked_history",
                1,
                measure,
                f"{measure} of other customers with the same {link} ({window})",
                lambda v, k=link, m=measure, w=window: v[f"{k}_{m}_{w}"] - v[f"customer_{k}_{m}_{w}"],
            )
        _add(
            f"others_at_{link}_return_rate_365d",
            "linked_history",
            1,
            "share",
            f"share of items that other customers with the same {link} sent back in a year",
            lambda v, k=link: _share(
                v[f"{k}_items_returned_365d"] - v[f"customer_{k}_items_returned_365d"],
                v[f"{k}_items_bought_365d"] - v[f"customer_{k}_items_bought_365d"],
                5.0,
                0.1,
            ),
        )


def _tenure() -> None:
    _add(
        "customer_tenure_days",
        "tenure",
        -1,
        "days",
        "days since the first order",
        lambda v: v["customer_seconds_since_first_order"] / _DAY_SECONDS,
    )
    _copy("customer_orders_lifetime", "tenure", -1, "orders", "orders ever placed")
    _add(
        "customer_items_kept_lifetime",
        "tenure",
        -1,
        "items",
        "items bought and kept",
        lambda v: v["customer_items_bought_lifetime"] - v["customer_items_returned_lifetime"],
    )
    _add(
        "customer_days_since_last_order",
        "tenure",
        0,
        "days",
        "days since the latest order",
        lambda v: v["customer_seconds_since_last_order"] / _DAY_SECONDS,
    )


def _product() -> None:
    for measure, label in (("items_returned", "return"), ("defect_items", "defect"), ("lost_items", "loss")):
        for window in ("90d", "365d"):
            _add(
                f"sku_{label}_rate_{window}",
                "product",
                0,
                "share",
                f"the product's own {label} rate ({window}), small counts pulled to its category's",
                lambda v, m=measure, w=window: _share(
                    v[f"sku_{m}_{w}"],
                    v[f"sku_items_bought_{w}"],
                    20.0,
                    v[f"category_{m}_{w}"] / (v[f"category_items_bought_{w}"] + 1.0),
                ),
            )
        _add(
            f"category_{label}_rate_365d",
            "product",
            0,
            "share",
            f"the category's own {label} rate",
            lambda v, m=measure: v[f"category_{m}_365d"] / (v["category_items_bought_365d"] + 1.0),
        )
    _add(
        "request_expected_return_rate",
        "product",
        0,
        "share",
        "returns to expect of these items when they were bought",
        lambda v: v["request_expected_ppm"] / 1e6,
    )


def _delivery() -> None:
    for lane in ("courier", "country"):
        for window in ("90d", "365d"):
            _add(
                f"{lane}_loss_rate_{window}",
                "delivery",
                0,
                "share",
                f"orders of this {lane} that were said not to arrive ({window})",
                lambda v, k=lane, w=window: _share(v[f"{k}_not_received_{w}"], v[f"{k}_orders_{w}"], 100.0, 0.01),
            )
    _add(
        "order_delivery_known",
        "delivery",
        0,
        "yes or no",
        "a delivery of the order is on record",
        lambda v: (v["order_deliveries_lifetime"] > 0) * 1.0,
    )
    _add(
        "order_delivery_proven",
        "delivery",
        0,
        "yes or no",
        "delivery with photo or signature",
        lambda v: (v["order_deliveries_proven_lifetime"] > 0) * 1.0,
    )
    _add(
        "customer_proven_delivery_share_365d",
        "delivery",
        0,
        "share",
        "share of the year's deliveries with photo or signature",
        lambda v: v["customer_deliveries_proven_365d"] / (v["customer_deliveries_365d"] + 1.0),
    )


def _request() -> None:
    _copy("request_items", "request", 0, "items", "items of this request")
    _copy("request_lines", "request", 0, "lines", "lines of this request")
    _add(
        "request_share_of_order",
        "request",
        0,
        "share",
        "share of the order's value that this request covers",
        lambda v: v["request_value"] / (v["order_value_bought_lifetime"] + 1.0),
    )
    _add(
        "order_returned_before_share",
        "request",
        0,
        "share",
        "share of the order's items that had come back before",
        lambda v: v["order_items_returned_lifetime"] / (v["order_items_bought_lifetime"] + 1.0),
    )
    _copy("order_returns_lifetime", "request", 0, "returns", "earlier returns and claims on this order")
    _copy("order_value_bought_lifetime", "request", 0, "1/100 currency", "value of the order")
    _add(
        "request_value_to_usual_return",
        "request",
        0,
        "ratio",
        "value of this request against the customer's usual return",
        lambda v: (
            v["request_value"]
            / (_share(v["customer_value_returned_365d"], v["customer_returns_365d"], 1.0, v["request_value"]) + 1.0)
        ),
    )
    _add(
        "order_discounted",
        "request",
        0,
        "share",
        "share of the order's items bought at a discount",
        lambda v: v["order_items_discounted_lifetime"] / (v["order_items_bought_lifetime"] + 1.0),
    )


def _bracketing() -> None:
    _copy("request_similar_lines", "bracketing", 0, "lines", "lines of this request of the main item's category")
    _copy("request_order_similar_lines", "bracketing", 0, "lines", "lines of the order of the main item's category")
    _add(
        "request_similar_kept",
        "bracketing",
        -1,
        "lines",
        "lines of the main item's category that stay with the customer",
        lambda v: v["request_order_similar_lines"] - v["request_similar_lines"],
    )
    _copy("order_lines_lifetime", "bracketing", 0, "lines", "lines of the order")


def _stated() -> None:
    for name, vocabulary, text in (
        ("request_reason", words.REASONS, "stated reason"),
        ("request_channel", words.CHANNELS, "channel of the return"),
        ("request_order_channel", words.CHANNELS, "channel of the order"),
    ):
        _add(name, "stated", 0, "code", text, lambda v, n=name: v[f"{n}_code"] * 1.0, vocabulary)
    _add(
        "request_is_claim",
        "stated",
        0,
        "yes or no",
        "money asked back without goods coming back",
        lambda v: (v["request_kind_code"] == words.KINDS.index("claim")) * 1.0,
    )


for _declare in (
    _rates,
    _velocity,
    _timing,
    _value,
    _claims,
    _findings,
    _tender,
    _links,
    _linked_history,
    _tenure,
    _product,
    _delivery,
    _request,
    _bracketing,
    _stated,
):
    _declare()


def compute(values: Values) -> dict[str, Any]:
    """Every model feature, by name, from raw values by name: Python floats or float64 columns of one length."""
    return {feature.name: feature.value(values) for feature in MODEL_FEATURES}

"""What the customer has done before."""

from __future__ import annotations

from features.signals.language import DAY_SECONDS, add, copy, expected_rate, share


def _rates() -> None:
    for window in ("90d", "365d", "lifetime"):
        add(
            f"customer_return_rate_{window}",
            "rate",
            1,
            "share",
            f"items returned of items bought ({window}), small histories pulled to what such items see",
            lambda v, w=window: share(
                v[f"customer_items_returned_{w}"],
                v[f"customer_items_bought_{w}"],
                4.0,
                expected_rate(v, "customer", w),
            ),
        )
        add(
            f"customer_excess_returns_{window}",
            "rate",
            1,
            "items",
            f"items returned beyond what shoppers of the same items return ({window})",
            lambda v, w=window: v[f"customer_items_returned_{w}"] - v[f"customer_expected_returns_ppm_{w}"] / 1e6,
        )
    for window in ("365d", "lifetime"):
        add(
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
        copy(f"customer_returns_{window}", "velocity", 1, "returns", f"returns and claims in {window}")
    for window in ("7d", "30d"):
        copy(f"customer_orders_{window}", "velocity", 0, "orders", f"orders in {window}")
    add(
        "customer_return_burst",
        "velocity",
        1,
        "share",
        "share of the last 90 days' returns that fell into the last 7",
        lambda v: v["customer_returns_7d"] / (v["customer_returns_90d"] + 2.0),
    )
    add(
        "customer_days_since_last_return",
        "velocity",
        0,
        "days",
        "days since the latest return or claim",
        lambda v: v["customer_seconds_since_last_return"] / DAY_SECONDS,
    )


def _timing() -> None:
    add(
        "request_days_since_delivery",
        "timing",
        0,
        "days",
        "days from the order's delivery to this request",
        lambda v: v["order_seconds_since_delivered"] / DAY_SECONDS,
    )
    add(
        "request_days_since_order",
        "timing",
        0,
        "days",
        "days from the order to this request",
        lambda v: v["order_seconds_since_ordered"] / DAY_SECONDS,
    )
    for name, sign, text in (
        ("late_returns", 1, "returns that came three weeks or more after delivery"),
        ("weekend_returns", 1, "returns of things delivered before a weekend and sent back right after it"),
        ("quick_returns", 0, "returns within three days of delivery"),
    ):
        add(
            f"customer_{name.removesuffix('s')}_share_365d",
            "timing",
            sign,
            "share",
            f"share of a year's {text}",
            lambda v, n=name: share(v[f"customer_{n}_365d"], v["customer_returns_365d"], 3.0, 0.15),
        )
    copy("customer_weekend_returns_lifetime", "timing", 1, "returns", "returns right after a weekend, ever")
    add(
        "customer_mean_days_kept_365d",
        "timing",
        0,
        "days",
        "usual days from delivery to return in a year",
        lambda v: v["customer_days_kept_365d"] / (v["customer_returns_365d"] + 1.0),
    )


def _value() -> None:
    copy("request_value", "value", 0, "1/100 currency", "what was paid for the items of this request")
    add(
        "request_value_to_usual",
        "value",
        0,
        "ratio",
        "value of this request against the customer's usual order",
        lambda v: (
            v["request_value"]
            / (
                share(v["customer_value_bought_365d"], v["customer_orders_365d"], 1.0, v["order_value_bought_lifetime"])
                + 1.0
            )
        ),
    )
    add(
        "request_item_price",
        "value",
        0,
        "1/100 currency",
        "price of an item of this request",
        lambda v: v["request_value"] / v["request_items"],
    )
    for window in ("90d", "365d"):
        copy(f"customer_value_returned_{window}", "value", 1, "1/100 currency", f"value sent back in {window}")
    add(
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
    add(
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
    add(
        "customer_discount_share_365d",
        "value",
        0,
        "share",
        "share of the year's items bought at a discount",
        lambda v: v["customer_items_discounted_365d"] / (v["customer_items_bought_365d"] + 1.0),
    )


def _claims() -> None:
    for window in ("90d", "365d", "lifetime"):
        copy(f"customer_claims_{window}", "claims", 1, "claims", f"claims without goods coming back in {window}")
    copy("customer_not_received_365d", "claims", 1, "claims", "parcels said not to arrive in a year")
    copy("customer_missing_items_365d", "claims", 1, "claims", "parcels said to lack an item in a year")
    copy("customer_value_claimed_365d", "claims", 1, "1/100 currency", "value of a year's claims")
    for window in ("365d", "lifetime"):
        add(
            f"customer_claim_rate_{window}",
            "claims",
            1,
            "share",
            f"claims for each order ({window})",
            lambda v, w=window: share(v[f"customer_claims_{w}"], v[f"customer_orders_{w}"], 5.0, 0.02),
        )


def _findings() -> None:
    for window in ("365d", "lifetime"):
        copy(f"customer_concerns_{window}", "findings", 1, "findings", f"inspections that found something ({window})")
    copy("customer_confirmed_lifetime", "findings", 1, "verdicts", "verdicts of abuse on evidence, not overturned")
    copy("customer_clean_checks_lifetime", "findings", -1, "findings", "inspections that found all in order")
    copy("customer_cleared_lifetime", "findings", -1, "verdicts", "verdicts that cleared a return, not overturned")
    add(
        "customer_concern_rate_lifetime",
        "findings",
        1,
        "share",
        "share of inspections that found something, pulled to one in ten",
        lambda v: share(v["customer_concerns_lifetime"], v["customer_checks_lifetime"], 2.0, 0.1),
    )
    add(
        "customer_days_since_concern",
        "findings",
        0,
        "days",
        "days since an inspection last found something",
        lambda v: v["customer_seconds_since_last_concern"] / DAY_SECONDS,
    )


def _tenure() -> None:
    add(
        "customer_tenure_days",
        "tenure",
        -1,
        "days",
        "days since the first order",
        lambda v: v["customer_seconds_since_first_order"] / DAY_SECONDS,
    )
    copy("customer_orders_lifetime", "tenure", -1, "orders", "orders ever placed")
    add(
        "customer_items_kept_lifetime",
        "tenure",
        -1,
        "items",
        "items bought and kept",
        lambda v: v["customer_items_bought_lifetime"] - v["customer_items_returned_lifetime"],
    )
    add(
        "customer_days_since_last_order",
        "tenure",
        0,
        "days",
        "days since the latest order",
        lambda v: v["customer_seconds_since_last_order"] / DAY_SECONDS,
    )


for _declare in (_rates, _velocity, _timing, _value, _claims, _findings, _tenure):
    _declare()

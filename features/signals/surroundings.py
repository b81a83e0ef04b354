"""What is known of linked accounts, of the product, and of the way the parcel went."""

from __future__ import annotations

from features.declarations import LINKS
from features.signals.language import add, copy, share


def _links() -> None:
    for link in LINKS:
        for window in ("90d", "lifetime"):
            copy(f"{link}_customers_{window}", "links", 0, "customers", f"customers who used this {link} ({window})")
        copy(f"{link}_orders_30d", "links", 0, "orders", f"orders with this {link} in 30 days")
    for name in ("addresses", "payments", "devices"):
        copy(f"customer_{name}_365d", "links", 0, name, f"different {name} of this customer in a year")


def _linked_history() -> None:
    for link in LINKS:
        for measure, window in (("concerns", "lifetime"), ("confirmed", "lifetime"), ("claims", "365d")):
            add(
                f"others_at_{link}_{measure}_{window}",
                "linked_history",
                1,
                measure,
                f"{measure} of other customers with the same {link} ({window})",
                lambda v, k=link, m=measure, w=window: v[f"{k}_{m}_{w}"] - v[f"customer_{k}_{m}_{w}"],
            )
        add(
            f"others_at_{link}_return_rate_365d",
            "linked_history",
            1,
            "share",
            f"share of items that other customers with the same {link} sent back in a year",
            lambda v, k=link: share(
                v[f"{k}_items_returned_365d"] - v[f"customer_{k}_items_returned_365d"],
                v[f"{k}_items_bought_365d"] - v[f"customer_{k}_items_bought_365d"],
                5.0,
                0.1,
            ),
        )


def _product() -> None:
    for measure, label in (("items_returned", "return"), ("defect_items", "defect"), ("lost_items", "loss")):
        for window in ("90d", "365d"):
            add(
                f"sku_{label}_rate_{window}",
                "product",
                0,
                "share",
                f"the product's own {label} rate ({window}), small counts pulled to its category's",
                lambda v, m=measure, w=window: share(
                    v[f"sku_{m}_{w}"],
                    v[f"sku_items_bought_{w}"],
                    20.0,
                    v[f"category_{m}_{w}"] / (v[f"category_items_bought_{w}"] + 1.0),
                ),
            )
        add(
            f"category_{label}_rate_365d",
            "product",
            0,
            "share",
            f"the category's own {label} rate",
            lambda v, m=measure: v[f"category_{m}_365d"] / (v["category_items_bought_365d"] + 1.0),
        )
    add(
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
            add(
                f"{lane}_loss_rate_{window}",
                "delivery",
                0,
                "share",
                f"orders of this {lane} that were said not to arrive ({window})",
                lambda v, k=lane, w=window: share(v[f"{k}_not_received_{w}"], v[f"{k}_orders_{w}"], 100.0, 0.01),
            )
    add(
        "order_delivery_known",
        "delivery",
        0,
        "yes or no",
        "a delivery of the order is on record",
        lambda v: (v["order_deliveries_lifetime"] > 0) * 1.0,
    )
    add(
        "order_delivery_proven",
        "delivery",
        0,
        "yes or no",
        "delivery with photo or signature",
        lambda v: (v["order_deliveries_proven_lifetime"] > 0) * 1.0,
    )
    add(
        "customer_proven_delivery_share_365d",
        "delivery",
        0,
        "share",
        "share of the year's deliveries with photo or signature",
        lambda v: v["customer_deliveries_proven_365d"] / (v["customer_deliveries_365d"] + 1.0),
    )


for _declare in (_links, _linked_history, _product, _delivery):
    _declare()

"""Every measure and every entity: the one place where a value about the past is declared.

Adding a `Measure` to a tuple below adds it in all windows of the entities that use the tuple, offline, online and in
Feast. What the model sees is made of these values in `features.signals`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.clock import DAY, WINDOWS
from features.ledger import vocabulary as words
from features.measures import Age, Columns, Distinct, Entity, Ints, Measure


def _one(f: Columns) -> Ints:
    return np.ones(len(f["occurred_at"]), dtype=np.int64)


def _among(vocabulary: tuple[str, ...], *values: str) -> Ints:
    """Look-up table of a closed vocabulary: which codes are among `values` (the last entry is for code -1, unknown)."""
    table = np.zeros(len(vocabulary) + 1, dtype=np.int64)
    for value in values:
        table[vocabulary.index(value)] = 1
    return table


_GOODS = _among(words.KINDS, "return")
_CLAIM = _among(words.KINDS, "claim")
_NOT_RECEIVED = _among(words.REASONS, "not_received")
_MISSING = _among(words.REASONS, "missing_item")
_DEFECT = _among(words.REASONS, "defective", "not_as_described", "damaged_in_transit", "wrong_item_sent")
_EXCHANGE = _among(words.RESOLUTIONS, "exchange")
_CREDIT = _among(words.RESOLUTIONS, "store_credit")
_OTHER_TENDER = _among(words.TENDERS, "other")
_PROVEN = _among(words.PROOFS, "photo", "signature")
_CONCERN = _among(words.FINDINGS, *words.CONCERN_FINDINGS)
_CLEAN = _among(words.FINDINGS, *words.CLEARING_FINDINGS)
_CONFIRMED = _among(words.VERDICTS, "abuse_confirmed")
_CLEARED = _among(words.VERDICTS, "cleared")
_EVIDENCE = _among(words.BASES, "inspection", "carrier_trace", "admission")


def _days_kept(f: Columns) -> Ints:
    """Whole days from delivery to request; -1 where no delivery was known."""
    known = f["delivered_at"] >= 0
    return np.where(known, (f["occurred_at"] - f["delivered_at"]) // DAY, -1)


def _over_weekend(f: Columns) -> Ints:
    """Delivered Wednesday to Friday and sent back right after that weekend: the rhythm of something worn once."""
    delivered = (f["delivered_at"] // DAY + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
    kept = _days_kept(f)
    return f["leads"] * ((f["delivered_at"] >= 0) & (delivered >= 2) & (delivered <= 4) & (kept >= 2) & (kept <= 6))


def _between(f: Columns, low: int, high: int) -> Ints:
    kept = _days_kept(f)
    return f["leads"] * ((kept >= low) & (kept <= high))


ORDERS = Measure("orders", "orders", _one, "orders", "orders placed")
ITEMS_BOUGHT = Measure("items_bought", "lines", lambda f: f["quantity"], "items", "items bought")
VALUE_BOUGHT = Measure("value_bought", "lines", lambda f: f["value"], "1/100 currency", "paid for items bought")
EXPECTED = Measure(
    "expected_returns_ppm",
    "lines",
    lambda f: f["quantity"] * f["expected_ppm"],
    "items per million",
    "returns to expect from what was bought, at the rate at which other shoppers returned the same items and "
    "categories when it was bought (divide by 1,000,000)",
)
ITEMS_DISCOUNTED = Measure(
    "items_discounted", "lines", lambda f: f["quantity"] * f["discounted"], "items", "items bought at a discount"
)
DELIVERIES = Measure("deliveries", "deliveries", _one, "deliveries", "deliveries that arrived")
DELIVERIES_PROVEN = Measure(
    "deliveries_proven", "deliveries", lambda f: _PROVEN[f["proof"]], "deliveries", "deliveries with photo or signature"
)
RETURNS = Measure("returns", "returns", lambda f: f["leads"], "returns", "returns and claims asked for")
ITEMS_RETURNED = Measure(
    "items_returned", "returns", lambda f: f["quantity"] * _GOODS[f["kind"]], "items", "items sent back"
)
VALUE_RETURNED = Measure(
    "value_returned", "returns", lambda f: f["value"] * _GOODS[f["kind"]], "1/100 currency", "value of items sent back"
)
CLAIMS = Measure("claims", "returns", lambda f: f["leads"] * _CLAIM[f["kind"]], "claims", "claims without goods back")
VALUE_CLAIMED = Measure(
    "value_claimed", "returns", lambda f: f["value"] * _CLAIM[f["kind"]], "1/100 currency", "value of claims"
)
NOT_RECEIVED = Measure(
    "not_received", "returns", lambda f: f["leads"] * _NOT_RECEIVED[f["reason"]], "claims", "parcels said not to arrive"
)
MISSING_ITEMS = Measure(
    "missing_items", "returns", lambda f: f["leads"] * _MISSING[f["reason"]], "claims", "parcels said to lack an item"
)
DEFECT_RETURNS = Measure(
    "defect_returns",
    "returns",
    lambda f: f["leads"] * _DEFECT[f["reason"]],
    "returns",
    "returns as faulty, damaged, wrong or not as described",
)
EXCHANGES = Measure("exchanges", "returns", lambda f: f["leads"] * _EXCHANGE[f["resolution"]], "returns", "exchanges")
STORE_CREDITS = Measure(
    "store_credits", "returns", lambda f: f["leads"] * _CREDIT[f["resolution"]], "returns", "returns for store credit"
)
OTHER_TENDER = Measure(
    "other_tender",
    "returns",
    lambda f: f["leads"] * _OTHER_TENDER[f["tender"]],
    "returns",
    "refunds asked to another tender than the one that paid",
)
NO_PROOF = Measure(
    "without_proof",
    "returns",
    lambda f: f["leads"] * (f["proof_of_purchase"] == 0),
    "returns",
    "returns without proof of purchase",
)
LATE_RETURNS = Measure(
    "late_returns", "returns", lambda f: _between(f, 21, 3650), "returns", "returns three weeks or more after delivery"
)
QUICK_RETURNS = Measure(
    "quick_returns", "returns", lambda f: _between(f, 0, 2), "returns", "returns within three days of delivery"
)
WEEKEND_RETURNS = Measure(
    "weekend_returns", "returns", _over_weekend, "returns", "delivered before a weekend and returned right after it"
)
DAYS_KEPT = Measure(
    "days_kept",
    "returns",
    lambda f: f["leads"] * np.maximum(_days_kept(f), 0),
    "days",
    "days from delivery to request, summed over returns",
)
CHECKS = Measure("checks", "inspections", _one, "checks", "inspections made")
CONCERNS = Measure(
    "concerns", "inspections", lambda f: _CONCERN[f["finding"]], "findings", "inspections that found something wrong"
)
CLEAN_CHECKS = Measure(
    "clean_checks", "inspections", lambda f: _CLEAN[f["finding"]], "findings", "inspections that found all in order"
)
CONFIRMED = Measure(
    "confirmed",
    "verdicts",
    lambda f: f["counted"] * _CONFIRMED[f["verdict"]] * _EVIDENCE[f["basis"]],
    "verdicts",
    "verdicts of abuse that rest on evidence and were not overturned",
)
CLEARED = Measure(
    "cleared",
    "verdicts",
    lambda f: f["counted"] * _CLEARED[f["verdict"]],
    "verdicts",
    "verdicts that cleared a return and were not overturned",
)

DEFECT_ITEMS = Measure(
    "defect_items",
    "returns",
    lambda f: f["quantity"] * _DEFECT[f["reason"]],
    "items",
    "items back as faulty, damaged, wrong or not as described",
)
LOST_ITEMS = Measure(
    "lost_items",
    "returns",
    lambda f: f["quantity"] * (_NOT_RECEIVED[f["reason"]] + _MISSING[f["reason"]]),
    "items",
    "items said not to have arrived",
)

CUSTOMER_MEASURES: Final = (
    ORDERS,
    ITEMS_BOUGHT,
    VALUE_BOUGHT,
    EXPECTED,
    ITEMS_DISCOUNTED,
    DELIVERIES,
    DELIVERIES_PROVEN,
    RETURNS,
    ITEMS_RETURNED,
    VALUE_RETURNED,
    CLAIMS,
    VALUE_CLAIMED,
    NOT_RECEIVED,
    MISSING_ITEMS,
    DEFECT_RETURNS,
    EXCHANGES,
    STORE_CREDITS,
    OTHER_TENDER,
    NO_PROOF,
    LATE_RETURNS,
    QUICK_RETURNS,
    WEEKEND_RETURNS,
    DAYS_KEPT,
    CHECKS,
    CONCERNS,
    CLEAN_CHECKS,
    CONFIRMED,
    CLEARED,
)
LINK_MEASURES: Final = (
    ORDERS,
    ITEMS_BOUGHT,
    EXPECTED,
    RETURNS,
    ITEMS_RETURNED,
    VALUE_RETURNED,
    CLAIMS,
    NOT_RECEIVED,
    CONCERNS,
    CLEAN_CHECKS,
    CONFIRMED,
)
OWN_SHARE_MEASURES: Final = (ITEMS_BOUGHT, RETURNS, ITEMS_RETURNED, CLAIMS, CONCERNS, CLEAN_CHECKS, CONFIRMED)
ORDER_MEASURES: Final = (
    Measure("lines", "lines", _one, "lines", "lines of the order"),
    ITEMS_BOUGHT,
    VALUE_BOUGHT,
    ITEMS_DISCOUNTED,
    DELIVERIES,
    DELIVERIES_PROVEN,
    RETURNS,
    ITEMS_RETURNED,
    VALUE_RETURNED,
    CLAIMS,
)
PRODUCT_MEASURES: Final = (ITEMS_BOUGHT, ITEMS_RETURNED, DEFECT_ITEMS, LOST_ITEMS)
LANE_MEASURES: Final = (ORDERS, NOT_RECEIVED)

ALL_WINDOWS: Final = tuple(WINDOWS)

CUSTOMER = Entity(
    "customer",
    ("customer_id",),
    ALL_WINDOWS,
    CUSTOMER_MEASURES,
    distincts=(
        Distinct("addresses", "address", "different addresses ordered to"),
        Distinct("payments", "payment", "different payment means used"),
        Distinct("devices", "device", "different devices used"),
    ),
    ages=(
        Age("seconds_since_first_order", "orders", "first", "seconds since the first order"),
        Age("seconds_since_last_order", "orders", "last", "seconds since the latest order"),
        Age("seconds_since_last_return", "returns", "last", "seconds since the latest return or claim"),
        Age(
            "seconds_since_last_concern",
            "inspections",
            "last",
            "seconds since the latest inspection that found something wrong",
            where=lambda f: _CONCERN[f["finding"]] > 0,
        ),
    ),
)
LINKS: Final = ("address", "payment", "device", "email")
_LINK_ENTITIES = tuple(
    Entity(
        name,
        (f"{name}_id",),
        ALL_WINDOWS,
        LINK_MEASURES,
        distincts=(Distinct("customers", "customer", f"different customers who used this {name}"),),
    )
    for name in LINKS
)
_OWN_SHARES = tuple(
    Entity(f"customer_{name}", ("customer_id", f"{name}_id"), ("365d", "lifetime"), OWN_SHARE_MEASURES)
    for name in LINKS
)
ORDER = Entity(
    "order",
    ("order_id",),
    ("lifetime",),
    ORDER_MEASURES,
    ages=(
        Age("seconds_since_ordered", "orders", "first", "seconds since the order was placed"),
        Age("seconds_since_delivered", "deliveries", "last", "seconds since the latest delivery of the order"),
    ),
)

#: Known to the microsecond.
EXACT: Final = (CUSTOMER, *_LINK_ENTITIES, *_OWN_SHARES, ORDER)

#: Known as of the last midnight UTC.
POOLED: Final = (
    Entity("sku", ("sku",), ALL_WINDOWS, PRODUCT_MEASURES, pooled=True),
    Entity("category", ("category",), ALL_WINDOWS, PRODUCT_MEASURES, pooled=True),
    Entity("courier", ("courier",), ("90d", "365d", "lifetime"), LANE_MEASURES, pooled=True),
    Entity("country", ("country",), ("90d", "365d", "lifetime"), LANE_MEASURES, pooled=True),
)

ENTITIES: Final = (*EXACT, *POOLED)

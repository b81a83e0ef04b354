"""What is known of a customer and of a terminal when a card is used: measure x window x entity.

Facts are payments, known at once, and labels, known seven days later (`benchmarks.handbook.payments`). A window of
labels is therefore seven days longer than the stretch of payments that it can speak of: the book's "7 days ending 7
days before" is a window of 14 days here.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.measures import Age, Columns, Entity, Ints, Measure

#: A payment is out of the ordinary from so many times of what the customer usually pays, in hundredths.
LARGE: Final = 250
#: ... and within it up to so many times.
USUAL: Final = 200


def _one(f: Columns) -> Ints:
    return np.ones(len(f["occurred_at"]), dtype=np.int64)


def _usual_fraud(f: Columns) -> Ints:
    return f["fraud"] * (f["multiple"] <= USUAL)


PAYMENTS = Measure("payments", "payments", _one, "payments", "payments made")
AMOUNT = Measure("amount", "payments", lambda f: f["amount"], "1/100 currency", "paid in all")
MULTIPLES = Measure("multiples", "payments", lambda f: f["multiple"], "1/100", "multiples of the usual amount, summed")
LARGE_PAYMENTS = Measure("large", "payments", lambda f: f["multiple"] > LARGE, "payments", "payments far above usual")
KNOWN = Measure("known", "labels", _one, "payments", "payments whose label is known")
FRAUDS = Measure("frauds", "labels", lambda f: f["fraud"], "frauds", "known frauds")
FRAUD_AMOUNT = Measure("fraud_amount", "labels", lambda f: f["fraud"] * f["amount"], "1/100 currency", "known frauds")
USUAL_FRAUDS = Measure(
    "usual_frauds", "labels", _usual_fraud, "frauds", "known frauds of an amount usual for the customer"
)

#: What a customer usually pays is made of these, before anything else.
SPENDING: Final = Entity("spending", ("customer_id",), ("lifetime",), (PAYMENTS, AMOUNT, FRAUDS, FRAUD_AMOUNT))

CUSTOMER: Final = Entity(
    "customer",
    ("customer_id",),
    ("1d", "7d", "14d", "30d"),
    (PAYMENTS, AMOUNT, MULTIPLES, LARGE_PAYMENTS),
)
TERMINAL: Final = Entity(
    "terminal",
    ("terminal_id",),
    ("8d", "10d", "14d", "21d", "28d", "35d", "37d"),
    (KNOWN, FRAUDS, USUAL_FRAUDS),
    ages=(
        Age(
            "seconds_since_usual_fraud",
            "labels",
            "last",
            "seconds since the latest known fraud of a usual amount",
            where=lambda f: _usual_fraud(f) > 0,
        ),
        Age(
            "seconds_since_genuine",
            "labels",
            "last",
            "seconds since the latest payment that is known to be genuine",
            where=lambda f: f["fraud"] == 0,
        ),
    ),
)

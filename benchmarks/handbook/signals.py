"""What the model sees of a payment: made of the declared values and of the payment itself.

Two sets: `BOOK`, rebuilt from the book's description, and `OWN`. The values of a payment are those declared in
`benchmarks.handbook.declarations` and its own `at` (microseconds), `amount` (1/100 of the currency), `usual` (what its
customer usually pays, 1/100) and `multiple` (the amount in hundredths of that).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from features.clock import DAY
from features.signals import ModelFeature
from features.signals.language import DAY_SECONDS, Values

_HOUR: Final = DAY // 24


def _seen(name: str, unit: str, text: str, value: Callable[[Values], Any] | None = None) -> ModelFeature:
    return ModelFeature(name, "payments", 0, unit, text, value or (lambda v: v[name] * 1.0))


def _part(part: str, whole: str) -> Callable[[Values], Any]:
    return lambda v: v[part] / np.maximum(v[whole], 1.0)


def _with_this_one(name: str) -> Callable[[Values], Any]:
    return lambda v: v[name] + 1.0


def _mean_with_this_one(total: str, count: str) -> Callable[[Values], Any]:
    return lambda v: (v[total] + v["amount"]) / (v[count] + 1.0)


def _days(name: str) -> Callable[[Values], Any]:
    return lambda v: v[name] / DAY_SECONDS


def _book() -> list[ModelFeature]:
    """As in the book, numbers and means of the customer count the payment itself."""
    found = [
        _seen("amount", "1/100 currency", "amount"),
        _seen("weekend", "", "on a Saturday or Sunday", lambda v: (v["at"] // DAY + 3) % 7 >= 5),
        _seen("night", "", "before seven in the morning", lambda v: v["at"] % DAY < 7 * _HOUR),
    ]
    for window, days in (("1d", "1"), ("7d", "7"), ("30d", "30")):
        count, total = f"customer_payments_{window}", f"customer_amount_{window}"
        found += [
            _seen(
                f"customer_number_{window}",
                "payments",
                f"the customer's payments in {days} days",
                _with_this_one(count),
            ),
            _seen(
                f"customer_mean_{window}",
                "1/100 currency",
                f"their mean amount in {days} days",
                _mean_with_this_one(total, count),
            ),
        ]
    for window, days in (("8d", "1"), ("14d", "7"), ("37d", "30")):
        known, frauds = f"terminal_known_{window}", f"terminal_frauds_{window}"
        found += [
            _seen(known, "payments", f"payments at the terminal in {days} days ending 7 days before"),
            _seen(
                f"terminal_share_{window}",
                "share",
                f"share of frauds among them ({days} days)",
                _part(frauds, known),
            ),
        ]
    return found


def _own() -> list[ModelFeature]:
    found = [
        _seen("amount", "1/100 currency", "amount"),
        _seen("multiple", "1/100", "amount against what the customer usually pays"),
        _seen("usual", "1/100 currency", "what the customer usually pays"),
    ]
    for window in ("1d", "7d", "30d"):
        found.append(_seen(f"customer_payments_{window}", "payments", f"the customer's payments ({window})"))
    for window in ("1d", "7d", "14d"):
        found.append(_seen(f"customer_large_{window}", "payments", f"payments far above usual ({window})"))
    for window in ("1d", "7d"):
        count, total = f"customer_payments_{window}", f"customer_multiples_{window}"
        found.append(
            _seen(
                f"customer_level_{window}",
                "1/100",
                f"mean payment against what is usual ({window})",
                _part(total, count),
            )
        )
    for window in ("8d", "10d", "14d", "21d", "28d", "35d"):
        found.append(_seen(f"terminal_usual_frauds_{window}", "frauds", f"known frauds of usual amounts ({window})"))
    for window in ("10d", "14d", "28d"):
        known, frauds = f"terminal_known_{window}", f"terminal_usual_frauds_{window}"
        found += [
            _seen(known, "payments", f"payments with a known label at the terminal ({window})"),
            _seen(
                f"terminal_usual_share_{window}",
                "share",
                f"share of frauds of usual amounts among them ({window})",
                _part(frauds, known),
            ),
        ]
    since_fraud, since_genuine = "terminal_seconds_since_usual_fraud", "terminal_seconds_since_genuine"
    return [
        *found,
        _seen("terminal_days_since_fraud", "days", "days since the latest", _days(since_fraud)),
        _seen(
            "terminal_days_since_genuine",
            "days",
            "days since the latest payment at the terminal that is known to be genuine",
            _days(since_genuine),
        ),
        _seen(
            "terminal_days_of_frauds",
            "days",
            "for how long before its latest known fraud the terminal had seen nothing genuine; below 0: it has since",
            lambda v: (v[since_genuine] - v[since_fraud]) / DAY_SECONDS,
        ),
    ]


BOOK: Final = tuple(_book())
OWN: Final = tuple(_own())

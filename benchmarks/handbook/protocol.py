"""The book's protocol: which payments train, which test, and what the figures mean.

Le Borgne, Siblini, Lebichot and Bontempi, Reproducible Machine Learning for Credit Card Fraud Detection. Train on seven
days, wait seven for the labels, test on seven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

from benchmarks.handbook.payments import Payments
from features.clock import DAY
from features.measures import Ints

Floats = npt.NDArray[np.float64]

DAYS: Final = 7  # of training, of waiting, and of test
TOP: Final = 100  # cards a day
FIGURES: Final = ("auc", "ap", "cp100")

SINGLE: Final = date(2018, 7, 25)
#: First training days of the test folds, and of the earlier ones on which everything was chosen.
TEST_FOLDS: Final = (date(2018, 8, 15), date(2018, 8, 8), date(2018, 8, 1), SINGLE)
EARLIER_FOLDS: Final = (date(2018, 7, 11), date(2018, 7, 4), date(2018, 6, 27), date(2018, 6, 20))

#: Rows and frauds of the single split as published.
SINGLE_COUNTS: Final = {"train_rows": 67_240, "train_frauds": 598, "test_rows": 58_264, "test_frauds": 385}


@dataclass(frozen=True)
class Fold:
    """Positions of the payments that train and of those that test, in order of time."""

    train_from: date
    train: Ints
    test: Ints

    def counts(self, payments: Payments) -> dict[str, int]:
        """Rows and frauds, named and in order like `SINGLE_COUNTS`."""
        counts: dict[str, int] = {}
        for name, part in (("train", self.train), ("test", self.test)):
            counts |= {f"{name}_rows": len(part), f"{name}_frauds": int(payments.fraud[part].sum())}
        return counts


def fold(payments: Payments, train_from: date) -> Fold:
    """The fold whose training starts on that day (UTC).

    A card drops out of a test day once one of its frauds is known: one since training began, seven days or more before
    the test day did.
    """
    start = (train_from - date(1970, 1, 1)).days
    day = payments.at // DAY
    test = [open_cards(payments, test_day, start) for test_day in range(start + 2 * DAYS, start + 3 * DAYS)]
    return Fold(train_from, np.flatnonzero((day >= start) & (day < start + DAYS)), np.concatenate(test))


def rows_of(folds: Sequence[Fold]) -> Ints:
    """Positions of all payments of some folds, ascending."""
    return np.unique(np.concatenate([part for one in folds for part in (one.train, one.test)]))


def open_cards(payments: Payments, of_day: int, since: int) -> Ints:
    """Positions of a day's payments, but for those of cards with a fraud from the day `since` on that is known: it
    happened seven days or more before the day began. Days are numbers of days since 1970-01-01."""
    day = payments.at // DAY
    known = (payments.fraud == 1) & (day >= since) & (day < of_day - DAYS)
    rows = np.flatnonzero(day == of_day)
    return rows[~np.isin(payments.customer[rows], payments.customer[known])]


def card_precision(day: Ints, card: Ints, fraud: Ints, score: Floats, top: int = TOP) -> float:
    """Share of frauded cards among the `top` highest of a day, the mean over the days.

    A card counts with its highest score of the day, and with a fraud if one of its payments of the day was one. A card
    that was found on one day is left out on the later ones. Arrays of shape (n,).

    >>> day, card = np.array([0, 0, 0, 1, 1, 1]), np.array([7, 8, 9, 7, 8, 9])
    >>> card_precision(day, card, np.array([1, 0, 0, 1, 0, 1]), np.array([.9, .8, .1, .9, .7, .8]), top=1)
    1.0
    """
    found: Ints = np.empty(0, dtype=np.int64)
    shares = []
    for one_day in np.unique(day):
        rows = np.flatnonzero(day == one_day)
        rows = rows[~np.isin(card[rows], found)]
        cards, place = np.unique(card[rows], return_inverse=True)
        highest = np.full(len(cards), -np.inf)
        np.maximum.at(highest, place, score[rows])
        frauded = np.bincount(place, fraud[rows], len(cards)) > 0
        first = np.argsort(-highest, kind="stable")[:top]
        hits = cards[first[frauded[first]]]
        shares.append(len(hits) / top)
        found = np.concatenate([found, hits])
    return float(np.mean(shares))


def figures(payments: Payments, test: Ints, score: Floats) -> dict[str, float]:
    """AUC and average precision over the test payments, and card precision at 100 a day."""
    fraud = payments.fraud[test]
    return {
        "auc": float(sk.roc_auc_score(fraud, score)),
        "ap": float(sk.average_precision_score(fraud, score)),
        "cp100": card_precision(payments.at[test] // DAY, payments.customer[test], fraud, score),
    }

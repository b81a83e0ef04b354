"""Groups that error rates are compared by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.support.returns import FEATURES, feature, made_up_returns
from tests.support.segments import AUDITED, audited_returns
from training.errors import TrainingError
from training.fairness.segments import SEGMENTS, UNKNOWN, segments, size_range


def ranges(skus: list[object], categories: list[object] | None = None) -> list[str]:
    categories = ["tops"] * len(skus) if categories is None else categories
    return size_range(pd.Series(skus, dtype=object), pd.Series(categories, dtype=object)).tolist()


def test_every_segment_has_a_group_for_every_row() -> None:
    rows, _ = audited_returns(n=500)
    groups = segments(rows, AUDITED)
    assert list(groups) == list(SEGMENTS)
    assert groups.notna().all().all()
    assert set(groups["household"]) == {"shared", "not shared"}
    assert set(groups["bracketing"]) == {"several of a kind", "one of a kind"}
    assert groups.index.tolist() == list(range(500))


def test_what_is_not_known_is_a_group_of_its_own() -> None:
    rows, _ = audited_returns(n=50)
    rows.X[:] = np.nan
    rows.context.loc[:, ["country", "sku", "channel"]] = None
    assert (segments(rows, AUDITED) == UNKNOWN).all().all()


def test_it_says_which_feature_is_missing() -> None:
    with pytest.raises(TrainingError, match="no feature 'customer_tenure_days'"):
        segments(made_up_returns(n=100), FEATURES)
    with pytest.raises(TrainingError, match="no feature 'address_customers_lifetime'"):
        segments(made_up_returns(n=100), (feature("customer_tenure_days"), *FEATURES[1:]))


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ("S61-M", "usual"),
        ("S61-s", "usual"),
        ("S61_XXS", "small"),
        ("S61 xs", "small"),
        ("S61-XL", "large"),
        ("S61-XXXXXL", "large"),
        ("S61/5XL", "large"),
        ("S61.2xl", "large"),
        ("S61-6XL", UNKNOWN),
        ("XL", UNKNOWN),
        ("PLUM", UNKNOWN),
        ("LAMP-SMALL", UNKNOWN),
        ("85123A", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_letter_sizes(sku: str | None, expected: str) -> None:
    assert ranges([sku]) == [expected]


def test_numeric_sizes_are_compared_within_their_category() -> None:
    shoes = [f"S{i}-{size}" for i, size in enumerate([36, *[40] * 10, "41,5", *[42] * 10, 47])]
    trousers = [f"T{i}-{size}" for i, size in enumerate([44, *[52] * 20, 64])]
    got = ranges([*shoes, *trousers], ["shoes"] * len(shoes) + ["trousers"] * len(trousers))
    assert got[: len(shoes)] == ["small", *["usual"] * 21, "large"]
    assert got[len(shoes) :] == ["small", *["usual"] * 20, "large"]


def test_numbers_that_are_no_sizes() -> None:
    assert ranges(["A-12", "A-99", "A-1234", "A42"]) == [UNKNOWN] * 4

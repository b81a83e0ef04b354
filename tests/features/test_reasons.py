"""Which reasons are told, for one return and for many."""

from __future__ import annotations

import numpy as np
import pytest

from features.reasons import CODES, GROUPS, MOST, THRESHOLD, group_of, group_sums, strongest
from features.service import MODEL_FEATURES
from features.signals import FAMILIES


def test_every_family_belongs_to_exactly_one_group() -> None:
    listed = [family for families in GROUPS.values() for family in families]
    assert sorted(listed) == sorted(FAMILIES)


def test_every_feature_has_a_group() -> None:
    groups = group_of([feature.family for feature in MODEL_FEATURES])
    for feature, group in zip(MODEL_FEATURES, groups, strict=True):
        assert feature.family in GROUPS[CODES[group]]
    with pytest.raises(KeyError, match="weather"):
        group_of(["weather"])


def test_contributions_are_summed_by_group() -> None:
    groups = group_of(["claims", "rate", "claims"])
    sums = group_sums(np.array([[0.5, 0.2, -0.1], [0.0, 1.0, 0.0]]), groups)
    assert sums[:, CODES.index("R03")] == pytest.approx([0.4, 0.0])
    assert sums[:, CODES.index("R02")].tolist() == [0.2, 1.0]
    assert np.count_nonzero(sums) == 3


def test_one_row_gives_the_bits_of_many() -> None:
    groups = group_of([feature.family for feature in MODEL_FEATURES])
    parts = np.random.default_rng(0).normal(size=(50, len(groups)))
    many = group_sums(parts, groups)
    for row, sums in zip(parts, many, strict=True):
        assert np.array_equal(group_sums(row[None], groups)[0], sums)
        assert np.array_equal(np.bincount(groups, row, len(CODES)), sums)  # as the service does it


def test_the_strongest_first_and_none_below_the_threshold() -> None:
    sums = np.zeros((3, len(CODES)))
    sums[0, [2, 4, 6]] = THRESHOLD, 0.9, THRESHOLD - 1e-9
    sums[1, :6] = np.arange(1, 7)
    told = strongest(sums)
    assert told.shape == (3, MOST)
    assert told[0].tolist() == [4, 2, -1, -1]
    assert told[1].tolist() == [5, 4, 3, 2]
    assert told[2].tolist() == [-1, -1, -1, -1]
    assert strongest(-sums)[1].tolist() == [-1, -1, -1, -1]

"""Folds in order of time, within the train stretch, with what was known at their moments."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from tests.support.returns import made_up_returns, until_of
from training.dataset import Split, split
from training.errors import TooFewLabels
from training.search.folds import FIRST_SHARE, FOLDS, folds


@pytest.fixture(scope="module")
def parts() -> Split:
    rows = made_up_returns(n=12_000, shift=-3.5)
    return split(rows, until_of(rows))


def test_windows_expand_and_blocks_follow_each_other(parts: Split) -> None:
    made = folds(parts)
    assert len(made) == FOLDS
    for earlier, later in pairwise(made):
        assert set(earlier.train.return_id) < set(later.train.return_id)
        assert earlier.judged.requested_at.max() < later.judged_from <= later.judged.requested_at.min()
    judged = np.concatenate([fold.judged.return_id for fold in made])
    assert len(set(judged)) == len(judged) == pytest.approx(len(parts.train) * (1 - FIRST_SHARE), abs=FOLDS)
    assert max(len(fold.judged) for fold in made) <= min(len(fold.judged) for fold in made) + 1


def test_what_calibrates_and_tests_takes_no_part(parts: Split) -> None:
    used = {i for fold in folds(parts) for part in (fold.train, fold.judged) for i in part.return_id}
    assert used <= set(parts.train.return_id)
    assert not used & (set(parts.calibration.return_id) | set(parts.test.return_id))


def test_a_gap_lies_before_each_moment_and_labels_were_known_by_it(parts: Split) -> None:
    for fold in folds(parts):
        assert fold.train.requested_at.max() < fold.judged_from - parts.gap
        assert fold.train.known_at.max() <= fold.judged_from
        assert fold.judged.requested_at.min() >= fold.judged_from


def test_a_label_that_came_late_is_judged_but_not_fitted_on(parts: Split) -> None:
    late = np.arange(len(parts.train)) % 40 == 0
    known = np.where(late, parts.calibration_from, parts.train.known_at)
    made = folds(dataclasses.replace(parts, train=dataclasses.replace(parts.train, known_at=known)))
    slow = set(parts.train.return_id[late])
    assert all(slow & set(fold.judged.return_id) for fold in made)
    assert not any(slow & set(fold.train.return_id) for fold in made)


def test_a_fold_with_too_few_labels_is_named(parts: Split) -> None:
    train = parts.train
    moment = folds(parts)[2].judged_from
    bare = dataclasses.replace(train, y=np.where(train.requested_at >= moment, 0.0, train.y))
    with pytest.raises(TooFewLabels, match=r"0 positive and \d+ negative among the judged returns of fold 3 of 4"):
        folds(dataclasses.replace(parts, train=bare))

"""Trials of recipes over folds: reproducible, pruned where nothing is to be expected, and better than no search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna
import pytest

from tests.support.returns import FEATURES, made_up_returns, until_of
from training.dataset import split
from training.model import Recipe
from training.search.folds import Fold, folds
from training.search.space import default
from training.search.study import Trial, best, gain, importances, new_study, precision_of, run_trials


@pytest.fixture(scope="module")
def made() -> list[Fold]:
    rows = made_up_returns(n=3000, shift=-3.0)
    return folds(split(rows, until_of(rows)))


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    return new_study()


@pytest.fixture(scope="module")
def ten(study: optuna.Study, made: list[Fold]) -> list[Trial]:
    return list(run_trials(study, made, FEATURES, 10))


def test_the_same_folds_give_the_same_trials(made: list[Fold], ten: list[Trial]) -> None:
    again = list(run_trials(new_study(), made, FEATURES, 10))
    assert [replace(t, seconds=0.0) for t in again] == [replace(t, seconds=0.0) for t in ten]
    assert best(again).recipe == best(ten).recipe
    assert len({str(t.point) for t in ten}) == 10


def test_the_default_recipe_comes_first_and_is_never_beaten_by_something_worse(ten: list[Trial]) -> None:
    assert ten[0].recipe == Recipe()
    assert not ten[0].pruned
    assert best(ten).value >= ten[0].value
    assert gain(ten)[0] == pytest.approx(best(ten).value - ten[0].value)


def test_pruned_trials_stopped_early_and_were_behind(made: list[Fold], ten: list[Trial]) -> None:
    pruned = [t for t in ten if t.pruned]
    assert pruned
    for t in pruned:
        steps = len(t.precisions)
        assert steps < len(made)
        earlier = [np.mean(o.precisions[:steps]) for o in ten[: t.number] if len(o.precisions) >= steps]
        assert t.value < np.median(earlier)
    assert all(len(t.precisions) == len(made) for t in ten if not t.pruned)


def test_a_recipe_that_cannot_learn_is_worse(made: list[Fold]) -> None:
    blunt = replace(Recipe(), trees={**Recipe().trees, "learning_rate": 0.02, "lambda_l2": 1e6}, max_trees=2)
    assert precision_of(made[-1], FEATURES, blunt) < precision_of(made[-1], FEATURES, Recipe())


def test_importances_are_shares(study: optuna.Study, ten: list[Trial]) -> None:
    shares = importances(study)
    assert set(shares) == set(default())
    assert sum(shares.values()) == pytest.approx(1.0)
    assert importances(new_study()) == {}

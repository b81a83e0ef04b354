"""Trials of recipes over folds: reproducible, pruned where nothing is to be expected, and better than no search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import optuna
import pytest
from sklearn.metrics import average_precision_score

from tests.support.returns import FEATURES, made_up_returns, until_of
from training.dataset import split
from training.model import Recipe
from training.search.folds import Fold, folds
from training.search.space import default
from training.search.study import (
    Trial,
    _Ranked,
    choose,
    gain,
    importances,
    judge,
    new_study,
    precision,
    run_trials,
)


@pytest.fixture(scope="module")
def made() -> list[Fold]:
    rows = made_up_returns(n=3000, shift=-3.0)
    return folds(split(rows, until_of(rows)))


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    return new_study()


@pytest.fixture(scope="module")
def eight(study: optuna.Study, made: list[Fold]) -> list[Trial]:
    return list(run_trials(study, made, FEATURES, 8))


def test_the_same_folds_give_the_same_trials(made: list[Fold], eight: list[Trial]) -> None:
    again = list(run_trials(new_study(), made, FEATURES, 8))
    assert [replace(t, seconds=0.0) for t in again] == [replace(t, seconds=0.0) for t in eight]
    one, two = choose(made, eight), choose(made, again)
    assert one.chosen.recipe == two.chosen.recipe
    assert (one.gain, one.error) == (two.gain, two.error)
    assert len({str(t.point) for t in eight}) == 8


def test_the_default_recipe_comes_first_and_is_never_pruned(eight: list[Trial]) -> None:
    assert eight[0].recipe == Recipe()
    assert not eight[0].pruned


def test_pruned_trials_stopped_early_and_were_behind(made: list[Fold], eight: list[Trial]) -> None:
    pruned = [t for t in eight if t.pruned]
    assert pruned
    for t in pruned:
        steps = len(t.precisions)
        assert steps < len(made)
        earlier = [np.mean(o.precisions[:steps]) for o in eight[: t.number] if len(o.precisions) >= steps]
        assert t.value < np.median(earlier)
    assert all(len(t.precisions) == len(made) for t in eight if not t.pruned)


def test_a_recipe_that_cannot_learn_is_worse(made: list[Fold]) -> None:
    blunt = replace(Recipe(), trees={**Recipe().trees, "learning_rate": 0.02, "lambda_l2": 1e6}, max_trees=2)
    fold = made[-1]
    assert precision(fold, judge(fold, FEATURES, blunt)) < precision(fold, judge(fold, FEATURES, Recipe()))


def trial(number: int, made: list[Fold], raw: Callable[[Fold, np.random.Generator], np.ndarray]) -> Trial:
    """A made-up trial whose scores are given."""
    rng = np.random.default_rng(number)
    scores = tuple(raw(fold, rng)[:, None] for fold in made)
    values = tuple(precision(fold, s) for fold, s in zip(made, scores, strict=True))
    return Trial(number, {}, Recipe(thin_orders=number + 1), values, False, 0.0, scores)


def test_the_default_recipe_stays_unless_another_is_clearly_better(made: list[Fold]) -> None:
    first = trial(0, made, lambda fold, rng: fold.judged.y + rng.normal(0, 0.8, len(fold.judged)))
    known = iter(scores[:, 0] for scores in first.raw)
    alike = trial(1, made, lambda fold, rng: next(known) + rng.normal(0, 0.05, len(fold.judged)))
    better = trial(2, made, lambda fold, rng: fold.judged.y + rng.normal(0, 0.3, len(fold.judged)))
    worse = trial(3, made, lambda fold, rng: rng.normal(size=len(fold.judged)))
    choice = choose(made, [first, worse, better, alike])
    assert choice.best is choice.chosen is better
    assert choice.gain == pytest.approx(better.value - first.value)
    assert 0 < choice.error < choice.gain
    assert choose(made, [first, worse]).best is choose(made, [first, worse]).chosen is first
    lucky = alike if alike.value > first.value else first
    assert choose(made, [first, alike, worse]).best is lucky
    assert choose(made, [first, alike, worse]).chosen is first


def test_the_error_of_a_lead_is_that_of_new_customers(made: list[Fold]) -> None:
    """Equal trials have none; what one customer decides has a large one."""
    first = trial(0, made, lambda fold, rng: fold.judged.y + rng.normal(0, 0.8, len(fold.judged)))
    assert gain(made, first, replace(first, number=1)) == (0.0, 0.0)
    better = trial(2, made, lambda fold, rng: fold.judged.y + rng.normal(0, 0.3, len(fold.judged)))
    usual = gain(made, better, first)[1]
    one = [
        replace(f, judged=replace(f.judged, context=f.judged.context.assign(customer_id=f.judged.y.astype(str))))
        for f in made
    ]
    assert gain(one, better, first)[1] != usual
    assert gain(made, better, first) == gain(made, better, first)


def test_weights_of_whole_numbers_are_repeated_returns(made: list[Fold]) -> None:
    """Average precision under a bootstrap's weights is scikit-learn's, with equal scores."""
    y = made[0].judged.y
    raw = np.round(np.random.default_rng(1).normal(size=len(y)) + y, 1)
    times = np.random.default_rng(2).integers(0, 4, len(y))
    ours = _Ranked(y, raw).precision(times.astype(float))
    assert ours == pytest.approx(average_precision_score(np.repeat(y, times), np.repeat(raw, times)))


def test_importances_are_shares(study: optuna.Study, eight: list[Trial]) -> None:
    shares = importances(study)
    assert set(shares) == set(default())
    assert sum(shares.values()) == pytest.approx(1.0)
    assert importances(new_study()) == {}

"""Columns, labels and weights that real histories have and textbooks do not: a sensible model, or a clear message."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from features.clock import DAY
from tests.support.returns import FEATURES, feature, made_up_returns, until_of
from training.dataset import Rows, split
from training.errors import TooFewLabels
from training.evaluation.metrics import evaluate
from training.model import Fitted, Recipe, fit, fit_trees

REASON = next(i for i, f in enumerate(FEATURES) if f.categories)
ORDERS = 0


@pytest.fixture(scope="module")
def rows() -> Rows:
    return made_up_returns(n=9000, shift=-3.5)


def fitted_to(rows: Rows, features: tuple = FEATURES) -> Fitted:
    return fit(split(rows, until_of(rows)), features, Recipe(), {"feature_service": "made_up"})


def with_column(rows: Rows, column: np.ndarray) -> Rows:
    return dataclasses.replace(rows, X=np.column_stack([rows.X, column]))


@pytest.fixture(scope="module")
def plain(rows: Rows) -> Fitted:
    return fitted_to(rows)


@pytest.mark.parametrize(
    "column",
    [lambda n: np.full(n, 3.0), lambda n: np.full(n, np.nan), lambda n: np.full(n, -1.0)],
    ids=["constant", "all unknown", "a category that is never known"],
)
def test_a_column_that_says_nothing_has_no_say(rows: Rows, plain: Fitted, column: Callable[[int], np.ndarray]) -> None:
    values = column(len(rows))
    words = ("a", "b") if values[0] == -1 else None
    fitted = fitted_to(with_column(rows, values), (*FEATURES, feature("odd", 0, words)))
    model = fitted.load()
    X = with_column(rows, values).X[:400]
    assert np.abs(model.contributions(X)[:, -1]).max() == 0
    other = X.copy()
    other[:, -1] = 1.0
    assert np.array_equal(model.risk(other), model.risk(X))
    assert np.isfinite(list(fitted.card.reference["odd"].model_dump().values())).all()
    test = split(rows, until_of(rows)).test
    figures = [evaluate(test.y, m.load().risk(x), test.weights(100)) for m, x in _two(plain, fitted, test, values[0])]
    assert figures[1]["auc"] == pytest.approx(figures[0]["auc"], abs=0.03)


def _two(plain: Fitted, fitted: Fitted, test: Rows, value: float) -> list[tuple[Fitted, np.ndarray]]:
    return [(plain, test.X), (fitted, np.column_stack([test.X, np.full(len(test), value)]))]


def test_a_category_first_seen_after_training_counts_like_an_unknown_one(rows: Rows) -> None:
    codes = np.where((rows.X[:, REASON] == 2) & (np.arange(len(rows)) < 7400), 0, rows.X[:, REASON])
    X = rows.X.copy()
    X[:, REASON] = codes
    late = dataclasses.replace(rows, X=X)
    parts = split(late, until_of(late))
    assert 2 not in parts.labelled_before(parts.test_from).X[:, REASON]
    assert 2 in parts.test.X[:, REASON]
    model = fitted_to(late).load()
    seen, unseen, unknown = (np.tile(X[:300], 1) for _ in range(3))
    unseen[:, REASON], unknown[:, REASON] = 2, -1
    assert np.array_equal(model.risk(unseen), model.risk(unknown))
    nothing = unseen.copy()
    nothing[:, REASON] = np.nan
    assert np.array_equal(model.risk(unseen), model.risk(nothing))
    assert np.isfinite(model.risk(seen)).all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (lambda rows: rows.y * 0, "0 returns with abuse found and 9000 cleared; at least 50 of each"),
        (lambda rows: rows.y * 0 + 1, "9000 returns with abuse found and 0 cleared; at least 50 of each"),
        (lambda rows: np.where(np.cumsum(rows.y) <= 49, rows.y, 0), "49 returns with abuse found and 8951 cleared"),
    ],
    ids=["nothing found", "always found", "49 found"],
)
def test_labels_that_no_model_can_be_learned_from(rows: Rows, y: Callable[[Rows], np.ndarray], message: str) -> None:
    odd = dataclasses.replace(rows, y=y(rows))
    with pytest.raises(TooFewLabels, match=message):
        split(odd, until_of(odd))


def test_fifty_findings_are_enough_for_something_sensible(rows: Rows) -> None:
    found = np.flatnonzero(rows.y)
    kept = np.zeros(len(rows))
    kept[found[np.linspace(0, len(found) - 1, 60).astype(int)]] = 1
    few = dataclasses.replace(rows, y=kept)
    model = fitted_to(few).load()
    assert 0 < model.base_rate < 0.05
    assert model.risk(rows.X).max() < 0.9
    assert np.average(model.risk(rows.X), weights=rows.weights(100)) == pytest.approx(model.base_rate, rel=0.5)


@pytest.mark.parametrize("spread", [0, DAY - 1], ids=["one moment", "one day"])
def test_returns_of_a_single_day_cannot_be_split_in_time(rows: Rows, spread: int) -> None:
    at = rows.requested_at[0] + np.linspace(0, spread, len(rows)).astype(np.int64)
    same = dataclasses.replace(rows, requested_at=at, known_at=at + 3 * DAY)
    with pytest.raises(TooFewLabels, match="too few labels in the train stretch: 0 positive and 0 negative"):
        split(same, until_of(same))


def test_labels_that_all_became_known_on_one_day_say_so(rows: Rows) -> None:
    blitz = dataclasses.replace(rows, known_at=np.full(len(rows), until_of(rows)))
    with pytest.raises(TooFewLabels, match=r"too few labels in the train stretch.*the first label became known on 20"):
        split(blitz, until_of(blitz))


def test_odds_that_nobody_recorded_count_once(rows: Rows) -> None:
    unknown = dataclasses.replace(rows, odds=np.full(len(rows), np.nan))
    impossible = dataclasses.replace(rows, odds=np.resize([0.0, -1.0, 2.0, np.inf, np.nan], len(rows)))
    assert fitted_to(impossible) == fitted_to(unknown)
    certain = fitted_to(dataclasses.replace(rows, odds=np.ones(len(rows))))
    assert certain.booster_text == fitted_to(unknown).booster_text
    some = dataclasses.replace(rows, odds=np.where(np.arange(len(rows)) % 3 == 0, np.nan, rows.odds))
    assert np.isfinite(fitted_to(some).load().risk(rows.X)).all()


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_trees_of_one_class_are_a_constant(rows: Rows, y: float) -> None:
    _, trees = fit_trees(rows.X[:500], np.full(500, y), np.ones(500), FEATURES, Recipe())
    assert trees >= 1

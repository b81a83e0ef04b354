"""A model judged on later returns, and the card that tells it."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from tests.support.returns import FEATURES, made_up_returns, until_of
from tests.support.words import judging_words
from training.dataset import Split, split
from training.evaluation.baselines import Rival, baselines
from training.evaluation.card import Card, html, markdown
from training.evaluation.intervals import Interval
from training.evaluation.metrics import evaluate
from training.evaluation.report import Judged, judge
from training.evaluation.sections import contributions_plot, model_card
from training.evaluation.tables import Table
from training.model import Fitted, Recipe, fit

FACTS = {
    "feature_service": "made_up",
    "trained_until": "2025-07-31T00:00:00+00:00",
    "data": {"rows_returns": 8000, "recorded_until_us": 1_750_000_000_000_000, "epoch": 2, "digest": "0a1b2c3d"},
}


@pytest.fixture(scope="module")
def parts() -> Split:
    rows = made_up_returns(n=4000, shift=-3.5)
    return split(rows, until_of(rows))


@pytest.fixture(scope="module")
def fitted(parts: Split) -> Fitted:
    return fit(parts, FEATURES, Recipe(max_trees=40), FACTS)


@pytest.fixture(scope="module")
def judged(parts: Split, fitted: Fitted) -> Judged:
    champion = Rival("champion", "Champion (version 2)", None, "it has learned from later labels")
    rivals = [*baselines(parts, FEATURES), champion]
    return judge(parts.test, fitted.load().risk(parts.test.X), FEATURES, rivals)


@pytest.fixture(scope="module")
def card(parts: Split, fitted: Fitted, judged: Judged) -> Card:
    rows = parts.test
    known = pd.DataFrame(
        {
            "label": np.append(rows.y, np.nan),
            "strength": "finding",
            "trigger": np.append(rows.context["trigger"].to_numpy(dtype=object), None),
            "propensity": np.append(rows.odds, np.nan),
        }
    )
    picture = contributions_plot(fitted.load(), rows.X)
    return model_card(
        "returnwise-risk", "3", fitted.card, known, parts.parts(), judged, contributions=picture, notes=("A note.",)
    )


def table(card: Card, name: str) -> Table:
    (found,) = [t for t in card.tables() if t.name == name]
    return found


def test_figures_are_those_of_evaluate(parts: Split, fitted: Fitted, judged: Judged) -> None:
    test = parts.test
    value = test.context["value"].to_numpy()
    assert judged.figures == evaluate(test.y, fitted.load().risk(test.X), test.weights(100), value)
    headline = judged.ranges["average_precision_weighted"]
    assert headline.low < headline.estimate < headline.high
    assert headline.estimate == judged.figures["average_precision_weighted"]


def test_rivals_stand_beside_it(judged: Judged) -> None:
    assert set(judged.rivals) == set(judged.differences) == {"return_rate_rule", "logistic_regression"}
    less = judged.differences["return_rate_rule"]["auc"]
    assert 0 < less.estimate < less.high
    ours = judged.ranges["auc_weighted"].estimate
    less = judged.differences["logistic_regression"]["auc"].estimate
    assert ours - judged.rivals["logistic_regression"]["auc"].estimate == pytest.approx(less)


def test_metrics_are_flat(judged: Judged) -> None:
    metrics = judged.metrics()
    names = ("auc", "auc_weighted", "auc_weighted_low", "value_at_2_weighted_high", "cost_saved_over_random_weighted")
    assert set(names) <= set(metrics)
    assert "average_precision_weighted_less_return_rate_rule_low" in metrics
    assert "logistic_regression_value_at_2_weighted" in metrics
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in metrics)
    assert all(isinstance(value, float) for value in metrics.values())


def test_the_same_rows_give_the_same_card(parts: Split, fitted: Fitted, judged: Judged) -> None:
    again = judge(parts.test, fitted.load().risk(parts.test.X), FEATURES, baselines(parts, FEATURES))
    figures, others = again.metrics(), judged.metrics()
    assert {name: figures[name] for name in others} == pytest.approx(others, rel=0, abs=0, nan_ok=True)


def test_the_card_has_its_parts_in_order(card: Card) -> None:
    assert [part.title for part in card.parts()] == [
        "What it is for",
        "Results",
        "Random checks alone",
        "Calibration",
        "By kind of abuse",
        "By segment",
        "Over time",
        "Data",
        "Labels",
        "How it was trained",
        "Reasons",
        "Fairness",
        "Limits",
    ]
    names = [plot.name for plot in card.plots()]
    assert names == ["precision_recall", "capacity", "calibration", "kinds", "over_time", "contributions"]
    assert all(plot.png[:4] == b"\x89PNG" and len(plot.png) > 8_000 for plot in card.plots())


def test_the_card_tells_what_was_not_compared_and_the_notes(card: Card) -> None:
    text = markdown(card)
    assert "Not compared with champion (version 2): it has learned from later labels." in text
    assert "A note." in text
    assert "version 3" in html(card)
    assert judging_words(re.sub(r"base64,[A-Za-z0-9+/=]+", "", html(card))) == []
    assert judging_words(text) == []


def test_this_model_comes_first_and_every_figure_has_its_range(card: Card) -> None:
    rows = table(card, "results_weighted").rows
    assert [row["model"] for row in rows] == ["This model", "Return-rate rule", "Logistic regression"]
    cells = [v for row in rows for key, v in row.items() if key not in ("model", "strong")]
    assert all(isinstance(cell, Interval) and cell.low <= cell.estimate <= cell.high for cell in cells)


def test_groups_that_are_small_are_marked(card: Card, parts: Split) -> None:
    for found in card.tables():
        for row in found.rows:
            if "small" in row:
                assert row["small"] == (row["positives"] < 10 or row["effective_positives"] < 5)
    assert sum(row["rows"] for row in table(card, "over_time").rows) == len(parts.test)


def test_one_positive_in_one_month_is_judged_without_complaint(parts: Split, fitted: Fitted) -> None:
    few = parts.test.take(np.append(np.flatnonzero(parts.test.y == 1)[:1], np.flatnonzero(parts.test.y == 0)[:40]))
    got = judge(few, fitted.load().risk(few.X), FEATURES)
    assert 0 <= got.figures["auc"] <= 1
    assert got.differences == {}
    assert any("One return alone carries 100% of the value" in sentence for sentence in got.parts[0].sentences)
    assert not math.isnan(got.figures["calibration_error_weighted"])


def test_without_anything_to_measure_the_card_says_so(fitted: Fitted) -> None:
    nothing = pd.DataFrame({"label": [], "strength": [], "trigger": [], "propensity": []})
    empty = made_up_returns(n=50).take(slice(0, 0))
    card = model_card("returnwise-risk", "1", fitted.card, nothing, {"labelled": empty}, None)
    text = markdown(card)
    assert "Nothing is measured here" in card.summary
    assert "Nothing has been inspected yet" in text
    assert not list(card.plots())

"""The fitted model: reproducible, monotone, cheap to explain, calibrated on later data."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from features.clock import DAY
from features.risk_model import THIN_FEATURE, RiskModel
from tests.support.returns import FEATURES, made_up_returns, until_of
from training.dataset import Rows, Unchecked, split
from training.evaluation.metrics import evaluate
from training.labels import base_rate
from training.model import TREE_PARAMETERS, Fitted, Recipe, bands, fit, fit_trees, raw_scores, reference, tree_rows

FACTS = {"feature_service": "made_up"}


@pytest.fixture(scope="module")
def rows() -> Rows:
    return made_up_returns(n=12_000, shift=-3.5)


@pytest.fixture(scope="module")
def fitted(rows: Rows) -> Fitted:
    return fit(split(rows, until_of(rows)), FEATURES, Recipe(), FACTS)


def test_the_same_data_gives_the_same_bytes(rows: Rows, fitted: Fitted) -> None:
    again = fit(split(rows, until_of(rows)), FEATURES, Recipe(), FACTS)
    assert again.booster_text == fitted.booster_text
    assert again.card.model_dump_json() == fitted.card.model_dump_json()
    recipe = Recipe()
    recipe.trees["num_threads"] = 2
    assert fit(split(rows, until_of(rows)), FEATURES, recipe, FACTS).booster_text == fitted.booster_text


def test_it_learned_something_and_is_calibrated(rows: Rows, fitted: Fitted) -> None:
    test = split(rows, until_of(rows)).test
    figures = evaluate(test.y, fitted.load().risk(test.X), test.weights(100))
    assert figures["auc"] > 0.72
    assert figures["average_precision"] > 2 * figures["base_rate"]
    assert figures["mean_risk_weighted"] == pytest.approx(figures["base_rate_weighted"], rel=0.35)


#: Larger trees whose thresholds are searched: what a search may come to.
LARGE = Recipe(
    max_trees=60,
    trees={**TREE_PARAMETERS, "num_leaves": 24, "max_depth": 7, "min_data_in_leaf": 5, "extra_trees": False},
)


@pytest.fixture(scope="module", params=[Recipe(), LARGE], ids=["default recipe", "large trees"])
def signed(request: pytest.FixtureRequest, rows: Rows, fitted: Fitted) -> RiskModel:
    if request.param == Recipe():
        return fitted.load()
    return fit(split(rows, until_of(rows)), FEATURES, request.param, FACTS).load()


@pytest.mark.parametrize(("name", "sign"), [(f.name, f.sign) for f in FEATURES if f.sign])
def test_risk_moves_only_as_the_sign_allows(rows: Rows, signed: RiskModel, name: str, sign: int) -> None:
    """A grid over one feature, beyond what was seen, all others as they are."""
    column = signed.features.index(name)
    base = np.repeat(rows.X[:200], 30, axis=0)
    base[:, column] = np.tile(np.linspace(-1, 1.5 * rows.X[:, column].max(), 30), 200)
    raw = signed.raw(base).reshape(200, 30)
    assert (sign * np.diff(raw, axis=1) >= -1e-9).all()
    assert (sign * (raw[:, -1] - raw[:, 0]) > 0).any()
    if name != THIN_FEATURE:  # the fewer the earlier orders, the closer the risk is to the base rate, from either side
        risk = signed.risk(base).reshape(200, 30)
        assert (sign * np.diff(risk, axis=1) >= -1e-12).all()


def test_trees_stay_few_and_small(fitted: Fitted) -> None:
    assert 10 <= fitted.trees <= 150
    leaves = [int(line.split("=")[1]) for line in fitted.booster_text.splitlines() if line.startswith("num_leaves=")]
    assert len(leaves) == fitted.trees
    assert max(leaves) <= 15


def test_the_card_says_what_serving_needs(fitted: Fitted) -> None:
    card = json.loads(fitted.card.model_dump_json())
    assert [f["name"] for f in card["features"]] == [f.name for f in FEATURES]
    assert card["features"][4] == {
        "name": "request_reason",
        "categories": ["changed_mind", "size_fit", "not_received"],
        "family": "stated",
    }
    assert card["thin_history"] == {"feature": "customer_orders_lifetime", "orders": 3, "cap": 2.0}
    assert card["bands"]["elevated"] >= 1.5 * card["base_rate"]
    assert card["bands"]["high"] >= 3 * card["base_rate"]
    assert not card["prior"]
    assert "num_threads" not in fitted.booster_text


def test_the_calibration_stretch_alone_decides_the_calibration(rows: Rows, fitted: Fitted) -> None:
    parts = split(rows, until_of(rows))
    flipped = dataclasses.replace(parts.test, y=1 - parts.test.y, X=parts.test.X * 0)
    assert fit(dataclasses.replace(parts, test=flipped), FEATURES, Recipe(), FACTS) == fitted
    later = dataclasses.replace(
        parts.calibration, y=np.maximum(parts.calibration.y, np.arange(len(parts.calibration)) % 2)
    )
    moved = fit(dataclasses.replace(parts, calibration=later), FEATURES, Recipe(), FACTS)
    assert moved.card.base_rate > 1.5 * fitted.card.base_rate


def test_the_trees_know_everything_before_the_test_stretch_and_nothing_after(rows: Rows, fitted: Fitted) -> None:
    parts = split(rows, until_of(rows))
    X, y, weight = tree_rows(parts, Recipe(), parts.test_from)
    known = parts.labelled_before(parts.test_from)
    assert len(parts.train) + len(parts.calibration) <= len(known) == len(X)
    assert known.requested_at.max() < parts.test_from - parts.gap
    assert known.known_at.max() <= parts.test_from
    text, _ = fit_trees(X, y, weight, FEATURES, Recipe(), trees=fitted.trees)
    assert text == fitted.booster_text
    first, trees = fit_trees(*tree_rows(parts, Recipe(), parts.calibration_from), FEATURES, Recipe())
    assert trees == fitted.trees
    # The first trees have not seen the calibration stretch: they, not the final ones, say how exact scores are there.
    own, unseen = (raw_scores(t, parts.calibration.X) for t in (text, first))
    found = parts.calibration.y == 1
    assert own[found].mean() - own[~found].mean() > unseen[found].mean() - unseen[~found].mean()


def test_a_category_never_seen_and_unknown_values_are_scored(rows: Rows, fitted: Fitted) -> None:
    model = fitted.load()
    odd = np.tile(rows.X[:1], (3, 1))
    odd[0, 4], odd[1, 4], odd[2, :] = 99, -1, np.nan
    assert np.isfinite(model.risk(odd)).all()


def test_bands_start_where_the_riskiest_do() -> None:
    risk = np.linspace(0.001, 0.5, 1000)
    got = bands(risk, np.ones(1000), base_rate=0.01)
    assert (risk >= got.high).mean() == pytest.approx(0.02, abs=0.002)
    assert (risk >= got.elevated).mean() == pytest.approx(0.10, abs=0.002)
    flat = bands(np.full(1000, 0.01), np.ones(1000), base_rate=0.01)
    assert (flat.elevated, flat.high) == pytest.approx((0.015, 0.03))


def test_reference_ignores_unknown_values() -> None:
    X = np.array([[1.0, 2, 3, 4, 0, 5, np.nan], [2, 2, 3, 4, 0, 5, np.nan], [3, 2, 3, 4, 2, np.nan, np.nan]])
    got = reference(X, FEATURES)
    assert got["customer_orders_lifetime"].median == 2
    assert got["request_reason"].median == 0
    assert got["noise"].median == 5
    assert got["constant"].median == 0
    assert (got["customer_orders_lifetime"].known, got["noise"].known, got["constant"].known) == (1, 2 / 3, 0)


def test_trees_need_no_second_class_at_the_end_of_the_stretch() -> None:
    rows = made_up_returns(n=2000)
    y = np.where(np.arange(2000) >= 1500, 0.0, rows.y)
    _, trees = fit_trees(rows.X, y, np.ones(2000), FEATURES, Recipe(max_trees=20))
    assert trees == 20


def test_with_few_findings_the_level_comes_from_all_earlier_labels(rows: Rows) -> None:
    parts = split(rows, until_of(rows))
    few = parts.calibration.take(slice(0, 300))
    assert few.positives < 40
    card = fit(dataclasses.replace(parts, calibration=few), FEATURES, Recipe(), FACTS).card
    labels = [np.concatenate([of(parts.train), of(few)]) for of in (lambda r: r.y, lambda r: r.odds)]
    trigger = np.concatenate([r.context["trigger"].to_numpy(dtype=object) for r in (parts.train, few)])
    asked = np.concatenate([r.requested_at for r in (parts.train, few)])
    level = base_rate(*labels, trigger, len(trigger), clip=100, age=(parts.test_from - asked) / DAY)
    assert card.base_rate == pytest.approx(level)


def test_returns_that_nobody_looked_at_are_weak_negatives(rows: Rows) -> None:
    looked_at, others = rows.take(slice(0, None, 3)), rows.take(np.arange(len(rows)) % 3 > 0)
    others = dataclasses.replace(others, y=np.full(len(others), np.nan))
    parts = split(looked_at, until_of(rows), Unchecked(others, share=0.5))
    X, y, weight = tree_rows(parts, Recipe(unchecked_weight=0.1), parts.calibration_from)
    train = parts.train
    inside = (others.requested_at >= train.requested_at[0]) & (others.requested_at < parts.calibration_from - parts.gap)
    assert len(X) == len(train) + inside.sum()
    assert y.sum() == train.positives
    assert (weight == 0.1).sum() == inside.sum()
    assert weight[weight != 0.1] == pytest.approx(train.weights(1.0))
    assert len(tree_rows(parts, Recipe(unchecked_weight=0.0), parts.calibration_from)[1]) == len(train)
    card = fit(parts, FEATURES, Recipe(), FACTS).card
    later = parts.unchecked_between(parts.calibration_from, parts.test_from - parts.gap)
    assert later is not None
    assert later.share == 0.5
    assert 0.02 < card.base_rate < 0.12

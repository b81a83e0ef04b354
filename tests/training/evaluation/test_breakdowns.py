"""Groups of returns under one cut, against values worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.clock import DAY
from tests.support.returns import FEATURES, START, feature, made_up_returns
from training.evaluation.breakdowns import Stretch, by_group, by_kind, by_trigger, periods, segments
from training.evaluation.intervals import Interval
from training.evaluation.metrics import looked_at


@pytest.fixture(scope="module")
def stretch() -> Stretch:
    rows = made_up_returns(n=4000, shift=-3.0)
    score = 4 * rows.X[:, 1] + 1.2 * rows.X[:, 2] - 0.1 * rows.X[:, 0] - 3
    return Stretch.of(rows, 1 / (1 + np.exp(-score)))


def estimate(cell: object) -> float:
    assert isinstance(cell, Interval)
    return cell.estimate


def test_groups_add_up_to_all(stretch: Stretch) -> None:
    groups, order = segments(stretch.rows, FEATURES)["country"]
    found = by_group(stretch, groups, order)
    assert [row["group"] for row in found] == ["DE", "NL", "US"]
    assert sum(row["rows"] for row in found) == 4000
    assert sum(row["positives"] for row in found) == stretch.rows.positives
    weight = np.array([stretch.weight[groups == name].sum() for name in order])
    looked = np.array([row["share_looked_at"] for row in found])
    assert (looked * weight).sum() / weight.sum() == pytest.approx(0.05)


def test_figures_of_one_group(stretch: Stretch) -> None:
    groups, _ = segments(stretch.rows, FEATURES)["country"]
    inside = groups == "NL"
    (row,) = by_group(stretch, groups, ["NL"])
    w, y = stretch.weight[inside], stretch.rows.y[inside]
    part = looked_at(stretch.risk, stretch.weight, 0.05)[inside]
    assert estimate(row["base_rate"]) == pytest.approx((w * y).sum() / w.sum())
    assert estimate(row["precision"]) == pytest.approx((w * part * y).sum() / (w * part).sum())
    assert row["effective_rows"] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert estimate(row["auc"]) > 0.6
    assert not row["small"]


def test_a_small_group_is_marked_and_not_ranked(stretch: Stretch) -> None:
    few = np.full(4000, "many", dtype=object)
    few[np.flatnonzero(stretch.rows.y == 1)[:3]] = "few"
    few[np.flatnonzero(stretch.rows.y == 0)[:30]] = "few"
    (row,) = by_group(stretch, few, ["few"])
    assert row["small"]
    assert row["positives"] == 3
    assert np.isnan(estimate(row["auc"]))
    assert estimate(row["base_rate"]) > 0


def test_segments_of_what_the_features_tell(stretch: Stretch) -> None:
    rows = dataclasses.replace(stretch.rows, X=np.column_stack([stretch.rows.X, np.arange(4000) % 1000.0]))
    rows.X[0, -1] = np.nan
    found = segments(rows, (*FEATURES, feature("customer_tenure_days")))
    assert list(found) == [
        "country",
        "order channel",
        "kind of request",
        "customer since",
        "history",
        "value of the goods",
    ]
    groups, _ = found["customer since"]
    assert groups[[0, 89, 90, 364, 365, 729, 730]].tolist() == [
        "unknown",
        "under 90 days",
        "90 days to a year",
        "90 days to a year",
        "one to two years",
        "one to two years",
        "two years or more",
    ]
    thin, _ = found["history"]
    assert (thin == "thin: under 3 orders").sum() == (rows.X[:, 0] < 3).sum()
    assert "customer since" not in segments(stretch.rows, FEATURES)


def test_rare_countries_are_put_together_and_unknown_ones_named(stretch: Stretch) -> None:
    rows = stretch.rows.take(slice(0, 1000))
    context = rows.context.copy()
    context["country"] = [None if i < 50 else f"C{min(i // 60, 12)}" for i in range(1000)]
    groups, order = segments(dataclasses.replace(rows, context=context), FEATURES)["country"]
    assert len(order) == 8
    assert order[-1] == "all others"
    assert order[0] == "C12"
    assert set(groups) == set(order)


def test_periods_are_months_and_for_long_stretches_quarters() -> None:
    days = START + np.arange(300) * DAY
    months, order = periods(days)
    assert order == sorted(order)
    assert order[0] == "2024-10"
    assert len(order) == 10
    quarters, order = periods(START + np.arange(500) * DAY)
    assert order == ["2024 Q4", "2025 Q1", "2025 Q2", "2025 Q3", "2025 Q4", "2026 Q1"]
    assert len(months) == 300
    assert len(quarters) == 500


def test_kinds_share_out_what_was_found(stretch: Stretch) -> None:
    found = by_kind(stretch)
    y, w = stretch.rows.y, stretch.weight
    assert {row["kind"] for row in found} == {"false claim", "wardrobing", "switched item"}
    assert sum(row["positives"] for row in found) == y.sum()
    assert sum(row["share_of_abuse"] for row in found) == pytest.approx(1)
    part = looked_at(stretch.risk, w, 0.02)
    together = sum(row["share_of_abuse"] * estimate(row["recall_at_2"]) for row in found)
    assert together == pytest.approx((w * y * part).sum() / (w * y).sum())


def test_random_checks_are_told_apart(stretch: Stretch) -> None:
    found = {row["checks"]: row for row in by_trigger(stretch)}
    random = found["random checks alone, as they are"]
    inside = (stretch.rows.context["trigger"] == "random").to_numpy()
    assert random["rows"] == inside.sum()
    assert random["effective_rows"] == pytest.approx(inside.sum())
    assert estimate(random["base_rate"]) == pytest.approx(stretch.rows.y[inside].mean())
    weighted = found["random checks alone, weighted"]
    assert weighted["effective_rows"] == pytest.approx(inside.sum())  # one odds for all of them
    assert found["all checks, weighted"]["effective_rows"] < 0.6 * found["all checks, as they are"]["rows"]


def test_without_random_checks_there_is_nothing_to_tell(stretch: Stretch) -> None:
    rows = stretch.rows.take((stretch.rows.context["trigger"] != "random").to_numpy())
    last = by_trigger(Stretch.of(rows, np.linspace(0.1, 0.2, len(rows))))[-1]
    assert last["rows"] == 0
    assert "auc" not in last

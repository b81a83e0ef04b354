"""Rates by group: the right figures, the right weights, and intervals that are wide enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import false_positive_rate

from training.fairness.frame import ALL, MIN_CHECKED, OTHER, Flag, Returns, customer_codes, flags_of, group_table
from training.fairness.segments import UNKNOWN

FLAG = Flag("top", "the riskiest", 0.6)


def words(values: np.ndarray) -> np.ndarray:
    return values.astype(object)


def made_up(n: int = 3000, seed: int = 0) -> tuple[Returns, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = words(rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]))
    risk = np.clip(rng.beta(2, 4, n) + 0.1 * (group == "b"), 0, 1)
    found = (rng.random(n) < risk * 0.3).astype(float)
    return Returns(risk, rng.choice([1.0, 3.0], n), rng.integers(0, n // 3, n)), found, group


def table_of(returns: Returns, found: np.ndarray, group: np.ndarray, **more: object) -> pd.DataFrame:
    everyone, groups_of_all = more.get("everyone", returns), more.get("groups_of_all", group)
    return group_table(returns, found, group, everyone, groups_of_all, (FLAG,), 0.95)  # type: ignore[arg-type]


def test_rates_are_fairlearns() -> None:
    returns, found, group = made_up()
    table = table_of(returns, found, group)
    assert list(table.index) == [ALL, "a", "b", "c"]
    for name in ("a", "b", "c"):
        its = group == name
        flagged = (returns.risk[its] >= 0.6).astype(float)
        expected = false_positive_rate(found[its], flagged, sample_weight=returns.weight[its])
        assert table.loc[name, "top:false_positive_rate"] == pytest.approx(expected)
        assert table.loc[name, "n"] == its.sum()
        assert table.loc[name, "mean_risk"] == pytest.approx(np.average(returns.risk[its], weights=returns.weight[its]))
        assert table.loc[name, "gap"] == pytest.approx(table.loc[name, "mean_risk"] - table.loc[name, "share_found"])
    usual = table.loc[ALL, "top:false_positive_rate"]
    assert table["top:ratio"].to_numpy() == pytest.approx(table["top:false_positive_rate"].to_numpy() / usual)
    assert table.loc["b", "top:ratio_low"] > 1.2 > table.loc[ALL, "top:ratio_high"] == 1.0


@pytest.mark.parametrize("heavy", [False, True])
def test_intervals_agree_with_a_bootstrap_by_customer(heavy: bool) -> None:
    returns, found, group = made_up(2000)
    if heavy:  # a few customers with many returns of high risk each
        customer = np.where(returns.risk > 0.55, returns.customer % 25, returns.customer)
        returns = Returns(returns.risk, returns.weight, customer)
    table = table_of(returns, found, group)
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(600):
        weight = returns.weight * rng.poisson(1.0, returns.customer.max() + 1)[returns.customer] * (1 - found)
        its = weight * (group == "b")
        flagged = returns.risk >= 0.6
        draws.append(np.log(its[flagged].sum() / its.sum() / (weight[flagged].sum() / weight.sum())))
    spread = np.log(table.loc["b", "top:ratio_high"] / table.loc["b", "top:ratio"]) / 1.96
    assert 0.85 < spread / np.std(draws) < (2.5 if heavy else 1.15)


def test_one_customer_is_one_observation() -> None:
    returns, found, group = made_up(3000)
    group = np.where(group == "c", "b", group).astype(object)
    again = Returns(*(np.tile(column, 4) for column in (returns.risk, returns.weight, returns.customer)))
    more = table_of(again, np.tile(found, 4), np.tile(group, 4))
    once = table_of(returns, found, group)
    for column in ("top:ratio", "top:ratio_low", "top:ratio_high", "gap_low"):
        assert more[column].to_numpy() == pytest.approx(once[column].to_numpy())


def test_checked_returns_stand_for_everyone() -> None:
    returns, found, group = made_up(4000)
    checked = np.random.default_rng(2).random(4000) < np.where(returns.risk > 0.5, 0.5, 0.2)
    everyone = Returns(returns.risk, np.ones(4000), returns.customer)
    some = Returns(returns.risk[checked], np.ones(checked.sum()), returns.customer[checked])
    table = table_of(some, found[checked], group[checked], everyone=everyone, groups_of_all=group)
    for name in ("a", "b", "c"):
        assert table.loc[name, "top:flag_rate"] == pytest.approx((returns.risk[group == name] >= 0.6).mean())
    assert table.loc[ALL, "top:flag_rate"] == pytest.approx((returns.risk >= 0.6).mean())
    assert table.loc["a", "n"] == (checked & (group == "a")).sum()


def test_everyone_makes_the_ratios_steadier() -> None:
    errors: dict[str, list[float]] = {"alone": [], "everyone": []}
    spreads: dict[str, list[float]] = {"alone": [], "everyone": []}
    for seed in range(8):
        returns, found, group = made_up(3000, seed)
        everyone = Returns(returns.risk, np.ones(3000), returns.customer)
        truth = np.log(table_of(everyone, found, group).loc["b", "top:ratio"])
        checked = np.random.default_rng(seed + 100).random(3000) < 0.15
        some = Returns(returns.risk[checked], np.ones(checked.sum()), returns.customer[checked])
        for name, more in (("alone", {}), ("everyone", {"everyone": everyone, "groups_of_all": group})):
            row = table_of(some, found[checked], group[checked], **more).loc["b"]
            errors[name].append(np.log(row["top:ratio"]) - truth)
            spreads[name].append(np.log(row["top:ratio_high"] / row["top:ratio"]))
    assert np.std(errors["everyone"]) < 0.6 * np.std(errors["alone"])
    assert np.mean(spreads["everyone"]) < 0.8 * np.mean(spreads["alone"])


def test_small_groups_are_put_together_and_borrow() -> None:
    returns, found, group = made_up()
    group[:5], group[5:9] = "x", "y"
    table = table_of(returns, found, group)
    assert list(table.index) == [ALL, "a", "b", "c", OTHER]
    assert table.loc[OTHER, "n"] == 9 < MIN_CHECKED
    assert np.isfinite(table.loc[OTHER, "top:false_positive_rate"])
    assert table.loc[ALL, "n"] == len(group)


def test_a_group_of_nobody_checked_is_among_the_others() -> None:
    returns, found, group = made_up(1000)
    everyone = Returns(*(np.concatenate([v, v[:7]]) for v in (returns.risk, np.ones(1000), returns.customer)))
    groups_of_all = np.concatenate([group, words(np.full(7, "z"))])
    table = table_of(returns, found, group, everyone=everyone, groups_of_all=groups_of_all)
    assert table.loc[OTHER, "n"] == 0
    assert table.loc["a", "top:flag_rate"] == pytest.approx((returns.risk[group == "a"] >= 0.6).mean())


def test_the_unknown_are_no_part_of_the_average() -> None:
    returns, found, group = made_up()
    without = np.where(group == "b", UNKNOWN, group).astype(object)
    table = table_of(returns, found, without)
    assert list(table.index) == [ALL, "a", "c"]
    known = group != "b"
    assert table.loc[ALL, "n"] == known.sum()
    assert table.loc[ALL, "mean_risk"] == pytest.approx(np.average(returns.risk[known], weights=returns.weight[known]))


def test_a_group_without_any_flag_and_nobody_flagged_at_all() -> None:
    returns, found, group = made_up(600)
    risk = np.where(group == "a", 0.1, returns.risk)
    table = table_of(Returns(risk, returns.weight, returns.customer), found, group)
    assert table.loc["a", ["top:ratio", "top:ratio_low"]].tolist() == [0, 0]
    assert 0 < table.loc["a", "top:ratio_high"] < 1
    nobody = table_of(Returns(risk * 0, returns.weight, returns.customer), found, group)
    assert nobody["top:ratio"].isna().all()
    assert (nobody["top:false_positive_rate"] == 0).all()


def test_the_riskiest_share_is_of_weight() -> None:
    risk = np.linspace(0, 1, 101)
    top, high = flags_of(risk, np.ones(101), 0.5, 0.02)
    assert (risk >= top.from_risk).sum() == 3  # the boundary is flagged
    assert high.from_risk == 0.5
    assert flags_of(risk, np.where(risk > 0.9, 50.0, 1.0), 0.5, 0.02)[0].from_risk == 1.0


def test_a_customer_has_one_code_everywhere() -> None:
    first, second = customer_codes(pd.Series(["a", None, "b"]), pd.Series(["b", None, "a"]))
    assert first[0] == second[2]
    assert first[2] == second[0]
    assert len({first[0], first[1], first[2], second[1]}) == 4

"""Checks are few, biased, late and imperfect, and their odds are right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.ledger.vocabulary import CONCERN_FINDINGS
from tests.pipelines.simulate.conftest import Shop


def checked(shop: Shop) -> pd.DataFrame:
    found = shop["inspections"].merge(shop.requests().drop(columns="line_id"), on="return_id")
    return found.assign(concern=found["finding"].isin(CONCERN_FINDINGS))


def test_few_returns_are_checked(shop: Shop) -> None:
    found, n = checked(shop), len(shop["truth/returns_truth"])
    share = found["trigger"].value_counts() / n
    assert 0.05 < len(found) / n < 0.15
    assert 0.01 < share["random"] < 0.02
    assert share["routine"] < 0.06
    assert share["risk"] < 0.08
    assert found["return_id"].is_unique


def test_checks_see_most_but_not_all(shop: Shop) -> None:
    found = checked(shop)
    abusive = found[found["abusive"]]
    assert 0.70 < abusive["concern"].mean() < 0.92
    honest = found[~found["abusive"] & (found["kind"] == "return")]
    assert 0.97 < 1 - honest["concern"].mean() < 0.995
    claims = found[~found["abusive"] & (found["kind"] == "claim")]
    assert 0.01 < claims["concern"].mean() < 0.20
    assert set(found.loc[found["kind"] == "claim", "finding"]) <= {"delivery_shown", "not_arrived", "empty_package"}
    damaged = found[~found["abusive"] & found["reason"].isin(["defective", "damaged_in_transit"])]
    assert damaged["finding"].eq("damaged").mean() > 0.4


def test_checks_come_days_later(shop: Shop) -> None:
    found = checked(shop)
    days = (found["inspected_at"] - found["requested_at"]).dt.total_seconds() / 86_400
    assert 2 < days.median() < 12
    assert days.max() <= 22
    known = found["recorded_at"].fillna(found["inspected_at"])
    assert (known < shop.end).all()
    recent = shop.requests()["requested_at"] > shop.end - pd.Timedelta(days=2)
    assert not found["return_id"].isin(shop.requests()[recent]["return_id"]).mean() > 0.01


def test_staff_look_where_they_expect_something(shop: Shop) -> None:
    found = checked(shop)
    rate = found.groupby("trigger")["abusive"].mean()
    base = shop["truth/returns_truth"]["abusive"].mean()
    assert rate["risk"] > 1.5 * base
    assert rate["risk"] < 0.35  # a rule of thumb, no oracle
    assert 0.5 * base < rate["random"] < 1.8 * base


def test_recorded_odds_are_the_true_odds(shop: Shop) -> None:
    """Weighted by one over the odds, each trigger's checks stand for all returns (Horvitz and Thompson, 1952)."""
    end = shop.end - pd.Timedelta(days=40)  # nothing is still on its way
    everything = shop.requests()["requested_at"] < end
    found = checked(shop)
    found = found[found["requested_at"] < end]
    for trigger, recorded in (("random", 1.0), ("routine", 1.0), ("risk", 0.75)):
        own = found[(found["trigger"] == trigger) & found["propensity"].notna()]
        assert abs((1 / own["propensity"]).sum() / recorded / everything.sum() - 1) < 0.15
        assert own["propensity"].between(0, 1, inclusive="right").all()
    assert 0.6 < found.loc[found["trigger"] == "risk", "propensity"].notna().mean() < 0.9
    risk = found[found["trigger"] == "risk"]
    mean_value = np.average(risk["abusive"].dropna(), weights=(1 / risk["propensity"]).fillna(0))
    assert mean_value < 0.75 * risk["abusive"].mean()  # the weights undo most of the choice


def test_what_was_found_makes_staff_look_again(shop: Shop) -> None:
    found = checked(shop)
    requests = shop.requests()
    concern = found[found["concern"]].groupby("customer_id")["inspected_at"].min()
    later = requests[requests["requested_at"] > requests["customer_id"].map(concern) + pd.Timedelta(days=10)]
    others = requests[~requests["customer_id"].isin(concern.index)]
    picked = found[found["trigger"] == "risk"]["return_id"]
    assert later["return_id"].isin(picked).mean() > 2 * others["return_id"].isin(picked).mean()


def test_verdicts_follow_and_some_are_wrong(shop: Shop) -> None:
    verdicts = shop["verdicts"].merge(shop.requests().drop(columns="line_id"), on="return_id")
    share = verdicts["basis"].value_counts(normalize=True)
    assert set(share.index) == {"inspection", "carrier_trace", "admission", "opinion", "policy"}
    assert share["inspection"] > 0.5
    confirmed = verdicts[verdicts["verdict"] == "abuse_confirmed"]
    right = confirmed.groupby("basis")["abusive"].mean()
    assert right["inspection"] > 0.5
    assert right["opinion"] < 0.5
    assert right["policy"] == 0
    assert set(confirmed.query("basis == 'policy'")["abuse_type"]) == {"serial_returning"}
    assert 0.03 < verdicts["verdict"].eq("inconclusive").mean() < 0.25
    assert verdicts.loc[verdicts["verdict"] != "abuse_confirmed", "abuse_type"].isna().all()


def test_verdicts_that_rest_on_checks_come_after_them(shop: Shop) -> None:
    seen = shop["inspections"].set_index("return_id")["inspected_at"]
    verdicts = shop["verdicts"].query("basis in ['inspection', 'carrier_trace']")
    assert verdicts["return_id"].isin(seen.index).all()
    assert (verdicts["decided_at"] > seen.loc[verdicts["return_id"]].to_numpy()).all()
    assert not shop["verdicts"].duplicated(["return_id", "decided_at"]).any()
    assert shop["verdicts"].duplicated("return_id").any()  # disputes

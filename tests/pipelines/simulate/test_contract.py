"""What the ledger demands of every row, and what the tables may not give away."""

from __future__ import annotations

import numpy as np

from tests.pipelines.simulate.conftest import Shop


def test_no_more_returned_than_bought(shop: Shop) -> None:
    line = ["order_id", "line_id"]
    bought = shop["order_lines"].set_index(line)["quantity"]
    assert bought.index.is_unique
    returned = shop["returns"].groupby(line)["quantity"].sum()
    assert (returned <= bought.loc[returned.index]).all()
    assert (returned < bought.loc[returned.index]).any()
    assert shop["returns"].duplicated(line).any()  # the rest of some lines follows later


def test_a_return_is_of_one_order_moment_and_kind(shop: Shop) -> None:
    by_return = shop["returns"].groupby("return_id")
    for column in ("order_id", "requested_at", "kind", "channel", "resolution", "tender"):
        assert by_return[column].nunique(dropna=False).max() == 1
    assert not shop["returns"].duplicated(["return_id", "line_id"]).any()
    assert by_return.size().max() > 1


def test_everything_follows_what_it_belongs_to(shop: Shop) -> None:
    orders = shop["orders"].set_index("order_id")["ordered_at"]
    deliveries, returns = shop["deliveries"], shop["returns"]
    assert (deliveries["delivered_at"] > orders.loc[deliveries["order_id"]].to_numpy()).all()
    assert (returns["requested_at"] > orders.loc[returns["order_id"]].to_numpy()).all()
    asked = returns.drop_duplicates("return_id").set_index("return_id")["requested_at"]
    for name, moment in (("inspections", "inspected_at"), ("verdicts", "decided_at")):
        assert (shop[name][moment] > asked.loc[shop[name]["return_id"]].to_numpy()).all()
        late = shop[name].dropna(subset="recorded_at")
        assert (late["recorded_at"] > late[moment]).all()
        assert 0 < len(late) < 0.1 * len(shop[name])


def test_returns_follow_the_delivery_and_claims_may_not(shop: Shop) -> None:
    delivered = shop["deliveries"].set_index("order_id")["delivered_at"]
    known = shop["returns"].merge(delivered.rename("delivered_at"), left_on="order_id", right_index=True)
    goods = known[known["kind"] == "return"]
    assert (goods["requested_at"] > goods["delivered_at"]).all()
    days = (goods["requested_at"] - goods["delivered_at"]).dt.days
    assert 3 <= days.median() <= 10
    assert 0.005 < (days > 30).mean() < 0.15


def test_ids_tell_nothing(shop: Shop) -> None:
    orders = shop["orders"]
    assert orders["order_id"].is_unique
    order = np.argsort(np.argsort(orders["order_id"].to_numpy(dtype=str)))
    assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < 0.02
    own = orders["customer_id"].str[1:]
    for column in ("email_id", "address_id", "payment_id", "device_id"):
        held = orders[column].str.removeprefix(column[:2] + "_").str.removesuffix("@example.com")
        assert not (held.str[-10:] == own).any()
    ids = shop["returns"]["return_id"].str[1:]
    assert not ids.isin(orders["order_id"].str[1:]).any()


def test_optional_ids_are_sometimes_missing(shop: Shop) -> None:
    orders = shop["orders"]
    store = orders["channel"] == "store"
    assert orders.loc[store, "courier"].isna().all()
    assert orders.loc[~store, "courier"].notna().all()
    assert orders.loc[store, "device_id"].isna().all()
    assert 0.6 < orders.loc[store, "address_id"].isna().mean() < 0.9
    assert orders.loc[~store, "address_id"].notna().all()
    web = orders[orders["channel"] == "web"]
    assert 0.02 < web["device_id"].isna().mean() < 0.15  # guests


def test_amounts_are_plausible(shop: Shop) -> None:
    lines = shop["order_lines"]
    assert (lines["unit_price"] > 1).all()
    assert np.allclose(lines["unit_price"] * 100, (lines["unit_price"] * 100).round())
    assert (lines["discount"] >= 0).all()
    assert (lines["discount"] < lines["unit_price"] * lines["quantity"]).all()
    assert 0.05 < (lines["discount"] > 0).mean() < 0.4
    assert lines.groupby("order_id")["line_id"].nunique().max() < 30


def test_times_are_spread_over_the_day(shop: Shop) -> None:
    hours = shop["orders"]["ordered_at"].dt.hour.value_counts(normalize=True).reindex(range(24), fill_value=0)
    assert hours.min() > 0
    assert hours.max() < 0.2
    assert hours.loc[17:21].sum() > 2 * hours.loc[0:4].sum()
    assert shop["orders"]["ordered_at"].is_monotonic_increasing
    assert shop["orders"]["ordered_at"].nunique() > 0.9 * len(shop["orders"])

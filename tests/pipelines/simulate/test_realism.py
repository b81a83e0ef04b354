"""The shop behaves as the domain says shops do."""

from __future__ import annotations

import numpy as np

from features.ledger import vocabulary as words
from tests.pipelines.simulate.conftest import Shop


def test_totals(shop: Shop) -> None:
    lines = shop["order_lines"]
    back = shop["returns"].drop_duplicates(["order_id", "line_id"])
    assert 0.12 < len(back) / len(lines) < 0.20
    truth = shop["truth/returns_truth"]
    assert 0.03 < truth["abusive"].mean() < 0.06
    customers, days = shop.story.history.customers, shop.story.history.calendar.days
    years = (np.clip(customers.left, 0, days) - np.clip(customers.joined, 0, days)).clip(min=0).sum() / 365
    assert 8 < len(shop["orders"]) / years < 10.5


def test_every_kind_of_abuse_occurs(shop: Shop) -> None:
    kinds = shop["truth/returns_truth"]["kind"].value_counts()
    assert set(words.ABUSE_TYPES) - set(kinds.index) == {"serial_returning", "other"}
    assert kinds.max() < 0.4 * kinds.sum()


def test_those_who_abuse_mostly_behave_like_everybody(shop: Shop) -> None:
    people = shop["truth/customers_truth"].rename(columns={"kind": "inclined"})
    assert 0.02 < people["inclined"].notna().mean() < 0.08
    requests = shop.requests().merge(people[["customer_id", "group", "inclined"]], on="customer_id")
    inclined = requests[requests["inclined"].notna()]
    assert 0.2 < inclined["abusive"].mean() < 0.5
    each = inclined.groupby("customer_id")["abusive"].agg(["mean", "size"])
    assert (each["mean"][each["size"] >= 5] < 1).mean() > 0.95
    lapses = requests[requests["abusive"] & requests["inclined"].isna()]
    assert 0.08 < len(lapses) / requests["abusive"].sum() < 0.25
    assert lapses["lapse"].all()
    assert not requests.loc[requests["group"] == "serial_returning", "abusive"].any()


def test_abuse_begins_in_the_course_of_some_histories(shop: Shop) -> None:
    requests = shop.requests()
    habit = shop["truth/customers_truth"].query("group == 'habit'")["customer_id"]
    of_habit = requests[requests["customer_id"].isin(habit)]
    first_abuse = of_habit[of_habit["abusive"]].groupby("customer_id")["requested_at"].min()
    first = of_habit.groupby("customer_id")["requested_at"].min()
    waited = (first_abuse - first).dt.days.dropna()
    assert (waited > 60).mean() > 0.3
    assert (waited < 1).mean() > 0.05


def test_serial_returning_is_extreme_and_not_abusive(shop: Shop) -> None:
    people = shop["truth/customers_truth"].set_index("customer_id")["group"]
    lines = shop["order_lines"].merge(shop["orders"][["order_id", "customer_id"]], on="order_id")
    back = shop["returns"].drop_duplicates(["order_id", "line_id"])[["order_id", "line_id"]].assign(back=True)
    lines = lines.merge(back, how="left", on=["order_id", "line_id"])
    rate = lines["back"].notna().groupby(lines["customer_id"].map(people)).mean()
    assert rate["serial_returning"] > 3 * rate["usual"]
    assert rate["bracketing"] > 1.5 * rate["usual"]
    assert rate["habit"] < 2.2 * rate["usual"]


def test_bracketed_sizes_go_back(shop: Shop) -> None:
    lines = shop["order_lines"]
    sized = lines[lines["sku"].str.contains("-")]
    sets = sized.groupby(["order_id", sized["sku"].str.split("-").str[0]])["sku"]
    sizes = sets.transform("nunique")
    several = sized[(sizes >= 2) & (sizes == sets.transform("size"))]
    assert len(several) > 0.02 * len(sized)
    back = several.merge(shop["returns"][["order_id", "line_id"]].drop_duplicates(), on=["order_id", "line_id"])
    assert 0.45 < len(back) / len(several) < 0.75
    assert shop["order_lines"].query("category == 'electronics'")["sku"].str.contains("-").sum() == 0


def test_products_have_rates_of_their_own(shop: Shop) -> None:
    history, requests = shop.story.history, shop.story.requests
    faulty = requests.lines.line[requests.lines.reason == words.REASONS.index("defective")]
    style = history.lines.style
    bought = np.bincount(style, minlength=len(history.products.price))
    defects = np.bincount(style[faulty], minlength=len(bought))
    often = bought > 150
    rates = defects[often] / bought[often]
    assert np.quantile(rates, 0.97) > 3.5 * max(np.median(rates), 0.002)
    expected = history.products.defects[often]
    assert np.corrcoef(rates, expected)[0, 1] > 0.7


def test_couriers_lose_parcels_at_their_own_rates(shop: Shop) -> None:
    requests = shop.requests()
    honest = requests[~requests["abusive"] & (requests["reason"] == "not_received")]
    rate = honest["courier"].value_counts() / shop["orders"]["courier"].value_counts()
    assert rate["bringo"] > 3 * rate["northpost"]
    assert 0.001 < rate.min() < rate.max() < 0.1
    by_country = honest["country"].value_counts() / shop["orders"]["country"].value_counts()
    assert by_country["IT"] > 1.5 * by_country["NL"]


def test_delivery_records_do_not_settle_claims(shop: Shop) -> None:
    claims = shop.requests().query("reason == 'not_received'")
    shown = claims["order_id"].isin(shop["deliveries"]["order_id"])
    assert 0.35 < shown[~claims["abusive"]].mean() < 0.75  # scanned, and yet it never came
    assert shown[claims["abusive"]].mean() < 0.98
    assert 0.3 < shop["deliveries"]["proof"].eq("scan").mean() < 0.8
    sent = shop["orders"]["courier"].notna().sum()
    assert 0.9 < len(shop["deliveries"]) / sent < 0.98
    late = shop["deliveries"]["recorded_at"].notna().mean()
    assert 0.01 < late < 0.04


def test_gifts_come_back_in_january(shop: Shop) -> None:
    gifts = shop["returns"].query("reason == 'gift'")
    months = gifts["requested_at"].dt.month.value_counts(normalize=True)
    assert months.get(1, 0) > 0.5
    orders = shop["orders"]["ordered_at"]
    by_month = orders.groupby([orders.dt.year, orders.dt.month]).size()
    assert by_month.loc[(2025, 11)] > 1.3 * by_month.loc[(2025, 9)]


def test_people_share_what_people_share(shop: Shop) -> None:
    orders, people = shop["orders"], shop["truth/customers_truth"]
    at_address = orders.groupby("address_id")["customer_id"].nunique()
    assert 0.1 < at_address.between(2, 4).mean() < 0.5  # households
    assert (at_address > 12).sum() >= 5  # pick-up points
    cards = orders.groupby("payment_id")["customer_id"].nunique()
    assert 0.02 < (cards > 1).mean() < 0.3
    honest = people[people["group"] == "usual"]["customer_id"]
    shared = orders[orders["customer_id"].isin(honest)]["address_id"].map(at_address) > 1
    assert shared.mean() > 0.3  # sharing is no sign of anything by itself


def test_rings_share_in_part_and_come_in_bursts(shop: Shop) -> None:
    orders, people = shop["orders"], shop["truth/customers_truth"]
    members = people.dropna(subset="ring")[["customer_id", "ring", "joined_day"]]
    assert 0.008 < len(members) / len(people) < 0.025
    spread = members.groupby("ring")["joined_day"].std().median()
    assert spread < 40 < people["joined_day"].std()
    of_rings = orders.merge(members, on="customer_id")
    for column in ("address_id", "payment_id", "device_id"):
        users = orders.groupby(column)["customer_id"].nunique()
        shared = of_rings[column].map(users).dropna() > 1
        assert 0.2 < shared.mean() < 0.9


def test_hired_refunders_order_from_one_device(shop: Shop) -> None:
    people = shop["truth/customers_truth"]
    clients = people.query("group == 'hired'")["customer_id"]
    orders = shop["orders"][shop["orders"]["customer_id"].isin(clients)]
    clients_of = orders.groupby("device_id")["customer_id"].nunique()
    assert clients_of.max() >= 3
    requests = shop.requests().query("abuse == 'hired_refunder'")
    span = requests.groupby("customer_id")["ordered_at"].agg(lambda at: at.max() - at.min())
    assert span.max().days <= 70


def test_rings_and_refunders_do_what_others_do(shop: Shop) -> None:
    truth = shop["truth/returns_truth"]
    acts = truth[truth["kind"].isin(["account_ring", "hired_refunder"])]["act"]
    assert acts.notna().all()
    assert acts.nunique() >= 3
    own = truth[truth["abusive"] & ~truth["kind"].isin(["account_ring", "hired_refunder"])]
    assert (own["act"] == own["kind"]).all()
    assert truth.loc[~truth["abusive"], ["kind", "act"]].isna().all().all()


def test_segments_for_fairness_are_told(shop: Shop) -> None:
    people = shop["truth/customers_truth"]
    for column, least in (("country", 7), ("channel", 5), ("size_range", 4), ("household_size", 4)):
        assert people[column].nunique() >= least
    for column in ("brackets", "pickup_point", "serial"):
        assert 0 < people[column].mean() < 0.5
    inclined = people["kind"].notna()
    usual = inclined.mean()
    for _, members in inclined.groupby(people["size_range"]):
        assert abs(members.mean() - usual) < 3.5 * (usual / len(members)) ** 0.5


def test_some_must_try_more(shop: Shop) -> None:
    people = shop["truth/customers_truth"].set_index("customer_id")["size_range"]
    lines = shop["order_lines"].merge(shop["orders"][["order_id", "customer_id"]], on="order_id")
    sized = lines[lines["sku"].str.contains("-")]
    misfits = shop["returns"][shop["returns"]["reason"] == "size_fit"].drop_duplicates(["order_id", "line_id"])
    back = sized.merge(misfits[["order_id", "line_id", "reason"]], how="left", on=["order_id", "line_id"])
    rate = back["reason"].notna().groupby(back["customer_id"].map(people)).mean()
    assert (rate[["petite", "plus", "tall"]] > 1.1 * rate["standard"]).all()

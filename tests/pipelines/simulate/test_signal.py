"""Risk cannot be read from any one column, and history tells something but far from everything."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from features.ledger.vocabulary import CONCERN_FINDINGS
from tests.pipelines.simulate.conftest import Shop

DAY = 86_400


@pytest.fixture(scope="module")
def table(shop: Shop) -> pd.DataFrame:
    """Every column that is known at the request, one row per request in order of time, with the truth."""
    lines = shop["returns"].merge(shop["order_lines"], on=["order_id", "line_id"], suffixes=("", "_bought"))
    lines["paid"] = (lines["unit_price"] - lines["discount"] / lines["quantity_bought"]) * lines["quantity"]
    lines["size"] = lines["sku"].str.split("-").str[1]
    lines = lines.sort_values("paid", kind="stable")
    by_return = lines.groupby("return_id").agg(
        pieces=("quantity", "sum"),
        value=("paid", "sum"),
        price=("unit_price", "max"),
        discount=("discount", "sum"),
        lines=("line_id", "size"),
        category=("category", "last"),
        size=("size", "last"),
    )
    delivered = shop["deliveries"].drop_duplicates("order_id")[["order_id", "delivered_at", "proof"]]
    whole = shop.requests().drop(columns="quantity").merge(by_return, on="return_id")
    whole = whole.merge(delivered, on="order_id", how="left").sort_values(["requested_at", "return_id"])
    for column in ("ordered_at", "delivered_at", "requested_at"):
        whole[f"{column}_weekday"] = whole[column].dt.weekday
        whole[f"{column}_hour"] = whole[column].dt.hour
        whole[f"{column}_month"] = whole[column].dt.month
        whole[column] = whole[column].to_numpy(dtype="datetime64[s]").astype(np.int64).astype(float)
    whole["since_order"] = whole["requested_at"] - whole["ordered_at"]
    whole["since_delivery"] = whole["requested_at"] - whole["delivered_at"].where(whole["proof"].notna())
    return whole.reset_index(drop=True)


COLUMNS = (
    "reason",
    "kind",
    "resolution",
    "channel",
    "tender",
    "proof_of_purchase",
    "order_channel",
    "country",
    "currency",
    "courier",
    "proof",
    "category",
    "size",
    "pieces",
    "value",
    "price",
    "discount",
    "lines",
    "since_order",
    "since_delivery",
    *(f"{time}{part}" for time in ("ordered_at", "delivered_at", "requested_at") for part in ("", "_weekday", "_hour")),
    *(f"{time}_month" for time in ("ordered_at", "delivered_at", "requested_at")),
)


@pytest.mark.parametrize("column", COLUMNS)
def test_no_single_column_tells(table: pd.DataFrame, column: str) -> None:
    """Rates of abuse by value (20 steps for numbers), learnt on one half and tried on the other."""
    values = table[column]
    if pd.api.types.is_float_dtype(values) or values.nunique() > 50:
        values = pd.qcut(values, 20, duplicates="drop")
    groups = values.astype(str).to_numpy()
    half = np.random.default_rng(0).random(len(table)) < 0.5
    rates = table["abusive"][half].groupby(groups[half]).mean()
    score = pd.Series(groups[~half]).map(rates).fillna(table["abusive"].mean())
    assert roc_auc_score(table["abusive"][~half], score) < 0.70


def test_no_answer_is_a_sure_sign(table: pd.DataFrame) -> None:
    for column in ("reason", "kind", "resolution", "channel", "tender", "proof_of_purchase", "proof", "category"):
        rate = table.groupby(column)["abusive"].agg(["mean", "size"])
        assert rate["mean"][rate["size"] > 50].max() < 0.35


def _earlier(table: pd.DataFrame, key: str, counted: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Sum of `counted` over the earlier requests with the same key; `table` is in order of time."""
    running = pd.Series(counted, index=table.index).groupby(table[key]).cumsum().to_numpy()
    return np.where(table[key].isna(), 0.0, running - counted)


def test_history_tells_something_but_not_everything(shop: Shop, table: pd.DataFrame) -> None:
    orders = shop["orders"].sort_values("ordered_at", kind="stable")
    features = pd.DataFrame(index=table.index)
    for column in (
        "reason",
        "kind",
        "resolution",
        "channel",
        "tender",
        "category",
        "courier",
        "proof",
        "order_channel",
    ):
        features[column] = table[column].astype("category").cat.codes
    for column in ("value", "price", "lines", "since_order", "since_delivery", "delivered_at_weekday"):
        features[column] = table[column]
    first = orders.groupby("customer_id")["ordered_at"].min().astype("datetime64[s, UTC]").astype(np.int64)
    features["tenure"] = table["requested_at"] - table["customer_id"].map(first)
    so_far = orders.groupby("customer_id").cumcount()
    features["orders"] = table["order_id"].map(so_far.set_axis(orders["order_id"]))
    checks = shop["inspections"].set_index("return_id")
    concern = table["return_id"].map(checks["finding"]).isin(CONCERN_FINDINGS).to_numpy(dtype=float)
    for key in ("customer_id", "address_id", "payment_id", "device_id"):
        features[f"returns_{key}"] = _earlier(table, key, np.ones(len(table)))
        features[f"claims_{key}"] = _earlier(table, key, (table["kind"] == "claim").to_numpy(dtype=float))
        features[f"concerns_{key}"] = _earlier(table, key, concern)
        features[f"customers_{key}"] = table[key].map(orders.groupby(key)["customer_id"].nunique())
    x, y = features.to_numpy(dtype=float), table["abusive"].to_numpy()
    cut = int(0.65 * len(y))
    parameters = {
        "objective": "binary",
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": 60,
        "feature_fraction": 0.5,
        "verbose": -1,
        "num_threads": 2,
        "seed": 1,
        "deterministic": True,
    }
    risk = lgb.train(parameters, lgb.Dataset(x[:cut], y[:cut]), 150).predict(x[cut:])
    assert 0.74 < roc_auc_score(y[cut:], risk) < 0.89
    assert 3 * y.mean() < average_precision_score(y[cut:], risk) < 0.55

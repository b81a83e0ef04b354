"""What would have had to be different: true when it is replayed, and the same as if it had been so."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.clock import DAY
from features.ledger.append import TABLES
from features.ledger.store import Ledger
from features.online import fetch
from features.repo import feature_store
from features.request import Stated, build_request_row
from features.service import MODEL_FEATURES, SERVICE, VECTOR
from serving.model.loaded import LoadedModel
from serving.notices import counterfactual
from serving.notices.counterfactual import Change, search
from tests.support.history import FIRST_DAY, Rows, fill
from tests.support.service import keep_model, settings_of

START = FIRST_DAY * DAY
NOW = START + 400 * DAY
SEEN = [feature.name for feature in MODEL_FEATURES]


def history(returned_days_ago: list[int], kind: str = "return", **of_return: Any) -> Rows:
    """A customer with an order every ten days, some of them returned or claimed, and one more order today."""
    rows: Rows = {table: [] for table in TABLES}
    for number, ago in enumerate([*range(390, 0, -10), 0]):
        order, at = f"o{number}", NOW - ago * DAY - DAY // 2
        keys = {f"{name}_id": name for name in ("email", "address", "payment", "device")}
        rows["orders"].append({"order_id": order, "customer_id": "c", "ordered_at": at, "channel": "web", **keys})
        rows["order_lines"].append(
            {"order_id": order, "line_id": "1", "sku": "s", "quantity": 2, "unit_price_e4": 400_000, "category": "k"}
        )
        if ago in returned_days_ago:
            rows["returns"].append(
                {
                    "return_id": f"r{number}",
                    "order_id": order,
                    "line_id": "1",
                    "requested_at": at + DAY // 4,
                    "quantity": 1,
                    "reason": "not_received" if kind == "claim" else "size_fit",
                    "kind": kind,
                    **of_return,
                }
            )
    return rows


def vector_of(home: Path, rows: Rows, **stated: Any) -> np.ndarray:
    """The vector of returning the last order now."""
    settings = settings_of(home)
    fill(settings, rows)
    ledger = Ledger.open(settings)
    try:
        with ledger.write() as conn:
            asked = Stated(NOW, **({"reason": "size_fit", "kind": "return", "resolution": "refund"} | stated))
            row = build_request_row(conn, rows["orders"][-1]["order_id"], {"1": 1}, asked)
            store = feature_store(settings)
            values = fetch(store, store.get_feature_service(SERVICE), conn, row)
    finally:
        ledger.close()
    return np.array([values[name] for name in VECTOR])


class Odd:
    """A model that looks at one count only."""

    def __init__(self, name: str, least: float) -> None:
        self.place, self.least = VECTOR.index(name), least

    def outlooks(self, vectors: np.ndarray) -> list[tuple[float, str, bool]]:
        return [(0.5, "high" if value >= self.least else "low", True) for value in vectors[:, self.place]]


def if_not_low(_risk: float, band: str, _sufficient: bool) -> bool:
    return band != "low"


@pytest.mark.parametrize(
    ("kind", "ago", "left_out", "feature"),
    [
        ("return", [10, 20, 50, 80, 200], [80], "customer_returns_90d"),
        ("return", [10, 20, 50, 80, 200], [80, 50], "customer_returns_90d"),
        ("return", [10, 20, 50, 80, 200], [80, 50, 20], "customer_returns_90d"),
        ("claim", [10, 50, 200], [200], "customer_claims_365d"),
        ("claim", [10, 50, 200], [200, 50], "customer_claims_365d"),
        ("claim", [10], [10], "customer_claims_365d"),
    ],
)
def test_what_is_left_out_is_left_out_of_everything_that_follows(
    tmp_path: Path, kind: str, ago: list[int], left_out: list[int], feature: str
) -> None:
    """Where all returns are alike, the changed vector is that of a history without them, to the last bit."""
    whole = vector_of(tmp_path / "whole", history(ago, kind))
    without = vector_of(tmp_path / "without", history([each for each in ago if each not in left_out], kind))
    least = whole[VECTOR.index(feature)] - len(left_out) + 1
    found = search(whole, Odd(feature, least), if_not_low)  # type: ignore[arg-type]
    assert found is not None
    (change,) = found.changes
    assert change.number == len(left_out)
    odd = {
        name: (changed, true)
        for name, changed, true in zip(VECTOR, found.vector, without, strict=True)
        if changed != true and not (math.isnan(changed) and math.isnan(true))
    }
    pooled = {name for name in odd if name.startswith(("sku_", "category_", "courier_", "country_"))}
    shifted = {name for name in odd if "expected" in name or (name in SEEN and "rate" in name) or "excess" in name}
    assert set(odd) <= pooled | shifted  # rates of the product, which the returns left out are part of


def test_nothing_is_said_where_nothing_small_changes_it(tmp_path: Path) -> None:
    whole = vector_of(tmp_path, history([10, 50]))
    assert search(whole, Odd("customer_orders_lifetime", 0), if_not_low) is None  # type: ignore[arg-type]


def test_the_latest_return_stays_unless_all_go(tmp_path: Path) -> None:
    """When the one before it was is not in the vector, so nothing is claimed about it."""
    whole = vector_of(tmp_path, history([10, 200]))
    assert search(whole, Odd("customer_returns_90d", 1), if_not_low) is None  # type: ignore[arg-type]


def test_how_the_money_is_asked_back_is_tried_first(tmp_path: Path) -> None:
    whole = vector_of(tmp_path, history([10, 20, 50]), tender="other", proof_of_purchase=False)
    place = VECTOR.index("request_other_tender")
    assert whole[place] == 1
    found = search(whole, Odd("request_other_tender", 1), if_not_low)  # type: ignore[arg-type]
    assert found is not None
    assert found.changes == (Change("original_tender"),)
    assert found.vector[place] == 0
    found = search(whole, Odd("request_without_proof", 1), if_not_low)  # type: ignore[arg-type]
    assert found is not None
    assert found.changes == (Change("with_proof"),)


def test_two_things_at_once(tmp_path: Path) -> None:
    whole = vector_of(tmp_path, history([10, 20, 50]), tender="other")

    class Both(Odd):
        def outlooks(self, vectors: np.ndarray) -> list[tuple[float, str, bool]]:
            other = vectors[:, VECTOR.index("request_other_tender")]
            returns = vectors[:, VECTOR.index("customer_returns_90d")]
            return [(0.5, "low" if o == 0 and r <= 2 else "high", True) for o, r in zip(other, returns, strict=True)]

    found = search(whole, Both("requested_at", 0), if_not_low)  # type: ignore[arg-type]
    assert found is not None
    assert set(found.changes) == {Change("fewer_returns", 1, "90d"), Change("original_tender")}


def test_a_vector_of_another_release_says_nothing() -> None:
    assert search(np.zeros(3), Odd("requested_at", 0), if_not_low) is None  # type: ignore[arg-type]


def test_a_real_model_agrees_when_the_changed_vector_is_scored_again(tmp_path: Path) -> None:
    model = LoadedModel("1", keep_model(tmp_path / "models", "1"))
    told = 0
    for number, ago in enumerate(([10, 20, 50, 80], [10, 20, 30, 40, 50, 60, 70], [50, 80], [10, 200])):
        vector = vector_of(tmp_path / str(number), history(ago), tender="other")
        risk = model.assess(vector).risk
        for least in np.linspace(0.2, 0.999, 24):
            checks = _above(risk * least)
            found = search(vector, model, checks)
            if found is not None:
                told += 1
                again = model.assess(found.vector)
                assert not checks(again.risk, again.band, again.sufficient)
                assert checks(risk, "", True)
    assert told > 3


def _above(least: float) -> Callable[[float, str, bool], bool]:
    return lambda risk, _band, _sufficient: risk >= least


def test_windows_stay_within_each_other(tmp_path: Path) -> None:
    whole = vector_of(tmp_path, history([10, 20, 50, 80, 200]))
    before = dict(zip(VECTOR, whole.tolist(), strict=True))
    for changes, values in counterfactual._candidates(before):
        for name in ("returns", "items_returned", "value_returned", "days_kept", "claims"):
            windows = [values[f"customer_{name}_{window}"] for window in ("7d", "30d", "90d", "365d", "lifetime")]
            assert windows == sorted(windows), (changes, name)
            assert windows[0] >= 0

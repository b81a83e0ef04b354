"""Plain Feast calls: what a notebook gets is what the API uses, at any moment."""

from __future__ import annotations

import numpy as np
import pytest
from feast import FeatureStore

from features.clock import DAY
from features.online import fetch
from features.repo import feature_store
from features.request import FIELD_NAMES, KEYS, RequestRow, assessed_returns
from features.service import DERIVED, MODEL_FEATURES, SERVICE, VECTOR
from tests.support.histories import Made, make_history


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_history(tmp_path_factory.mktemp("feast"), 8, orders=80)


@pytest.fixture(scope="module")
def store(made: Made) -> FeatureStore:
    return feature_store(made.settings)


def test_historical_and_online_features_agree_on_every_value_of_every_return(made: Made, store: FeatureStore) -> None:
    service = store.get_feature_service(SERVICE)
    with made.ledger.read() as conn:
        entities = assessed_returns(conn)
    offline = store.get_historical_features(entity_df=entities, features=service).to_df().set_index("return_id")
    assert len(entities) > 40
    with made.ledger.write() as conn:
        for row in entities.astype(object).where(entities.notna(), None).to_dict("records"):
            request = RequestRow({key: row[key] for key in KEYS}, 0, tuple(row[name] for name in FIELD_NAMES))
            online = fetch(store, service, conn, request)
            vector = np.array([online[name] for name in VECTOR], dtype=np.float64)
            table = offline.loc[row["return_id"], list(VECTOR)].to_numpy(dtype=np.float64)
            np.testing.assert_array_equal(vector, table)


def test_a_notebook_opens_the_store_from_its_folder(made: Made, store: FeatureStore) -> None:
    plain = FeatureStore(repo_path=str(made.settings.home / "feast"))
    response = plain.get_online_features(
        features=["customer_history:customer_orders_lifetime", "sku_rates:sku_items_bought_365d"],
        entity_rows=[{"customer_id": "c1", "sku": "s1"}, {"customer_id": "nobody", "sku": "nothing"}],
    )
    answer = response.to_dict()
    assert answer["customer_orders_lifetime"][0] > 0
    assert answer["customer_orders_lifetime"][1] == 0
    assert list(response.to_df()["sku_items_bought_365d"]) == answer["sku_items_bought_365d"]
    assert len(response.proto.results) == len(answer)


def test_plain_views_can_be_read_at_any_moment(made: Made, store: FeatureStore) -> None:
    with made.ledger.read() as conn:
        entities = assessed_returns(conn)[["customer_id", "event_timestamp"]]
    now = store.get_historical_features(entity_df=entities, features=["customer_history:customer_orders_lifetime"])
    later = entities.assign(event_timestamp=entities["event_timestamp"] + np.timedelta64(400 * DAY, "us"))
    then = store.get_historical_features(entity_df=later, features=["customer_history:customer_orders_lifetime"])
    before, after = now.to_df()["customer_orders_lifetime"], then.to_df()["customer_orders_lifetime"]
    assert (after >= before).all()
    assert after.sum() > before.sum()


def test_signals_need_the_request(store: FeatureStore) -> None:
    with pytest.raises(ValueError, match="requested_at"):
        store.get_online_features(
            features=["return_signals:customer_return_rate_90d"], entity_rows=[{"customer_id": "c1"}]
        )


def test_the_online_store_refuses_to_be_written_to(made: Made, store: FeatureStore) -> None:
    with made.ledger.read() as conn:
        entities = assessed_returns(conn)[["customer_id", "event_timestamp"]].head(2)
    names = [field.name for field in store.get_feature_view("customer_history").features]
    features = [f"customer_history:{name}" for name in names]
    values = store.get_historical_features(entity_df=entities, features=features).to_df()
    with pytest.raises(TypeError, match="ledger"):
        store.write_to_online_store("customer_history", values)


def test_names_of_the_service_are_what_the_model_and_the_vector_use(store: FeatureStore) -> None:
    service = store.get_feature_service(SERVICE)
    served = [field.name for view in service.feature_view_projections for field in view.features]
    assert len(set(VECTOR)) == len(VECTOR)
    assert set(served) | set(FIELD_NAMES) == set(VECTOR)
    assert {feature.name for feature in MODEL_FEATURES} <= set(VECTOR)
    assert {feature.name for feature in DERIVED}.isdisjoint(FIELD_NAMES)

"""The point-in-time table: complete, equal to what Feast gives, and built again without change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.build import TABLE, build
from features.ledger.store import Ledger
from features.repo import feature_store
from features.request import assessed_returns
from features.service import SERVICE, VECTOR
from features.settings import Settings
from tests.support.histories import Made, make_history


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_history(tmp_path_factory.mktemp("build"), 21, orders=60)


def test_the_table_holds_what_feast_gives(made: Made) -> None:
    report = build(made.settings)
    table = pd.read_parquet(report.table).set_index("return_id")
    with made.ledger.read() as conn:
        entities = assessed_returns(conn)
    store = feature_store(made.settings)
    historical = store.get_historical_features(entity_df=entities, features=store.get_feature_service(SERVICE))
    expected = historical.to_df().set_index("return_id").loc[table.index, list(VECTOR)]
    assert report.returns == len(entities) == len(table) > 30
    np.testing.assert_array_equal(table[list(VECTOR)].to_numpy(dtype=float), expected.to_numpy(dtype=float))


def test_building_again_changes_nothing(made: Made) -> None:
    first = build(made.settings).table.read_bytes()
    again = build(made.settings)
    assert again.days_pooled == 0
    assert again.table.read_bytes() == first


def test_an_empty_ledger_gives_an_empty_table(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    Ledger.open(settings).close()
    report = build(settings)
    assert report.returns == 0
    assert pd.read_parquet(tmp_path / "features" / TABLE).empty
    assert any("0 returns" in line for line in report.lines())

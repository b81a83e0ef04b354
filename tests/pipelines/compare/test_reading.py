"""Risks of both versions, stored or computed, beside what was found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from features.ledger.sql import rows
from features.settings import Settings
from pipelines.compare import fill
from pipelines.compare.reading import Assessed, read_assessed
from pipelines.compare.versions import challenger_of, learned_until, load
from serving.model.registry import Registry
from tests.support.assessed import ENDED, Home

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own

Read = Callable[[], Assessed]


@pytest.fixture
def read(settings: Settings, home: Home) -> Read:
    registry = Registry(settings)
    champion, challenger = load(registry, registry.champion()), load(registry, challenger_of(registry))
    assert learned_until(champion) == learned_until(challenger) == ENDED

    def read() -> Assessed:
        with home.ledger.read() as conn:
            return read_assessed(conn, champion, challenger, ENDED)

    return read


def test_every_assessment_with_its_customer_and_what_was_found(read: Read, home: Home) -> None:
    frame = read().frame
    with home.ledger.read() as conn:
        found = rows(
            conn,
            "SELECT a.return_id, a.requested_at, o.customer_id, a.risk, i.finding = 'worn' FROM assessments a"
            " JOIN orders o USING (order_no) LEFT JOIN inspections i ON i.return_id = a.return_id"
            " WHERE a.requested_at > ? ORDER BY a.assessment_no",
            (ENDED,),
        )
    assert len(frame) > 500
    columns = ["return_id", "requested_at", "customer_id", "champion", "label"]
    read_rows = [tuple(None if v != v else v for v in row) for row in frame[columns].itertuples(index=False)]
    assert read_rows == found
    assert set(frame["trigger"].dropna()) == {"random"}
    assert set(frame["propensity"].dropna()) == {0.8}


def test_what_is_not_stored_is_computed_to_the_last_bit(read: Read, home: Home, settings: Settings) -> None:
    before = read()
    assert before.computed == len(before.frame)
    report = fill(settings)
    assert report.scored == len(before.frame)
    assert report.lines() == [f"{report.scored:,} assessments scored with version 2"]
    assert fill(settings).scored == 0
    after = read()
    assert after.computed == 0
    assert after.frame.equals(before.frame)
    home.change("DELETE FROM shadow_assessments WHERE assessment_id > 'r5'")
    some = read()
    assert 0 < some.computed < len(before.frame)
    assert some.frame.equals(before.frame)


def test_what_is_stored_is_taken_as_it_is(read: Read, home: Home, settings: Settings) -> None:
    fill(settings)
    home.change("UPDATE shadow_assessments SET risk = 0.5")
    assert set(read().frame["challenger"]) == {0.5}


def test_what_another_version_answered_is_computed_for_the_champion(read: Read, home: Home) -> None:
    before = read()
    home.change("UPDATE assessments SET model_version = '9', risk = 0.5")
    after = read()
    assert after.frame.equals(before.frame)
    assert after.computed == before.computed


def test_what_the_challenger_answered_itself_is_stored(read: Read, home: Home, settings: Settings) -> None:
    before = read().frame
    home.change("UPDATE assessments SET model_version = '2', risk = 0.5")
    after = read()
    assert after.computed == 0
    assert set(after.frame["challenger"]) == {0.5}
    assert np.array_equal(after.frame["champion"], before["champion"])
    assert fill(settings).scored == 0


def test_vectors_of_another_version_of_the_features_are_left_out(read: Read, home: Home, settings: Settings) -> None:
    total = len(read().frame)
    home.change("UPDATE assessments SET feature_service = 'returnwise_v0' WHERE assessment_no % 3 = 0")
    found = read()
    assert found.left_out == pytest.approx(total / 3, abs=50)
    assert found.left_out + len(found.frame) == total
    report = fill(settings)
    assert (report.scored, report.unreadable) == (len(found.frame), found.left_out)
    assert f"{found.left_out:,} could not be" in report.lines()[1]
    home.change("UPDATE assessments SET feature_service = 'returnwise_v0'", "DELETE FROM shadow_assessments")
    nothing = read()
    assert (len(nothing.frame), nothing.left_out) == (0, total)

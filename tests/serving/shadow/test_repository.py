from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from features.ledger.sql import rows
from features.ledger.store import Ledger
from serving.shadow.repository import ShadowAssessment, count_unscored, next_unscored, store
from tests.support.assessed import keep_assessments
from tests.support.service import settings_of


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    yield ledger
    ledger.close()


def stored(ledger: Ledger) -> list[tuple[str, str, float, int]]:
    with ledger.read() as conn:
        return rows(conn, "SELECT * FROM shadow_assessments ORDER BY assessment_id, model_version")


def test_each_version_scores_an_assessment_once(ledger: Ledger) -> None:
    first = [ShadowAssessment(f"a{n:04}", "4", n / 1000, 5) for n in range(450)]
    with ledger.write() as conn:
        store(conn, first)
        store(conn, [])
    with ledger.write() as conn:
        store(conn, [first[7]._replace(risk=0.9, scored_at=6), ShadowAssessment("a0007", "5", 0.5, 7)])
    found = stored(ledger)
    assert [row for row in found if row[1] == "4"] == first
    assert ("a0007", "5", 0.5, 7) in found


def test_a_taken_back_transaction_leaves_nothing(ledger: Ledger) -> None:
    writer = ledger.writer(durable=False)
    with writer.begin() as transaction:
        store(writer.connection, [ShadowAssessment("a", "4", 0.1, 5)])
        with pytest.raises(sa.exc.IntegrityError):
            store(writer.connection, [ShadowAssessment("b", "4", None, 5)])  # type: ignore[arg-type]
        transaction.rollback()
    assert stored(ledger) == []
    with writer.begin():  # and the connection can be used again
        store(writer.connection, [ShadowAssessment("a", "4", 0.1, 5)])
    writer.close()
    assert stored(ledger) == [("a", "4", 0.1, 5)]


def test_what_a_version_has_not_scored(ledger: Ledger) -> None:
    with ledger.write() as conn:
        keep_assessments(conn, [(f"a{n}", 100 + n, "4" if n == 2 else "3", np.zeros(2)) for n in range(8)])
        store(conn, [ShadowAssessment("a5", "4", 0.1, 5), ShadowAssessment("a6", "5", 0.1, 5)])
    with ledger.read() as conn:
        # 0 and 1 were requested earlier, 2 was answered by the version itself, 5 is scored
        assert count_unscored(conn, "4", 101) == 4
        first = next_unscored(conn, "4", 101, 0, 3)
        assert [row.assessment_id for row in first] == ["a3", "a4", "a6"]
        assert [row.assessment_id for row in next_unscored(conn, "4", 101, first[-1].assessment_no, 3)] == ["a7"]
        assert first[0].vector == bytes(16)

"""Past returns as policies see them: with what was answered, or assessed anew to the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy.engine import Connection

from features.clock import DAY, day_of
from features.ledger.sql import execute, marks, rows
from features.ledger.store import Ledger
from features.ledger.vocabulary import BASES, FINDINGS, VERDICTS
from features.population import close_days
from serving.model.holder import champion_now
from serving.policy.outcomes import outcomes
from serving.policy.past import has_all_answers, read_past
from serving.policy.source import default_policy
from tests.support.service import Api, settings_of
from training.labels.rules import read_labels

EVER = (0, 2**52)


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(home))
    with ledger.write() as conn:
        close_days(conn, day_of(rows(conn, "SELECT max(requested_at) FROM returns")[0][0]) + 1)
    yield ledger
    ledger.close()


@pytest.fixture
def conn(ledger: Ledger) -> Iterator[Connection]:
    with ledger.write() as conn:
        yield conn


def test_returns_without_an_answer_are_assessed(conn: Connection, home: Path) -> None:
    told: list[tuple[int, int]] = []
    past = read_past(conn, champion_now(settings_of(home)), *EVER, lambda done, total: told.append((done, total)))
    count = rows(conn, "SELECT count(DISTINCT return_id) FROM returns")[0][0]
    assert len(past) == count > 20
    assert (past.answered, past.left_out) == (0, 0)
    assert told[-1] == (count, count)
    assert ((past.risks > 0) & (past.risks < 1)).all()
    assert set(past.bands) <= {"low", "elevated", "high"}
    assert not any(past.restricted)


def test_without_a_model_they_are_left_out(conn: Connection) -> None:
    past = read_past(conn, None, *EVER)
    assert len(past) == 0
    assert past.left_out > 20
    assert not has_all_answers(conn, *EVER)


def test_a_stretch_has_its_bounds(conn: Connection, home: Path) -> None:
    moments = sorted(row[0] for row in rows(conn, "SELECT requested_at FROM returns GROUP BY return_id"))
    since, until = moments[3], moments[-3]
    past = read_past(conn, champion_now(settings_of(home)), since, until)
    assert len(past) == sum(since <= moment < until for moment in moments)
    assert (past.first_day, past.last_day) == (since // DAY, (until - 1) // DAY)


def test_restrictions_of_the_time(conn: Connection, home: Path) -> None:
    customer, moment = rows(
        conn, "SELECT o.customer_id, r.requested_at FROM returns r JOIN orders o ON o.order_no = r.order_no LIMIT 1"
    )[0]
    statement = (
        "INSERT INTO restrictions (restriction_id, customer_id, kind, case_no, from_at, until_at, made_by)"
        " VALUES (?, ?, 'inspect_first', 1, ?, ?, 'x')"
    )
    execute(conn, statement, ("one", customer, moment, moment + 1))
    past = read_past(conn, champion_now(settings_of(home)), *EVER)
    assert sum(past.restricted) == 1


def test_what_was_answered_counts_and_leads_to_the_same_action(api: Api, shared_home: Path) -> None:
    bodies: list[dict[str, Any]] = [
        {
            "return_id": f"past-{number}",
            "customer_id": f"c{number}",
            "order_id": f"o{number}-0",
            "lines": [{"line_id": "1", "quantity": 1}],
            "reason": "size_fit",
        }
        for number in range(15)
    ]
    results = api.batch(*bodies).json()["results"]
    answers = {r["assessment"]["return_id"]: r["assessment"] for r in results if r["status"] == 200}
    assert len(answers) > 5
    ledger = Ledger.open(settings_of(shared_home))
    try:
        with ledger.read() as conn:
            past = read_past(conn, None, *EVER)
            ids = {row[0] for row in rows(conn, "SELECT return_id FROM assessments")}
    finally:
        ledger.close()
    assert len(past) == past.answered == len(ids)
    policy, risks = default_policy(), sorted(answer["risk"] for answer in answers.values())
    assert set(risks) <= set(past.risks.tolist())
    decided = [
        policy.decide(past.asked.facts(n, past.risks[n], past.bands[n], past.sufficient[n])) for n in range(len(past))
    ]
    assert sorted(answer["action"] for answer in answers.values()) == sorted(
        decision.action for decision, risk in zip(decided, past.risks.tolist(), strict=True) if risk in risks
    )


@pytest.mark.parametrize("seed", range(4))
def test_outcomes_are_the_labels_of_training(conn: Connection, seed: int) -> None:
    drawn = random.Random(seed)
    returns = rows(conn, "SELECT return_id, order_no FROM returns GROUP BY return_id")
    inspections = "return_id, order_no, line_id, inspected_at, finding, recorded_at, pooled_at, digest"
    verdicts = "return_id, order_no, decided_at, verdict, basis, recorded_at, pooled_at, digest"
    for table in ("inspections", "verdicts"):
        execute(conn, f"DELETE FROM {table}")
    for return_id, order_no in returns:
        for at in range(drawn.choice((0, 0, 1, 2, 3))):
            seen = (return_id, order_no, drawn.choice(("", "1", "2")), at, drawn.choice(FINDINGS), at, at, b"")
            execute(conn, f"INSERT INTO inspections ({inspections}) VALUES {marks(8)}", seen)
        for at in range(drawn.choice((0, 0, 1, 2))):
            said = (return_id, order_no, at, drawn.choice(VERDICTS), drawn.choice((*BASES, None)), at, at, b"")
            execute(conn, f"INSERT INTO verdicts ({verdicts}) VALUES {marks(8)}", said)
    labels = read_labels(conn, 2**60)
    expected = {
        name: -1 if pd.isna(label) else int(label)
        for name, label in zip(labels["return_id"], labels["label"], strict=True)
    }
    assert outcomes(conn) == expected
    assert set(np.unique(list(expected.values()))) == {-1, 0, 1}

"""What cases give back: labels for training, and a history that the next assessment sees."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from sqlalchemy.engine import Connection

from features.ledger.store import Ledger
from serving.cases import deadlines, repository, work
from serving.cases.repository import Case
from tests.support.cases import ANN, Desk
from tests.support.service import Api, inline_order, settings_of, unique
from training.labels import read_labels

T = TypeVar("T")


def label(desk: Desk, case: Case) -> dict[str, Any]:
    labels = desk.read(lambda conn: read_labels(conn, 2**62))
    found = labels[labels["return_id"] == case.return_id]
    return {} if found.empty else dict(found.iloc[0])


class TestLabels:
    def test_of_confirmed_abuse(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(0), revision=1, finding="worn", line_id="1")
        desk.pass_time(5)
        desk.do(
            work.close, ANN, case, revision=2, hasher=desk.ledger.hasher,
            verdict="abuse_confirmed", basis="inspection", words="Worn at the sole.", abuse_type="wardrobing",
        )  # fmt: skip
        found = label(desk, case)
        assert (found["label"], found["strength"], found["abuse_type"]) == (1.0, "verdict", "wardrobing")
        assert (found["trigger"], found["propensity"]) == ("risk", 0.95)

    def test_of_a_cleared_look(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(0), revision=1, finding="as_described")
        desk.do(work.close, ANN, case, revision=2, hasher=desk.ledger.hasher, verdict="cleared")
        found = label(desk, case)
        assert (found["label"], found["propensity"]) == (0.0, 0.95)

    def test_of_what_nobody_looked_at_are_unknown(self, desk: Desk) -> None:
        by_opinion, left_open = desk.open(0), desk.open(1)
        desk.do(work.close, ANN, by_opinion, revision=1, hasher=desk.ledger.hasher, verdict="cleared")
        desk.do(work.close, ANN, left_open, revision=1, hasher=desk.ledger.hasher, verdict="inconclusive")
        assert np.isnan(label(desk, by_opinion)["label"])
        assert np.isnan(label(desk, left_open)["label"])

    def test_of_what_a_deadline_ended_do_not_exist(self, desk: Desk) -> None:
        case = desk.open(0)
        swept = desk.write(lambda conn: deadlines.sweep(conn, case.due_at, hasher=desk.ledger.hasher))
        assert swept.cleared == 1
        assert label(desk, case) == {}

    def test_two_findings_of_one_moment_are_both_kept(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(0), revision=1, finding="worn")
        case = desk.do(work.find, ANN, case, revision=2, finding="missing_item")
        desk.do(
            work.close, ANN, case, revision=3, hasher=desk.ledger.hasher,
            verdict="abuse_confirmed", basis="inspection", words="Worn, and the belt is gone.",
        )  # fmt: skip
        sent = desk.table("SELECT finding FROM inspections WHERE return_id = ?", case.return_id)
        assert {finding for (finding,) in sent} == {"worn", "missing_item"}


class Home:
    """The ledger of a running service, and its clock."""

    def __init__(self, home: Path) -> None:
        self.ledger = Ledger.open(settings_of(home))

    def write(self, work: Callable[[Connection], T]) -> T:
        with self.ledger.write() as conn:
            return work(conn)


@pytest.fixture
def service(shared_home: Path) -> Any:
    home = Home(shared_home)
    yield home
    home.ledger.close()


class TestOverHttp:
    def body(self, customer: str) -> dict[str, Any]:
        order = inline_order(customer_id=customer)
        order["lines"][0]["unit_price"] = "400.00"
        return {
            "return_id": unique("case-"),
            "customer_id": customer,
            "order_id": order["order_id"],
            "lines": [{"line_id": "1", "quantity": 1}],
            "reason": "size_fit",
            "order": order,
        }

    def assessed(self, api: Api, *, looks: bool) -> dict[str, Any]:
        """An assessment that asks for a look, or for none."""
        for _ in range(400):
            answer: dict[str, Any] = api.assess(self.body(unique("looked-at-"))).json()
            if (answer["check"] is not None) == looks:
                return answer
        raise AssertionError("no such assessment among many")

    def test_an_assessment_with_a_check_opens_a_case(self, api: Api, service: Home) -> None:
        answer = self.assessed(api, looks=True)
        with service.ledger.read() as conn:
            case = repository.of_return(conn, answer["return_id"])
        assert case is not None
        assert (case.assessment_id, case.risk, case.action) == (
            answer["assessment_id"],
            answer["risk"],
            answer["action"],
        )
        assert {"trigger": case.trigger, "propensity": case.propensity} == answer["check"]
        assert case.expected_loss_minor == round(answer["risk"] * case.value_minor)
        assert (case.value_minor, case.country, case.category, case.currency) == (40_000, "DE", "k1", "EUR")

    def test_one_without_opens_none(self, api: Api, service: Home) -> None:
        answer = self.assessed(api, looks=False)
        with service.ledger.read() as conn:
            assert repository.of_return(conn, answer["return_id"]) is None

    def test_the_next_assessment_sees_what_was_found_and_concluded(self, api: Api, service: Home) -> None:
        answer = self.assessed(api, looks=True)
        with service.ledger.read() as conn:
            case = repository.of_return(conn, answer["return_id"])
        assert case is not None
        now = time.time_ns() // 1000
        found = service.write(lambda conn: work.find(conn, ANN, case, revision=1, now=now, finding="worn"))
        service.write(
            lambda conn: work.close(
                conn,
                ANN,
                found,
                revision=2,
                now=now + 1,
                hasher=service.ledger.hasher,
                verdict="abuse_confirmed",
                basis="inspection",
                words="Worn.",
                abuse_type="wardrobing",
            )
        )
        again = api.assess(self.body(case.customer_id)).json()
        features = api.show(again["assessment_id"]).json()["features"]
        before = api.show(answer["assessment_id"]).json()["features"]
        changed = {name for name in features if "concern" in name or "confirmed" in name}
        assert changed
        assert any(features[name] != before[name] for name in changed if "concern" in name)
        assert any(features[name] != before[name] for name in changed if "confirmed" in name)

"""Some returns are drawn for a look, with the odds on record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.ledger.identity import KeyHasher
from features.risk_model import RiskModel
from serving.policy.source import default_policy
from tests.support.service import HASH_KEY, Api, assessment, unique


def known(number: int) -> dict[str, Any]:
    """A request for an order of the history."""
    customer, order = number % 20, number // 20
    return {
        "return_id": f"look-{number}",
        "customer_id": f"c{customer}",
        "order_id": f"o{customer}-{order}",
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": "size_fit",
    }


@pytest.fixture(scope="module")
def answers(api: Api) -> list[dict[str, Any]]:
    """Answers to two hundred requests."""
    bodies = [known(n) for n in range(160)]
    bodies += [assessment(return_id=f"look-new-{n}") for n in range(120)]
    results = [result for at in (0, 100, 200) for result in api.batch(*bodies[at : at + 100]).json()["results"]]
    found = [result["assessment"] for result in results if result["status"] == 200]
    assert len(found) >= 200
    return found


class TestCheck:
    def test_is_what_the_policy_says(self, answers: list[dict[str, Any]], shared_home: Path) -> None:
        hasher, policy = KeyHasher(HASH_KEY.encode()), default_policy()
        elevated = RiskModel.load(shared_home / "models" / "1-test").card.bands.elevated
        for answer in answers:
            drawn = hasher.draw("check", answer["policy_version"], answer["return_id"])
            expected = policy.check(answer["action"], risk=answer["risk"], elevated_from=elevated, drawn=drawn)
            assert answer["check"] == (None if expected is None else expected._asdict())
        triggers = {answer["check"] and answer["check"]["trigger"] for answer in answers}
        assert triggers == {None, "risk", "random"}

    def test_of_a_draw_changes_neither_action_nor_notice(self, answers: list[dict[str, Any]]) -> None:
        policy = default_policy()
        for answer in answers:
            looks = answer["action"] in ("inspect_before_refund", "staff_review")
            assert looks <= (answer["check"] is not None)
            assert answer["customer_notice"] == policy.notice(answer["action"], None)
        drawn = [a["action"] for a in answers if a["check"] and a["check"]["trigger"] == "random"]
        assert drawn

    def test_is_stored_and_goes_back_with_the_inspection(self, api: Api, answers: list[dict[str, Any]]) -> None:
        answer = next(answer for answer in answers if answer["check"])
        shown = api.show(answer["assessment_id"]).json()
        assert shown["check"] == answer["check"]
        inspection = {
            "event_id": unique("e"),
            "type": "inspection",
            "occurred_at": datetime.now(UTC).isoformat(),
            "return_id": answer["return_id"],
            "finding": "as_described",
            **answer["check"],
        }
        assert api.send(inspection).json()["accepted"] == 1

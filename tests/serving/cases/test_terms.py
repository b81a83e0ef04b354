from __future__ import annotations

from features.clock import DAY
from features.ledger.sql import execute
from serving.cases import terms, work
from serving.policy.source import FILE
from tests.support.cases import ANN, Desk


def publish(desk: Desk, **changes: tuple[str, str]) -> None:
    """Puts a policy in force whose text differs in some places."""
    content = FILE.read_text(encoding="utf-8")
    for before, after in changes.values():
        assert before in content
        content = content.replace(before, after)
    row = ("test-2", content, "longer", "ann", desk.now, "lea", desk.now, "published")
    columns = "version, content, why, proposed_by, proposed_at, decided_by, decided_at, decision"
    sql = f"INSERT INTO policies ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    desk.write(lambda conn: execute(conn, sql, row))


def test_are_those_of_the_policy_in_force(desk: Desk) -> None:
    before = desk.open(0, action="staff_review")
    assert before.due_at == desk.now + 2 * DAY
    publish(
        desk,
        staff=("staff_review:          {due_days: 2,", "staff_review:          {due_days: 3,"),
        wait=("wait_customer_days: 7", "wait_customer_days: 9"),
    )
    after = desk.open(1, action="staff_review")
    assert after.due_at == desk.now + 3 * DAY
    assert desk.again(before).due_at == before.due_at  # what has been promised stays
    waits = desk.do(work.wait_for_customer, ANN, after, revision=1)
    assert waits.due_at == desk.now + 9 * DAY


def test_name_every_cause(desk: Desk) -> None:
    found = desk.read(terms.current)
    for because, action in (
        ("action", "staff_review"),
        ("action", "inspect_before_refund"),
        ("draw", "refund_now"),
        ("hand", None),
        ("dispute", "staff_review"),
    ):
        assert found.of(because, action).length > 0

"""Cases put straight into the tables, for tests of what rests on one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert

from features.clock import DAY
from serving.cases.tables import case_verdicts, cases
from tests.support.history import FIRST_DAY

OPENED = (FIRST_DAY + 400) * DAY


def put_case(conn: Connection, **changes: Any) -> int:
    """A case of customer c0 that was closed as confirmed, or as `changes` say; gives its number."""
    values = {
        "case_id": "CASE-1",
        "return_id": "r0-0",
        "order_no": 1,
        "order_id": "o0-0",
        "customer_id": "c0",
        "opened_at": OPENED,
        "opened_because": "action",
        "action": "inspect_before_refund",
        "kind": "return",
        "reason": "size_fit",
        "country": "DE",
        "value_minor": 5_000,
        "expected_loss_minor": 500,
        "state": "closed",
        "state_since": OPENED + DAY,
        "rests_in": "open",
        "due_at": OPENED + 3 * DAY,
        "due_day": (OPENED + 3 * DAY) // DAY,
        "verdict": "abuse_confirmed",
        "closed_at": OPENED + DAY,
        "closed_by": "reviewer-1",
        "revision": 1,
    } | changes
    known = {name: value for name, value in values.items() if name in cases.c}
    number = conn.execute(insert(cases).values(**known)).inserted_primary_key
    assert number is not None
    if values["verdict"] is not None:
        conn.execute(
            insert(case_verdicts).values(
                case_no=number[0],
                staff_id=values["closed_by"],
                at=values["closed_at"],
                verdict=values["verdict"],
                basis="inspection",
                words="The seal is gone.",
                risk_shown=0,
                second_opinion=0,
            )
        )
    return int(number[0])

"""A small home in which a customer has left a trace in every table that can hold one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from features.clock import DAY
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.ledger.tables import verdicts
from features.service import SERVICE, VECTOR
from serving.audit import trail
from serving.audit.trail import Actor
from serving.cases.tables import case_checks, case_findings, case_lookers, case_notes, case_photos
from serving.disputes.tables import disputes
from serving.hooks.tables import webhook_deliveries, webhook_endpoints, webhook_messages
from serving.notices.tables import notices
from serving.privacy import repository
from serving.restrictions.tables import restrictions
from serving.shops.tables import shop_waiting
from serving.tables import assessments, shadow_assessments
from tests.support.closed_cases import OPENED, put_case
from tests.support.history import fill, made_up_history
from tests.support.service import settings_of

LEAD = Actor("staff", "lead-1", "lead", "Lea")
WHO = "c5"
NOW = OPENED + 90 * DAY
#: Words and ids of which nothing may be left.
TELLING = ("The box was opened by my neighbour", "a scratch below the zip", "Dear customer", "CASE-1", "D-1", "A-1")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    fill(settings_of(tmp_path), made_up_history(12, 8))
    ledger = Ledger.open(settings_of(tmp_path))
    with ledger.write() as conn:
        leave_traces(conn, ledger)
    yield ledger
    ledger.close()


def leave_traces(conn: Connection, ledger: Ledger) -> int:
    """The number of the case."""
    ((order_no, order_id, return_id),) = rows(
        conn,
        "SELECT o.order_no, o.order_id, r.return_id FROM orders o JOIN returns r ON r.order_no = o.order_no"
        " WHERE o.customer_id = ? LIMIT 1",
        (WHO,),
    )
    case_no = put_case(
        conn, customer_id=WHO, order_no=order_no, order_id=order_id, return_id=return_id, assessment_id="A-1"
    )
    at = {"at": OPENED, "staff_id": "reviewer-1", "case_no": case_no}
    answer = (
        b'{"reasons": [{"code": "R02", "title": "Returns", "detail": "3 of 4 came back.", "facts": {}}],'
        b' "reassurances": []}'
    )
    for table, values in (
        (
            assessments,
            {
                "assessment_id": "A-1",
                "return_id": return_id,
                "request_digest": b"d" * 16,
                "order_no": order_no,
                "requested_at": OPENED,
                "assessed_at": OPENED,
                "risk": 0.3,
                "risk_band": "elevated",
                "action": "inspect_before_refund",
                "model_version": "1",
                "policy_version": "1",
                "feature_service": SERVICE,
                "vector": b"\0" * 8 * len(VECTOR),
                "answer": answer,
            },
        ),
        (shadow_assessments, {"assessment_id": "A-1", "model_version": "2", "risk": 0.2, "scored_at": OPENED}),
        (case_findings, {**at, "line_id": "1", "finding": "worn"}),
        (case_checks, {**at, "item": "seal", "result": "not_fine"}),
        (case_notes, {**at, "words": TELLING[0]}),
        (
            case_photos,
            {**at, "caption": TELLING[1], "width": 1, "height": 1, "digest": b"x" * 32}
            | dict.fromkeys(("content", "thumbnail"), b"a picture"),
        ),
        (case_lookers, {"case_no": case_no, "staff_id": "reviewer-1", "seen_at": OPENED}),
        (
            disputes,
            {
                "dispute_id": "D-1",
                "case_no": case_no,
                "received_at": OPENED,
                "words": TELLING[0],
                "digest": "d",
                "due_at": OPENED + DAY,
                "decided_at": OPENED + DAY,
                "outcome": "upheld",
            },
        ),
        (
            notices,
            {
                "notice_id": "N-1",
                "customer_id": WHO,
                "case_no": case_no,
                "kind": "check",
                "round": 1,
                "language": "en",
                "words": TELLING[2],
                "made_at": OPENED,
            },
        ),
        (
            restrictions,
            {
                "restriction_id": "X-1",
                "customer_id": WHO,
                "kind": "inspect_first",
                "case_no": case_no,
                "from_at": OPENED,
                "until_at": OPENED + DAY,
                "made_by": "lead-1",
            },
        ),
        (
            webhook_endpoints,
            {
                "endpoint_id": "E-1",
                "url": "https://shop.example/hook",
                "secret": "s",
                "types": "case.closed",
                "description": "",
                "created_at": 1,
            },
        ),
        (
            webhook_messages,
            {"message_id": "m", "type": "case.closed", "at": OPENED, "content": '{"data": {"case_id": "CASE-1"}}'},
        ),
        (
            webhook_messages,
            {"message_id": "n", "type": "case.closed", "at": OPENED, "content": '{"data": {"case_id": "CASE-10"}}'},
        ),
        (
            shop_waiting,
            {"event_id": "w", "connection_id": "s", "order_id": order_id, "received_at": OPENED, "content": "{}"},
        ),
        (
            verdicts,
            {
                "return_id": return_id,
                "order_no": order_no,
                "decided_at": OPENED,
                "verdict": "abuse_confirmed",
                "recorded_at": OPENED,
                "pooled_at": OPENED,
                "digest": b"",
            },
        ),
        (webhook_deliveries, {"message_no": 1, "endpoint_id": "E-1", "attempts": 0, "next_at": OPENED}),
    ):
        conn.execute(insert(table).values(**values))
    subject = trail.customer_subject(ledger.hasher, WHO)
    trail.record(conn, LEAD, "customer.view", at=OPENED, subject=subject)
    trail.record(conn, LEAD, "case.view", at=OPENED, case_no=case_no)
    conn.exec_driver_sql("INSERT INTO watermarks VALUES ('customer', 'c5', 1), ('email', 'another', 1)")
    hashed = ledger.hasher.customer(WHO) or ""
    repository.note_request(conn, "export", hashed, at=OPENED, staff_id="lead-1", content={})
    conn.exec_driver_sql(f"INSERT INTO erasures VALUES ('{hashed}', 1)")
    return case_no

"""What other systems are told of a case, by webhooks."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from serving.cases.repository import Case
from serving.clock import iso
from serving.hooks import outbox


def tell_opened(conn: Connection, case: Case, because: str, now: int) -> None:
    """Somebody is to look at a return, for the first time or again."""
    outbox.put(conn, "case.opened", {**_ids(case), "opened_because": because, "due_at": iso(case.due_at)}, now)


def tell_closed(conn: Connection, case: Case, now: int) -> None:
    """A verdict stands, whoever gave it."""
    outbox.put(conn, "case.closed", {**_ids(case), "verdict": case.verdict}, now)


def tell_verdict(
    conn: Connection, case: Case, verdict: str, *, basis: str | None, abuse_type: str | None, now: int
) -> None:
    """A person has concluded."""
    content = {**_ids(case), "verdict": verdict, "abuse_type": abuse_type, "basis": basis}
    outbox.put(conn, "verdict.given", content, now)


def _ids(case: Case) -> dict[str, str]:
    return {"case_id": case.case_id, "return_id": case.return_id, "order_id": case.order_id}

"""Disputes: a customer does not agree, and another person looks again.

A dispute makes its case disputed, with a deadline and barred for who decided before (`serving.cases.concluding`). What
comes of it is the verdict with which the case is closed next; through the ledger it becomes a label. The return is
estimated again, for the moment at which it was asked for, by the model of today from the ledger of today: corrections
show, and what was found since about this very return does not. Nobody is refused anything on the strength of it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.identity import KeyHasher
from serving.audit import trail
from serving.audit.trail import CUSTOMER, SYSTEM
from serving.cases import concluding
from serving.cases import repository as cases
from serving.cases.reference import read_reference
from serving.cases.repository import Case
from serving.clock import iso
from serving.disputes import repository
from serving.disputes.repository import Dispute
from serving.disputes.schemas import DisputeRequest
from serving.notices.terms import DISPUTE_DAYS
from serving.problems import Conflict, NotFound, clash
from serving.restrictions.service import lift_of_case

#: Estimates the risk of a return again; None where there is no model.
Rescore = Callable[[Connection, str], float | None]

_UNKNOWN: Final = "There is no such dispute."
_NO_CASE: Final = "There is no case of that reference."


def receive(conn: Connection, request: DisputeRequest, *, rescore: Rescore, now: int) -> Dispute:
    """The dispute of a request; the one that there is, if the same was sent before.

    Raises:
        NotFound: no case has that reference, whatever it looks like.
        Conflict: the id is known with other content, or the time to dispute is over.
    """
    reference = read_reference(request.reference)
    case = None if reference is None else cases.find(conn, reference)
    if case is None:
        raise NotFound(_NO_CASE)
    digest = _digest(case.case_id, request.words)
    earlier = _earlier(conn, request, case, digest)
    if earlier is not None:
        return earlier
    _in_time(conn, case, now)
    verdict_before = case.verdict
    risk_before = case.risk if case.risk is not None else repository.assessed_risk(conn, case.return_id)
    case = concluding.dispute(conn, CUSTOMER, case, now=now)
    dispute = Dispute(
        request.dispute_id or f"D-{secrets.token_hex(10)}",
        case.case_no,
        now,
        request.words,
        digest,
        verdict_before,
        case.due_at,
        risk_before=_json(risk_before),
        risk_after=_json(rescore(conn, case.return_id)),
    )
    repository.add(conn, dispute)
    content = {"dispute_id": dispute.dispute_id, "due_at": dispute.due_at, "verdict_before": verdict_before}
    trail.record(conn, CUSTOMER, "customer.dispute", at=now, case_no=case.case_no, content=content)
    return dispute


def settle(conn: Connection, *, now: int, hasher: KeyHasher) -> int:
    """Note what came of disputes whose cases have been closed since; gives how many there were.

    A restriction that rested on a verdict that no longer stands ends with it.
    """
    found = repository.ended(conn)
    for each in found:
        stays = each.verdict == (each.verdict_before or "abuse_confirmed")
        outcome = "upheld" if stays else "changed"
        repository.decide(conn, each.dispute_id, outcome, by=each.closed_by, at=each.closed_at)
        content = {"dispute_id": each.dispute_id, "outcome": outcome}
        trail.record(conn, SYSTEM, "system.dispute_decided", at=now, case_no=each.case_no, content=content)
        if each.verdict != "abuse_confirmed":
            lift_of_case(conn, SYSTEM, each.case_no, now=now, hasher=hasher)
    return len(found)


def show(conn: Connection, dispute_id: str) -> dict[str, Any]:
    """How a dispute stands, as the answer has it.

    Raises:
        NotFound: there is none of that id.
    """
    dispute = repository.find(conn, dispute_id)
    case = None if dispute is None else cases.find_no(conn, dispute.case_no)
    if dispute is None or case is None:
        raise NotFound(_UNKNOWN)
    return told(dispute, case.case_id)


def told(dispute: Dispute, reference: str) -> dict[str, Any]:
    """A dispute as the answer has it."""
    return {
        "dispute_id": dispute.dispute_id,
        "reference": reference,
        "status": "received" if dispute.decided_at is None else "decided",
        "received_at": iso(dispute.received_at),
        "due_at": iso(dispute.due_at),
        "decided_at": None if dispute.decided_at is None else iso(dispute.decided_at),
        "outcome": dispute.outcome,
    }


def _earlier(conn: Connection, request: DisputeRequest, case: Case, digest: str) -> Dispute | None:
    """The dispute that was received before with the same id, or without one with the same words."""
    if request.dispute_id is None:
        return next((each for each in repository.of_case(conn, case.case_no) if each.digest == digest), None)
    known = repository.find(conn, request.dispute_id)
    if known is not None and known.digest != digest:
        raise clash("this dispute is known with other content", "dispute_id")
    return known


def _in_time(conn: Connection, case: Case, now: int) -> None:
    """What is still open can always be disputed; what was concluded, for as long as the latest notice said."""
    if not case.is_closed:
        return
    begins = max(repository.last_notice(conn, case.case_no) or 0, case.closed_at or 0)
    if now > begins + DISPUTE_DAYS * DAY:
        raise Conflict(
            f"reference: the time to dispute this here was over {DISPUTE_DAYS} days after the last notice;"
            " a member of staff can still open the case"
        )


def _digest(case_id: str, words: str) -> str:
    content = orjson.dumps([case_id, words])
    return hashlib.blake2b(content, digest_size=16, person=b"dispute").hexdigest()


def _json(risk: float | None) -> str | None:
    return None if risk is None else orjson.dumps(risk).decode()

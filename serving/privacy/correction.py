"""Corrections that a person may ask for.

What can be wrong and is put right here: an order that is booked to the wrong customer, and what an inspection saw. A
verdict is corrected by another one (the case is opened again, or disputed). The trail says what was corrected and by
whom, and names customers by keyed hash only.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine import Connection

from features.ledger import corrections, erasure, vocabulary
from features.ledger.corrections import CorrectionError
from features.ledger.identity import KeyHasher
from features.ledger.sql import execute
from serving.audit import trail
from serving.audit.trail import Actor
from serving.privacy import repository
from serving.problems import Forbidden, wrong
from serving.staff.permissions import may


def reassign_order(
    conn: Connection, actor: Actor, order_id: str, customer_id: str, *, hasher: KeyHasher, now: int
) -> str:
    """Book an order, its returns and the cases about them to another customer; gives the former customer's id.

    Notices that were sent and assessments that were made stay with whom they were about then.

    Raises:
        Forbidden: the role may not do this.
        Invalid: there is no such order, it is theirs already, or somebody in it was erased.
    """
    _require(actor)
    if erasure.is_pseudonym(customer_id) or erasure.is_pseudonym(order_id):
        raise wrong("stands for somebody who was erased", "customer_id")
    try:
        former = corrections.reassign_order(conn, order_id, customer_id)
    except CorrectionError as error:
        raise wrong(error.message, error.field) from None
    execute(
        conn,
        "UPDATE cases SET customer_id = ?, revision = revision + 1 WHERE order_id = ? AND customer_id = ?",
        (customer_id, order_id, former),
    )
    for whose, other, direction in ((former, customer_id, "from"), (customer_id, former, "to")):
        content = {"what": "order", "direction": direction, "other": hasher.customer(other)}
        _note(conn, actor, whose, content, hasher=hasher, now=now)
    return former


def correct_finding(
    conn: Connection,
    actor: Actor,
    customer_id: str,
    return_id: str,
    *,
    inspected_at: int,
    line_id: str,
    finding: str,
    hasher: KeyHasher,
    now: int,
) -> str:
    """Put right what an inspection of a customer's return saw; gives what it had said.

    Raises:
        Forbidden: the role may not do this.
        Invalid: there is no such inspection of a return of this customer, it says so already, or no such finding.
    """
    _require(actor)
    if finding not in vocabulary.FINDINGS:
        raise wrong(f"must be one of {', '.join(vocabulary.FINDINGS)}", "finding")
    if return_id not in erasure.traces(conn, customer_id).returns:
        raise wrong("there is no such return of this customer", "return_id")
    try:
        former = corrections.correct_finding(conn, return_id, inspected_at, line_id, finding)
    except CorrectionError as error:
        raise wrong(error.message, error.field) from None
    content = {"what": "finding", "former": former, "finding": finding}
    _note(conn, actor, customer_id, content, hasher=hasher, now=now)
    return former


def _note(
    conn: Connection, actor: Actor, customer_id: str, content: Mapping[str, str | None], *, hasher: KeyHasher, now: int
) -> None:
    subject = hasher.customer(customer_id) or ""
    repository.note_request(conn, "correction", subject, at=now, staff_id=actor.staff_id, content=content)
    trail.record(
        conn,
        actor,
        "customer.correct",
        at=now,
        subject=trail.customer_subject(hasher, customer_id),
        content=content,
    )


def _require(actor: Actor) -> None:
    if not actor.is_staff or actor.role is None or not may(actor.role, "customer.correct"):
        raise Forbidden("The role may not do this (customer.correct).")

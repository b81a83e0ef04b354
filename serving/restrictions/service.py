"""Restrictions of a customer: refunds wait for a look at the goods, for a time that is written down.

A restriction rests on a case with the verdict `abuse_confirmed`, ends by itself, and refuses nothing: the policy asks
for an inspection where it would otherwise have refunded at once. It is lifted with the verdict that it rests on.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.identity import KeyHasher
from serving.audit import trail
from serving.audit.trail import Actor
from serving.problems import Conflict, Forbidden, NotFound, clash, wrong
from serving.restrictions import repository
from serving.restrictions.repository import Restriction, is_restricted
from serving.staff.permissions import may

__all__ = ["KIND", "MOST_DAYS", "is_restricted", "lift", "lift_of_case", "restrict"]

KIND: Final = "inspect_first"
#: No restriction lasts longer; another one needs another confirmed case.
MOST_DAYS: Final = 180


def restrict(
    conn: Connection,
    actor: Actor,
    case_no: int,
    *,
    until: int,
    now: int,
    hasher: KeyHasher,
    start: int | None = None,
) -> Restriction:
    """A new restriction of the customer of a case, from `start` (or now) to `until`, in microseconds since 1970 UTC.

    Raises:
        Forbidden: the role may not do this.
        NotFound: there is no such case.
        Conflict: the case is not closed with a confirmed verdict, or the customer is restricted at that time already.
        Invalid: it would end before it begins, begin in the past, or last too long.
    """
    _require(actor, "restriction.set")
    case = repository.ground(conn, case_no)
    if case is None:
        raise NotFound("There is no case of that number.")
    if case.state != "closed" or case.verdict != "abuse_confirmed":
        raise Conflict("a restriction rests on a case that was closed with a confirmed verdict; this one was not")
    start = now if start is None else start
    if start < now:
        raise wrong("lies in the past", "from")
    if until <= start:
        raise wrong("must be later than the beginning", "until")
    if until - start > MOST_DAYS * DAY:
        raise wrong(f"must be at most {MOST_DAYS} days after the beginning", "until")
    for other in repository.of_customer(conn, case.customer_id):
        ends = other.until_at if other.lifted_at is None else min(other.until_at, other.lifted_at)
        if other.from_at < until and start < ends:
            raise clash("this customer is restricted at that time already", "from")
    assert actor.staff_id is not None
    made = Restriction(secrets.token_hex(12), case.customer_id, KIND, case_no, start, until, actor.staff_id, None, None)
    repository.add(conn, made)
    trail.record(
        conn,
        actor,
        "restriction.set",
        at=now,
        case_no=case_no,
        subject=trail.customer_subject(hasher, case.customer_id),
        content={"restriction_id": made.restriction_id, "from_at": start, "until_at": until},
    )
    return made


def lift(conn: Connection, actor: Actor, restriction_id: str, *, now: int, hasher: KeyHasher) -> Restriction:
    """End a restriction before its time; one that has ended stays as it is.

    Raises:
        Forbidden: the role may not do this.
        NotFound: there is no such restriction.
    """
    _require(actor, "restriction.lift")
    found = repository.find(conn, restriction_id)
    if found is None:
        raise NotFound("There is no restriction of that id.")
    if found.lifted_at is not None or found.until_at <= now:
        return found
    return _lift(conn, actor, found, now, hasher)


def lift_of_case(conn: Connection, actor: Actor, case_no: int, *, now: int, hasher: KeyHasher) -> int:
    """End what rests on a case whose verdict no longer stands; gives how many there were."""
    case = repository.ground(conn, case_no)
    found = [] if case is None else repository.of_customer(conn, case.customer_id)
    resting = [each for each in found if each.case_no == case_no and each.lifted_at is None and each.until_at > now]
    for each in resting:
        _lift(conn, actor, each, now, hasher)
    return len(resting)


def _lift(conn: Connection, actor: Actor, found: Restriction, now: int, hasher: KeyHasher) -> Restriction:
    repository.lift(conn, found.restriction_id, actor.staff_id, now)
    trail.record(
        conn,
        actor,
        "restriction.lift",
        at=now,
        case_no=found.case_no,
        subject=trail.customer_subject(hasher, found.customer_id),
        content={"restriction_id": found.restriction_id},
    )
    return found._replace(lifted_at=now, lifted_by=actor.staff_id)


def _require(actor: Actor, operation: str) -> None:
    if not actor.is_staff or actor.role is None or not may(actor.role, operation):
        raise Forbidden(f"The role may not do this ({operation}).")

"""What a person may ask for: all that is stored, and to be erased.

Finding everything may take longer than the event loop can spare, so each is planned in a thread, and done in the
transaction of the writer, where what stands against it is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from features.ledger import erasure
from features.ledger.identity import KeyHasher
from serving.audit import trail
from serving.audit.trail import Actor
from serving.privacy import repository
from serving.privacy.person import Person, find_person
from serving.privacy.repository import Hold
from serving.problems import Conflict, Forbidden, NotFound
from serving.staff.permissions import may


class Held(Conflict):
    """The person cannot be erased yet; `holds` says what has to be over first."""

    slug = "held"
    title = "Not yet"

    def __init__(self, holds: list[Hold]) -> None:
        listed = ", ".join(f"{hold.kind} {hold.reference}" for hold in holds)
        super().__init__(f"This customer cannot be erased while something stands open: {listed}.")
        self.holds = tuple(holds)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would reach.

    Attributes:
        person: all under which the customer is found.
        shared_keys: e-mails, addresses, cards and devices that another customer has used, too: their hashes stay.
        holds: what has to be over first.
        last_message: number of the latest outbound message that was looked at.
    """

    person: Person
    shared_keys: int
    holds: tuple[Hold, ...]
    last_message: int


@dataclass(frozen=True, slots=True)
class Done:
    """What an erasure did: names replaced, and rows deleted or emptied by table."""

    orders: int
    returns: int
    keys_replaced: int
    keys_shared: int
    removed: Mapping[str, int]


def note_export(
    conn: Connection, actor: Actor, person: Person, counts: Mapping[str, int], *, now: int, is_for_person: bool = True
) -> None:
    """Keep that everything about a person was handed out.

    Raises:
        Forbidden: the role may not do this.
    """
    _require(actor, "customer.export")
    repository.note_request(
        conn, "export", person.customer_hash, at=now, staff_id=actor.staff_id, content={"rows": dict(counts)}
    )
    trail.record(
        conn,
        actor,
        "customer.export",
        at=now,
        subject=person.subject,
        content={"rows": sum(counts.values()), "for_person": is_for_person},
    )


def plan_erasure(conn: Connection, hasher: KeyHasher, customer_id: str, *, now: int) -> Plan:
    """What an erasure would reach. Not for the event loop."""
    last = repository.last_message(conn)
    person = find_person(conn, hasher, customer_id)
    shared = len(erasure.traces(conn, customer_id).shared)
    return Plan(person, shared, tuple(repository.holds(conn, customer_id, now)), last)


def erase(conn: Connection, actor: Actor, plan: Plan, *, hasher: KeyHasher, now: int) -> Done:
    """Erase a person; see `features.ledger.erasure`. What was derived into files is the caller's to remove.

    Raises:
        Forbidden: the role may not do this.
        NotFound: nothing is known of the customer.
        Held: something has to be over first.
    """
    _require(actor, "customer.erase")
    customer_id = plan.person.customer_id
    held = repository.holds(conn, customer_id, now)
    if held:
        raise Held(held)
    person = find_person(conn, hasher, customer_id, messages_after=plan.last_message)
    if not person.is_known or erasure.is_pseudonym(customer_id):
        raise NotFound("Nothing is known of this customer.")
    with erasure.overwriting(conn):
        erased = erasure.erase(conn, customer_id, subject=person.customer_hash, at=now)
        removed = repository.erase(conn, erased, (*plan.person.message_nos, *person.message_nos))
        repository.forget_asked(conn, person.customer_hash)
    done = Done(len(erased.orders), len(erased.returns), erased.keys_replaced, erased.keys_shared, removed)
    content = {
        "orders": done.orders,
        "returns": done.returns,
        "keys_replaced": done.keys_replaced,
        "keys_shared": done.keys_shared,
        "removed": dict(removed),
    }
    repository.note_request(conn, "erasure", person.customer_hash, at=now, staff_id=actor.staff_id, content=content)
    trail.record(conn, actor, "customer.erase", at=now, subject=person.subject, content=content)
    return done


def _require(actor: Actor, operation: str) -> None:
    if not actor.is_staff or actor.role is None or not may(actor.role, operation):
        raise Forbidden(f"The role may not do this ({operation}).")

"""Taking a shop's messages into the ledger, by the same way as `POST /v1/events`.

A shop sends what it has over and over, in any order, and gives up on a receiver that refuses too often. So nothing that
is signed is answered with an error: what repeats is a duplicate, what came before its order waits for it, and what says
otherwise than before is left aside and told, because the ledger keeps what was known first.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.identity import KeyHasher
from features.ledger.sql import execute
from serving.events import service as events
from serving.events.schemas import OWN_TIME, EventsRequest
from serving.privacy import asking as asking_of_people
from serving.problems import Conflict, Invalid, Problem, from_validation
from serving.shops import repository
from serving.shops.connections import note_shop_asks
from serving.shops.reading import Mapped, Reading

_log = logging.getLogger(__name__)

#: So long an event waits for its order.
WAITS_US: Final = 30 * DAY

ACCEPTED: Final = "accepted"
DUPLICATE: Final = "duplicate"
CHANGED: Final = "changed"
WAITING: Final = "waiting"
REFUSED: Final = "refused"
ASKED: Final = "asked"


class ShopAnswer(BaseModel):
    """Answer of `POST /v1/shops/{connection_id}`, given once what was taken is durable."""

    accepted: int = Field(0, description="Events that are new in the ledger.")
    duplicates: int = Field(0, description="Events that it had already.")
    changed: int = Field(0, description="Events that say otherwise than what the ledger has; it keeps what it had.")
    waiting: int = Field(0, description="Events that wait for their order.")
    refused: int = Field(0, description="Events that do not fit the ledger.")
    asked: int = Field(0, description="Customers whose data are asked for, or to be erased: people see to it.")
    notes: list[str] = Field(default_factory=list, description="What was left out, and why.")


@dataclass(slots=True)
class Taken:
    """What became of the events of a message."""

    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def answer(self) -> ShopAnswer:
        """The answer to the shop."""
        return ShopAnswer(
            accepted=self.counts[ACCEPTED],
            duplicates=self.counts[DUPLICATE],
            changed=self.counts[CHANGED],
            waiting=self.counts[WAITING],
            refused=self.counts[REFUSED],
            asked=self.counts[ASKED],
            notes=self.notes,
        )


def take(conn: Connection, connection_id: str, reading: Reading, *, now_us: int, hasher: KeyHasher) -> Taken:
    """Append what a message stands for; runs in an open transaction."""
    taken = Taken(notes=list(reading.notes))
    for asking in reading.asked:
        found = asking_of_people.take(conn, asking, connection_id, hasher=hasher, now=now_us)
        taken.counts[ASKED] += found
        if not found:
            taken.notes.append("nothing is stored of this customer")
    if reading.shop_asks:
        note_shop_asks(conn, connection_id, reading.shop_asks, now=now_us)
        taken.notes.append("an administrator is shown that everything of the shop is to be erased")
    for mapped in reading.events:
        _take_one(conn, connection_id, mapped, taken, now_us=now_us, hasher=hasher)
        if mapped.event["type"] == "order":
            for waited in repository.take_waiting(conn, connection_id, mapped.event["order_id"]):
                _take_one(conn, connection_id, waited, taken, now_us=now_us, hasher=hasher)
    return taken


def _take_one(
    conn: Connection, connection_id: str, mapped: Mapped, taken: Taken, *, now_us: int, hasher: KeyHasher
) -> None:
    event = mapped.event
    try:
        request = EventsRequest.model_validate({"events": [event]})
    except ValidationError as error:
        _refuse(taken, event["event_id"], from_validation(error, tags=OWN_TIME))
        return
    if event["type"] == "order" and repository.is_erased(
        conn, hasher, event["customer_id"], request.events[0].occurred_at
    ):
        taken.notes.append(f"{event['event_id']}: an order from before its customer was erased")
        return
    if event["type"] != "order" and not repository.has_order(conn, event["order_id"]):
        repository.forget_waiting(conn, now_us - WAITS_US)
        repository.wait(conn, connection_id, mapped, now_us)
        taken.counts[WAITING] += 1
        return
    if not mapped.own_time and repository.is_told(conn, event):
        taken.counts[DUPLICATE] += 1
        return
    execute(conn, "SAVEPOINT shop")
    try:
        answer = events.record(conn, request, now_us=now_us, hasher=hasher)
        taken.counts[ACCEPTED] += answer.accepted
        taken.counts[DUPLICATE] += answer.duplicates
    except (Conflict, Invalid) as problem:
        execute(conn, "ROLLBACK TO SAVEPOINT shop")
        _refuse(taken, event["event_id"], problem)
    execute(conn, "RELEASE SAVEPOINT shop")


def _refuse(taken: Taken, event_id: str, problem: Problem) -> None:
    outcome = CHANGED if isinstance(problem, Conflict) else REFUSED
    taken.counts[outcome] += 1
    taken.notes.append(f"{event_id}: {problem.message}")
    _log.info("an event of a shop was left aside (%s): %s", outcome, event_id)

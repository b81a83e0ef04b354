"""What people asked for through a shop: that their data be handed out, or erased.

Nothing is handed out or erased by a message. It is kept until somebody who may has done it, on the page of the
customer, and is gone by itself where nothing is stored of them any more. Whether something stands against it, such as
an open case, is asked there, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger import erasure
from features.ledger.identity import KeyHasher
from serving.audit import trail
from serving.audit.trail import SYSTEM
from serving.privacy import repository
from serving.privacy.repository import Open

Wish = Literal["export", "erasure"]
#: So long there is to answer: a month by law, and 30 days by what Shopify asks of those it tells.
ANSWERED_WITHIN_US: Final = 30 * DAY


@dataclass(frozen=True, slots=True)
class Asking:
    """A message that somebody asks for something.

    Attributes:
        wish: what they ask for.
        customer_ids: under which the shop may have told of them.
        order_ids: their orders, so that those they made as a guest are found.
    """

    wish: Wish
    customer_ids: tuple[str, ...]
    order_ids: tuple[str, ...]


def take(conn: Connection, asking: Asking, source: str, *, hasher: KeyHasher, now: int) -> int:
    """Keep what was asked for, for each customer that anything is known of; how many these are.

    The same again, while it is not done yet, changes nothing. What waits for orders of theirs is let go of.
    """
    if asking.wish == "erasure":
        repository.forget_waiting(conn, asking.order_ids)
    found = repository.known_customers(conn, asking.customer_ids, asking.order_ids)
    for customer_id in found:
        subject = hasher.customer(customer_id) or ""
        if any(each.wish == asking.wish for each in open_of(conn, subject)):
            continue
        content = {"customer_id": customer_id, "source": source}
        repository.note_request(conn, f"{asking.wish}_asked", subject, at=now, staff_id=None, content=content)
        trail.record(
            conn,
            SYSTEM,
            f"customer.ask_{asking.wish}",
            at=now,
            subject=trail.customer_subject(hasher, customer_id),
            content={"source": source},
        )
    return len(found)


def open_of(conn: Connection, subject: str) -> list[Open]:
    """What was asked for about the customer whose id has that keyed hash, and is not done yet."""
    return repository.open_requests(conn, subject)


def every_open(conn: Connection) -> list[Open]:
    """What was asked for and is not done yet, that which waits longest first."""
    return repository.open_requests(conn)


def names_of(customer_ids: Iterable[str | None]) -> tuple[str, ...]:
    """Ids under which somebody may be known, each once, without those of the erased."""
    return tuple(dict.fromkeys(each for each in customer_ids if each and not erasure.is_pseudonym(each)))

"""A customer as the tables know them: every name and number under which something of theirs is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from features.ledger import erasure
from features.ledger.append.lookups import select_in
from features.ledger.identity import KeyHasher
from features.ledger.sql import batches, rows
from serving.audit import trail
from serving.privacy.declarations import PERSONAL, Found

_MESSAGES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Person:
    """A customer id and what it leads to.

    Attributes:
        customer_hash: the keyed hash of the id.
        subject: under which the audit trail has it.
        keys: keyed hashes of e-mail, address, payment and device of their orders.
        message_nos: outbound messages that name anything of theirs.
    """

    customer_id: str
    customer_hash: str
    subject: str
    order_nos: tuple[int, ...]
    order_ids: tuple[str, ...]
    return_ids: tuple[str, ...]
    assessment_ids: tuple[str, ...]
    case_nos: tuple[int, ...]
    case_ids: tuple[str, ...]
    keys: tuple[str, ...]
    message_nos: tuple[int, ...]

    @property
    def is_known(self) -> bool:
        """Whether anything that happened is known of them."""
        return bool(self.order_nos or self.return_ids or self.case_nos)

    def values(self, found: Found) -> tuple[Any, ...]:
        """What the rows of a table are found by."""
        value = getattr(self, found)
        return value if isinstance(value, tuple) else (value,)


def find_person(conn: Connection, hasher: KeyHasher, customer_id: str, *, messages_after: int = 0) -> Person:
    """Everything under which a customer is found. Reads all outbound messages beyond number `messages_after`, and is
    not for the event loop if they are many."""
    traces = erasure.traces(conn, customer_id)
    return_ids = traces.returns
    assessed = [
        row[0] for row in select_in(conn, "SELECT assessment_id FROM assessments WHERE return_id IN", return_ids)
    ]
    cases = rows(conn, "SELECT case_no, case_id FROM cases WHERE customer_id = ? ORDER BY case_no", (customer_id,))
    case_nos = tuple(row[0] for row in cases)
    case_ids = tuple(row[1] for row in cases)
    disputes = [row[0] for row in select_in(conn, "SELECT dispute_id FROM disputes WHERE case_no IN", case_nos)]
    notices = [row[0] for row in rows(conn, "SELECT notice_id FROM notices WHERE customer_id = ?", (customer_id,))]
    names = {customer_id, *traces.orders, *return_ids, *assessed, *case_ids, *disputes, *notices}
    return Person(
        customer_id,
        hasher.customer(customer_id) or "",
        trail.customer_subject(hasher, customer_id),
        tuple(traces.orders.values()),
        tuple(traces.orders),
        return_ids,
        tuple(assessed),
        case_nos,
        case_ids,
        tuple(key for _, key in (*traces.own, *traces.shared)),
        tuple(messages_about(conn, names, messages_after)),
    )


def messages_about(conn: Connection, names: Iterable[str], after: int = 0) -> Iterator[int]:
    """Numbers of the outbound messages beyond number `after` that name one of `names` anywhere in their content."""
    wanted = frozenset(names)
    sql = f"SELECT message_no, content FROM webhook_messages WHERE message_no > {int(after)} ORDER BY message_no"
    for batch in batches(conn, sql, _MESSAGES):
        for number, content in batch:
            if not wanted.isdisjoint(_texts(orjson.loads(content))):
                yield number


def rows_of(conn: Connection, person: Person, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a table that belong to a person, each once, in the order of the table's keys."""
    found: dict[tuple[Any, ...], None] = {}
    for column, by in PERSONAL[table].ways:
        statement = f"SELECT {', '.join(columns)} FROM {table} WHERE {column} IN"
        values = [value for value in person.values(by) if value not in ("", None)]
        found.update(dict.fromkeys(tuple(row) for row in select_in(conn, statement, values)))
    return list(found)


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)

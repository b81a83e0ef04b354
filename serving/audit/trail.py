"""Writing and reading the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import orjson
from sqlalchemy.engine import Connection

from features.ledger.identity import KeyHasher
from features.ledger.sql import execute, rows

_COLUMNS: Final = (
    "at",
    "actor_kind",
    "staff_id",
    "role",
    "operation",
    "case_no",
    "subject",
    "risk_shown",
    "content",
)
_RECORD: Final = f"INSERT INTO audit ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_READ: Final = f"SELECT audit_no, {', '.join(_COLUMNS)} FROM audit"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a member of staff, a customer (over the API), or the service itself."""

    kind: Literal["staff", "customer", "system"]
    staff_id: str | None = None
    role: str | None = None
    name: str = ""

    @property
    def is_staff(self) -> bool:
        """Whether it is a person of the staff."""
        return self.kind == "staff"


SYSTEM: Final = Actor("system")
CUSTOMER: Final = Actor("customer")


class Entry(NamedTuple):
    """A row of the trail; `at` in microseconds since 1970 UTC."""

    audit_no: int
    at: int
    actor_kind: str
    staff_id: str | None
    role: str | None
    operation: str
    case_no: int | None
    subject: str | None
    risk_shown: bool | None
    content: dict[str, Any]


def record(
    conn: Connection,
    actor: Actor,
    operation: str,
    *,
    at: int,
    case_no: int | None = None,
    subject: str | None = None,
    risk_shown: bool | None = None,
    content: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry, in the transaction of what it tells of.

    `content` holds codes, ids and numbers: what a person wrote, and anything about a customer, stays in the tables that
    erasure and retention reach. `subject` is "kind:id"; of a customer the keyed hash.
    """
    execute(
        conn,
        _RECORD,
        (
            at,
            actor.kind,
            actor.staff_id,
            actor.role,
            operation,
            case_no,
            subject,
            None if risk_shown is None else int(risk_shown),
            orjson.dumps(dict(content or {}), option=orjson.OPT_SORT_KEYS).decode(),
        ),
    )


def customer_subject(hasher: KeyHasher, customer_id: str) -> str:
    """The `subject` of a customer, which tells who it is only to the holder of the key who asks for that customer."""
    return f"customer:{hasher.customer(customer_id)}"


def of_case(conn: Connection, case_no: int) -> list[Entry]:
    """All entries of a case, oldest first."""
    return _entries(rows(conn, f"{_READ} WHERE case_no = ? ORDER BY audit_no", (case_no,)))


def of_subject(conn: Connection, subject: str, *, at_most: int = 200) -> list[Entry]:
    """The latest entries about something else than a case, newest first."""
    return _entries(rows(conn, f"{_READ} WHERE subject = ? ORDER BY audit_no DESC LIMIT ?", (subject, at_most)))


def _entries(found: list[tuple[Any, ...]]) -> list[Entry]:
    return [Entry._make((*row[:8], None if row[8] is None else bool(row[8]), orjson.loads(row[9]))) for row in found]

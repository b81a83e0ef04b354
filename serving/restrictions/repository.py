"""SQL of the restrictions."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows

_COLUMNS: Final = (
    "restriction_id",
    "customer_id",
    "kind",
    "case_no",
    "from_at",
    "until_at",
    "made_by",
    "lifted_at",
    "lifted_by",
)
_LISTED: Final = ", ".join(_COLUMNS)
_IN_FORCE: Final = "from_at <= ? AND until_at > ? AND (lifted_at IS NULL OR lifted_at > ?)"


class Restriction(NamedTuple):
    """A row; times in microseconds since 1970 UTC. It holds from `from_at` to before `until_at`, unless lifted."""

    restriction_id: str
    customer_id: str
    kind: str
    case_no: int
    from_at: int
    until_at: int
    made_by: str
    lifted_at: int | None
    lifted_by: str | None

    def holds(self, at: int) -> bool:
        """Whether it is in force at a moment."""
        return self.from_at <= at < self.until_at and (self.lifted_at is None or at < self.lifted_at)


class GroundCase(NamedTuple):
    """What a restriction needs to know of the case that it rests on."""

    case_no: int
    customer_id: str
    state: str
    verdict: str | None


def is_restricted(conn: Connection, customer_id: str, at: int) -> bool:
    """Whether a restriction of the customer is in force at a moment."""
    return bool(
        rows(
            conn, f"SELECT 1 FROM restrictions WHERE customer_id = ? AND {_IN_FORCE} LIMIT 1", (customer_id, *[at] * 3)
        )
    )


def find(conn: Connection, restriction_id: str) -> Restriction | None:
    """The restriction of that id."""
    found = rows(conn, f"SELECT {_LISTED} FROM restrictions WHERE restriction_id = ?", (restriction_id,))
    return Restriction(*found[0]) if found else None


def of_customer(conn: Connection, customer_id: str) -> list[Restriction]:
    """All restrictions that the customer ever had, newest first."""
    found = rows(
        conn,
        f"SELECT {_LISTED} FROM restrictions WHERE customer_id = ? ORDER BY from_at DESC, restriction_id",
        (customer_id,),
    )
    return [Restriction(*row) for row in found]


def ground(conn: Connection, case_no: int) -> GroundCase | None:
    """The case of that number."""
    found = rows(conn, "SELECT case_no, customer_id, state, verdict FROM cases WHERE case_no = ?", (case_no,))
    return GroundCase(*found[0]) if found else None


def add(conn: Connection, restriction: Restriction) -> None:
    """Keep a new restriction."""
    execute(conn, f"INSERT INTO restrictions ({_LISTED}) VALUES ({', '.join('?' * len(_COLUMNS))})", restriction)


def lift(conn: Connection, restriction_id: str, staff_id: str | None, at: int) -> None:
    """Note that it ended before its time."""
    execute(
        conn,
        "UPDATE restrictions SET lifted_at = ?, lifted_by = ? WHERE restriction_id = ? AND lifted_at IS NULL",
        (at, staff_id, restriction_id),
    )

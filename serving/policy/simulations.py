"""Simulations that people ask for in the console: asked, made by a process of their own, and kept for who decides."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from features.ledger.sql import execute, rows
from serving.audit.trail import Actor, record
from serving.policy.publishing import PolicyRefused, require
from serving.policy.source import in_force, parsed

STRETCHES: Final = (90, 365)
#: At the same time, in the whole service: each takes a processor for a while.
MOST_AT_ONCE: Final = 2
#: A process that was not heard of for so long is gone.
SILENCE_US: Final = 120 * SECOND
KEPT_US: Final = 90 * DAY
_COLUMNS: Final = (
    "simulation_id, content, against, days, made_by, made_at, seen_at, done, total, ended_at, trouble, result"
)


class Stored(NamedTuple):
    """A simulation. Times in microseconds since 1970 UTC; `done` of `total` steps are made."""

    simulation_id: str
    content: str
    against: str
    days: int
    made_by: str
    made_at: int
    seen_at: int
    done: int
    total: int
    ended_at: int | None
    trouble: str | None
    result: str | None

    @property
    def found(self) -> dict[str, Any] | None:
        """What was found out: `serving.policy.told.document`; None while there is nothing."""
        found: dict[str, Any] | None = None if self.result is None else orjson.loads(self.result)
        return found

    def is_lost(self, now: int) -> bool:
        """Whether its process is gone without a word."""
        return self.ended_at is None and self.seen_at < now - SILENCE_US


def ask(conn: Connection, actor: Actor, text: str, days: int, now: int) -> str:
    """Keep the wish for a simulation of a policy against the one in force; gives its id.

    Raises:
        PolicyError: something in the text is wrong; names the line of each fault.
        PolicyRefused: too many are being made.
        Forbidden: the role may not do this.
    """
    require(actor, "policy.simulate")
    policy = parsed(text, "policy")
    going = "SELECT count(*) FROM policy_simulations WHERE ended_at IS NULL AND seen_at >= ?"
    if rows(conn, going, (now - SILENCE_US,))[0][0] >= MOST_AT_ONCE:
        raise PolicyRefused("policy.simulating_already")
    execute(conn, "DELETE FROM policy_simulations WHERE made_at < ?", (now - KEPT_US,))
    simulation_id = secrets.token_hex(12)
    execute(
        conn,
        "INSERT INTO policy_simulations (simulation_id, digest, content, against, days, made_by, made_at, seen_at,"
        " done, total) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
        (simulation_id, _digest(text), text, in_force(conn).text, days, actor.staff_id, now, now),
    )
    content = {"version": policy.version, "days": days}
    record(conn, actor, "policy.simulate", at=now, subject=f"policy_simulation:{simulation_id}", content=content)
    return simulation_id


def find(conn: Connection, simulation_id: str) -> Stored | None:
    """The simulation of that id."""
    found = rows(conn, f"SELECT {_COLUMNS} FROM policy_simulations WHERE simulation_id = ?", (simulation_id,))
    return Stored(*found[0]) if found else None


def latest_of(conn: Connection, text: str) -> Stored | None:
    """The latest simulation of a text that has a result."""
    of_text = "FROM policy_simulations WHERE digest = ? AND result IS NOT NULL ORDER BY made_at DESC LIMIT 1"
    found = rows(conn, f"SELECT {_COLUMNS} {of_text}", (_digest(text),))
    return Stored(*found[0]) if found else None


def beat(conn: Connection, simulation_id: str, done: int, total: int, now: int) -> None:
    """Note how far it is."""
    execute(
        conn,
        "UPDATE policy_simulations SET done = ?, total = ?, seen_at = ? WHERE simulation_id = ?",
        (done, total, now, simulation_id),
    )


def finish(conn: Connection, simulation_id: str, result: dict[str, Any], now: int) -> None:
    """Keep the result."""
    execute(
        conn,
        "UPDATE policy_simulations SET result = ?, ended_at = ?, seen_at = ? WHERE simulation_id = ?",
        (orjson.dumps(result).decode(), now, now, simulation_id),
    )


def fail(conn: Connection, simulation_id: str, trouble: str, now: int) -> None:
    """Note why there will be no result; one that has ended stays as it is."""
    execute(
        conn,
        "UPDATE policy_simulations SET trouble = ?, ended_at = ?, seen_at = ?"
        " WHERE simulation_id = ? AND ended_at IS NULL",
        (trouble, now, now, simulation_id),
    )


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"policy").digest()

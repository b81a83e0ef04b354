"""Proposing a policy, and publishing it by a second person.

Like all services these run in the caller's transaction. What was proposed, by whom and why stays; who decided is in the
audit trail, too, under `policy:NUMBER`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows
from serving.audit.trail import Actor, record
from serving.policy.faults import PolicyError
from serving.policy.policy import Policy
from serving.policy.source import default_policy, in_force_no, parsed
from serving.problems import Forbidden
from serving.refused import Refused
from serving.staff.permissions import may

Decided = Literal["published", "declined"]

LONGEST_WHY: Final = 2_000
_COLUMNS: Final = (
    "policy_no, version, content, why, proposed_by, proposed_at, decided_by, decided_at, decision, in_force_no"
)
_PROPOSE: Final = (
    "INSERT INTO policies (version, content, why, proposed_by, proposed_at, in_force_no) VALUES (?, ?, ?, ?, ?, ?)"
)


class PolicyRefused(Refused):
    """A policy is not proposed, published or declined."""


class Published(NamedTuple):
    """A policy that was proposed, and what became of it. Times in microseconds since 1970 UTC; `decision` is None while
    it is open; `in_force_no` is the policy that it was written to take the place of, None for the default one."""

    policy_no: int
    version: str
    content: str
    why: str
    proposed_by: str
    proposed_at: int
    decided_by: str | None
    decided_at: int | None
    decision: Decided | None
    in_force_no: int | None

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.decision is None


def find(conn: Connection, policy_no: int) -> Published | None:
    """The policy of that number."""
    found = rows(conn, f"SELECT {_COLUMNS} FROM policies WHERE policy_no = ?", (policy_no,))
    return Published(*found[0]) if found else None


def history(conn: Connection, *, at_most: int = 50, before: int | None = None) -> list[Published]:
    """The latest policies, newest proposal first; `before`: those of lesser numbers."""
    sql = f"SELECT {_COLUMNS} FROM policies WHERE policy_no < ? ORDER BY policy_no DESC LIMIT ?"
    return [Published(*row) for row in rows(conn, sql, (2**62 if before is None else before, at_most))]


def propose(conn: Connection, actor: Actor, text: str, why: str, now: int) -> Published:
    """Keep a policy for a second person to decide on.

    Raises:
        PolicyError: something in the text is wrong; names the line of each fault.
        PolicyRefused: its version is taken, nothing changes, or there is no reason.
        Forbidden: the role may not do this.
    """
    require(actor, "policy.propose")
    policy = parsed(text, "policy")
    why = why.strip()
    if not 1 <= len(why) <= LONGEST_WHY:
        raise PolicyRefused("policy.why_needed", "why", most=LONGEST_WHY)
    present = in_force_no(conn)
    _new_version(conn, policy)
    execute(conn, _PROPOSE, (policy.version, text, why, actor.staff_id, now, present))
    number = int(rows(conn, "SELECT max(policy_no) FROM policies")[0][0])
    _note(conn, actor, "policy.propose", "proposed", number, policy.version, now)
    return _found(conn, number)


def decide(conn: Connection, actor: Actor, policy_no: int, publish: bool, now: int) -> Published:
    """Publish a proposal, which then decides from the next request on, or decline it.

    Nobody publishes what they proposed themselves; they may take it back.

    Raises:
        PolicyRefused: there is no such proposal, somebody has decided, it is one's own, or another policy was published
            since it was written: what was looked at is no longer what would change.
        PolicyError: the text is not valid any more.
        Forbidden: the role may not do this.
    """
    found = _found(conn, policy_no)
    own = actor.staff_id == found.proposed_by
    require(actor, "policy.propose" if own and not publish else "policy.publish")
    if not found.is_open:
        raise PolicyRefused("policy.decided_already", version=found.version)
    if publish:
        if own:
            raise PolicyRefused("policy.own")
        _still_in_order(conn, found)
    decision: Decided = "published" if publish else "declined"
    execute(
        conn,
        "UPDATE policies SET decided_by = ?, decided_at = ?, decision = ? WHERE policy_no = ? AND decision IS NULL",
        (actor.staff_id, now, decision, policy_no),
    )
    _note(conn, actor, "policy.propose" if own else "policy.publish", decision, policy_no, found.version, now)
    return _found(conn, policy_no)


def of_version(conn: Connection, version: str) -> Policy | None:
    """The policy that an answer names, if it is still known: a published one, or the default one."""
    default = default_policy()
    if version == default.version:
        return default
    sql = "SELECT content FROM policies WHERE version = ? AND decision = 'published' ORDER BY policy_no DESC LIMIT 1"
    found = rows(conn, sql, (version,))
    try:
        return parsed(found[0][0], f"policy {version}") if found else None
    except PolicyError:
        return None


def _still_in_order(conn: Connection, found: Published) -> None:
    if in_force_no(conn) != found.in_force_no:
        raise PolicyRefused("policy.another_since", version=found.version)
    parsed(found.content, "policy")


def _new_version(conn: Connection, policy: Policy) -> None:
    """Answers name a version, and the draws follow it: no two texts may share one."""
    taken = rows(
        conn,
        "SELECT 1 FROM policies WHERE version = ? AND (decision IS NULL OR decision = 'published') LIMIT 1",
        (policy.version,),
    )
    if taken or policy.version == default_policy().version:
        raise PolicyRefused("policy.version_taken", "text", version=policy.version)


def _found(conn: Connection, policy_no: int) -> Published:
    found = find(conn, policy_no)
    if found is None:
        raise PolicyRefused("policy.unknown", number=policy_no)
    return found


def _note(conn: Connection, actor: Actor, operation: str, what: str, number: int, version: str, now: int) -> None:
    record(conn, actor, operation, at=now, subject=f"policy:{number}", content={"what": what, "version": version})


def require(actor: Actor, operation: str) -> None:
    """Holds that a member of staff may do something.

    Raises:
        Forbidden: they may not.
    """
    if not actor.is_staff or actor.staff_id is None or not may(actor.role or "", operation):
        raise Forbidden(f"Your role may not do this ({operation}).")

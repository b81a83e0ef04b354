"""What every step has in common: it starts from the case as it stands, is allowed, possible and not stale, changes the
case once, and leaves an entry in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from features.ledger.sql import rows
from serving.audit.trail import SYSTEM, Actor, Entry, of_case, record
from serving.cases import repository
from serving.cases.errors import Held, NotPossible, Stale
from serving.cases.permitted import OPERATIONS, demand, operation_of
from serving.cases.repository import Case
from serving.cases.states import SAME, TRANSITIONS, State, Step, after, is_possible
from serving.cases.terms import CLAIM_US
from serving.problems import NotFound

#: Whoever did one of these has seen the risk, or sees it from then on.
_SAW: Final = (
    "SELECT 1 FROM audit WHERE case_no = ? AND staff_id = ? AND operation IN ('case.judge', 'case.see_risk') LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Started:
    """A step that may be taken: the case as it stands, and how the trail calls the step."""

    case: Case
    step: Step
    operation: str
    actor: Actor
    now: int


def start(
    conn: Connection,
    actor: Actor,
    case: Case,
    step: Step,
    *,
    revision: int | None,
    now: int,
    operation: str = "",
    alone: bool = True,
) -> Started:
    """Reads the case anew and says whether the step may be taken.

    Args:
        conn: of a transaction that writes.
        actor: who takes it.
        case: as it was read, perhaps in another transaction; only its number counts.
        step: see `serving.cases.states`.
        revision: that of the form; None for what is never stale, such as a note.
        now: microseconds since 1970 UTC.
        operation: of `serving.staff.permissions`, where it is not that of the step.
        alone: whether nobody else may have claimed the case.

    Raises:
        NotAllowed: not with this role.
        NotFound: there is no such case any more.
        Stale: somebody else has changed the case since.
        Held: somebody else has claimed it.
        NotPossible: not in the state in which the case is.
    """
    operation = operation or OPERATIONS.get(step, "")
    demand(actor, operation)
    stored = repository.find_no(conn, case.case_no)
    if stored is None:
        raise NotFound("There is no such case.")
    if revision is not None and revision != stored.revision:
        since = changes_by_others(conn, actor, stored, revision)
        if since:
            raise Stale(since)
    present = stored.as_of(now)
    if not is_possible(present.state, step):
        raise NotPossible(present.state, step)
    holder = present.held_by(now)
    if alone and actor.is_staff and holder not in (None, actor.staff_id):
        raise Held(holder, present.claim_until or now)
    if present is not stored:
        present = end_claim(conn, stored, now)
    return Started(present, step, operation, actor, now)


def finish(conn: Connection, started: Started, *, content: dict[str, Any] | None = None, **changes: Any) -> Case:
    """Writes the changes of a step, with where the case stands after it, and the entry of the trail."""
    before, actor, now = started.case, started.actor, started.now
    state, rests_in = after(before.state, before.rests_in, started.step)
    changes |= _claim(started, state)
    if state != before.state:
        changes |= {"state": state, "state_since": now}
    changes["rests_in"] = rests_in
    shown = has_seen_risk(conn, actor, before)
    case = repository.change(conn, before, **changes)
    record(
        conn,
        actor,
        operation_of(actor, started.step, started.operation),
        at=now,
        case_no=case.case_no,
        risk_shown=shown if actor.is_staff else None,
        content={"step": started.step, "state": case.state, "revision": case.revision, **(content or {})},
    )
    return case


def has_seen_risk(conn: Connection, actor: Actor, case: Case) -> bool:
    """Whether this person has judged the case, or asked for its risk: what they do then they do knowing it."""
    return actor.staff_id is not None and bool(rows(conn, _SAW, (case.case_no, actor.staff_id)))


def changes_by_others(conn: Connection, actor: Actor, case: Case, revision: int) -> list[Entry]:
    """What others have done to a case since a revision. That a claim has ended is no change that anybody minds."""
    return [
        entry
        for entry in of_case(conn, case.case_no)
        if entry.content.get("revision", 0) > revision
        and entry.content.get("step") != "lapse"
        and (entry.staff_id != actor.staff_id or not actor.is_staff)
    ]


def end_claim(conn: Connection, stored: Case, now: int) -> Case:
    """Writes that a claim has ended for want of activity. That it had is no news to `Case.as_of`."""
    case = stored.as_of(now)
    case = repository.change(
        conn, stored, state=case.state, state_since=case.state_since, rests_in=case.rests_in, **_NOBODY
    )
    content = {"step": "lapse", "state": case.state, "staff_id": stored.claimed_by, "revision": case.revision}
    record(conn, SYSTEM, "system.case.lapse", at=now, case_no=case.case_no, content=content)
    return case


_NOBODY: Final[dict[str, Any]] = {"claimed_by": None, "claimed_at": None, "claim_until": None}


def _claim(started: Started, state: State) -> dict[str, Any]:
    """Who has the case after a step: who works on it, for as long as they do."""
    before, actor, now = started.case, started.actor, started.now
    if state != "claimed":
        return _NOBODY if before.claimed_by is not None else {}
    mine = before.claimed_by == actor.staff_id
    if not mine and TRANSITIONS[before.state, started.step] == SAME:
        return {}
    since = before.claimed_at if mine else now
    return {"claimed_by": actor.staff_id, "claimed_at": since, "claim_until": now + CLAIM_US}

"""What staff do with a case, one function a step.

Each takes (conn, actor, case, *, revision, now) and gives the case as it stands after it. `conn` is of a transaction
that writes, which the caller commits; `revision` is that of the form that was filled in; `now` is in microseconds since
1970 UTC. They raise what `serving.cases.steps.start` raises, and `Incomplete` where something is missing or does not
fit; nothing has been written then. `serving.cases.states` says what is possible when.
"""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

from sqlalchemy.engine import Connection

from features.ledger import vocabulary
from features.ledger.characters import FORBIDDEN_PATTERN
from features.ledger.sql import rows
from serving.audit.trail import Actor, record
from serving.cases import lookers, records, repository
from serving.cases.concluding import MOST_AT_ONCE, clear_many, close, dispute, reopen
from serving.cases.errors import Incomplete, NotAllowed
from serving.cases.permitted import demand
from serving.cases.repository import Case
from serving.cases.steps import finish, has_seen_risk, start
from serving.cases.terms import current
from serving.cases.words import cleaned
from serving.staff.permissions import may

__all__ = [
    "MOST_AT_ONCE",
    "ask_second_opinion",
    "check",
    "claim",
    "clear_many",
    "close",
    "dispute",
    "find",
    "judge",
    "may_see_risk",
    "note",
    "release",
    "reopen",
    "resume",
    "show_risk",
    "view",
    "wait_for_customer",
    "wait_for_inspection",
    "withdraw_finding",
]

Judgement = Literal["no_concern", "unsure", "concern"]
JUDGEMENTS: Final[tuple[Judgement, ...]] = get_args(Judgement)
CheckResult = Literal["fine", "not_fine", "not_possible", "open"]
CHECK_RESULTS: Final[tuple[CheckResult, ...]] = get_args(CheckResult)
#: Longest name of an item of the checklist, in characters.
_LONGEST_ITEM: Final = 100


def view(conn: Connection, actor: Actor, case: Case, *, now: int) -> bool:
    """Notes that somebody looks at a case, and gives whether they may see its risk.

    Raises:
        NotAllowed: not with this role.
    """
    demand(actor, "case.view")
    shown = may_see_risk(conn, actor, case)
    record(conn, actor, "case.view", at=now, case_no=case.case_no, risk_shown=shown, content={})
    if shown and case.risk is not None:
        repository.note_shown(conn, case, now)
    lookers.note(conn, actor, case.case_no, now)
    return shown


def may_see_risk(conn: Connection, actor: Actor, case: Case) -> bool:
    """Whether the risk is shown to this person: after their own first judgement or on request, and once the case is
    closed. The evidence comes first."""
    if actor.role is None or not may(actor.role, "case.see_risk"):
        return False
    return case.is_closed or has_seen_risk(conn, actor, case)


def claim(conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int) -> Case:
    """Takes a case. It ends after an hour without activity; a lead may take a case over from somebody else."""
    over = actor.role is not None and may(actor.role, "case.release_others")
    started = start(conn, actor, case, "claim", revision=revision, now=now, alone=not over)
    holder = started.case.claimed_by
    taken = {"from": holder} if holder not in (None, actor.staff_id) else None
    if taken:
        return finish(conn, started, content=taken, claimed_at=now)
    return finish(conn, started)


def release(conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int) -> Case:
    """Gives a case back; a lead may give back somebody else's."""
    started = start(conn, actor, case, "release", revision=revision, now=now, alone=False)
    holder = started.case.claimed_by
    if holder != actor.staff_id:
        demand(actor, "case.release_others")
    return finish(conn, started, content={"from": holder} if holder != actor.staff_id else None)


def judge(conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int, judgement: str) -> Case:
    """Writes down a first judgement, on the evidence alone if the risk was not asked for. The risk shows after it."""
    if judgement not in JUDGEMENTS:
        raise Incomplete("judgement", "judgement", f"must be one of {', '.join(JUDGEMENTS)}")
    started = start(conn, actor, case, "judge", revision=revision, now=now)
    first: dict[str, Any] = {}
    if started.case.judged_at is None:
        first = {"judged_at": now, "judged_by": actor.staff_id, "judgement": judgement}
    if started.case.risk is not None and started.case.risk_shown_at is None and may(actor.role or "", "case.see_risk"):
        first["risk_shown_at"] = now
    return finish(conn, started, content={"judgement": judgement}, **first)


def show_risk(conn: Connection, actor: Actor, case: Case, *, now: int) -> Case:
    """Shows the risk before a judgement, and notes that it was asked for. No change: the revision stays."""
    demand(actor, "case.see_risk")
    stored = repository.find_no(conn, case.case_no) or case
    record(
        conn,
        actor,
        "case.see_risk",
        at=now,
        case_no=case.case_no,
        risk_shown=True,
        content={"step": "show_risk", "judged": _has_judged(conn, actor, case)},
    )
    return repository.note_shown(conn, stored, now)


def check(
    conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int, item: str, result: str
) -> Case:
    """Writes down the result of an item of the checklist; the latest counts."""
    if not 0 < len(item) <= _LONGEST_ITEM or FORBIDDEN_PATTERN.search(item):
        raise Incomplete("item", "item", "must be an item of the checklist")
    if result not in CHECK_RESULTS:
        raise Incomplete("result", "result", f"must be one of {', '.join(CHECK_RESULTS)}")
    started = start(conn, actor, case, "check", revision=revision, now=now)
    records.add_check(conn, case.case_no, actor.staff_id, now, item, result)
    return finish(conn, started, content={"item": item, "result": result})


def find(
    conn: Connection,
    actor: Actor,
    case: Case,
    *,
    revision: int | None,
    now: int,
    finding: str,
    line_id: str = "",
) -> Case:
    """Writes down what was seen of a line, or of the whole return. It goes to the ledger when the case is closed, and
    can be taken back until then. The same finding twice is one."""
    if finding not in vocabulary.FINDINGS:
        raise Incomplete("finding", "finding", f"must be one of {', '.join(vocabulary.FINDINGS)}")
    started = start(conn, actor, case, "find", revision=revision, now=now)
    if line_id and line_id not in _lines(conn, started.case):
        raise Incomplete("line", "line_id", "is no line of this return")
    known = records.standing(conn, case.case_no)
    if any((each.line_id, each.finding, each.sent_at) == (line_id, finding, None) for each in known):
        return finish(conn, started, content={"finding": finding, "line_id": line_id, "again": True})
    number = records.add_finding(conn, case.case_no, actor.staff_id, now, line_id, finding)
    return finish(conn, started, content={"finding_no": number, "finding": finding, "line_id": line_id})


def withdraw_finding(
    conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int, finding_no: int
) -> Case:
    """Takes one's own finding back, before it has gone to the ledger. It stays on record as taken back."""
    started = start(conn, actor, case, "withdraw_finding", revision=revision, now=now)
    mine = next((each for each in records.standing(conn, case.case_no) if each.finding_no == finding_no), None)
    if mine is None or mine.sent_at is not None:
        raise Incomplete("finding_gone", "finding_no", "is no finding that could still be taken back")
    if mine.staff_id != actor.staff_id:
        raise NotAllowed("case.find", "A finding is taken back by who wrote it down.")
    records.withdraw_finding(conn, finding_no, actor.staff_id, now)
    return finish(conn, started, content={"finding_no": finding_no, "finding": mine.finding, "line_id": mine.line_id})


def note(conn: Connection, actor: Actor, case: Case, *, now: int, words: str) -> Case:
    """Keeps somebody's words. Always possible, whoever has the case and whatever has changed."""
    words = cleaned(words, "words", needed=True)
    started = start(conn, actor, case, "note", revision=None, now=now, alone=False)
    records.add_note(conn, case.case_no, actor.staff_id, now, words)
    return finish(conn, started, content={"characters": len(words)})


def wait_for_customer(
    conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int, words: str = ""
) -> Case:
    """Waits for the customer's answer; the deadline is put off by what the policy says. `words` become a note."""
    return _wait(conn, actor, case, "wait_for_customer", revision, now, words)


def wait_for_inspection(
    conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int, words: str = ""
) -> Case:
    """Waits for the goods to be looked at. An inspection that arrives in the ledger ends it. `words` become a note."""
    return _wait(conn, actor, case, "wait_for_inspection", revision, now, words)


def resume(conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int) -> Case:
    """Ends a wait: the case is among those to be looked at again."""
    return finish(conn, start(conn, actor, case, "resume", revision=revision, now=now))


def ask_second_opinion(
    conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int, words: str = ""
) -> Case:
    """Asks for the verdict of somebody else. `words`, what makes one unsure, become a note."""
    words = cleaned(words, "words")
    started = start(conn, actor, case, "ask_second_opinion", revision=revision, now=now)
    if words:
        records.add_note(conn, case.case_no, actor.staff_id, now, words)
    before = started.case
    due_at = max(before.due_at, now + current(conn).second_opinion) if before.rests_in != "disputed" else before.due_at
    return finish(conn, started, not_by=" ".join(sorted(before.barred | {actor.staff_id or ""})).strip(), due_at=due_at)


def _wait(
    conn: Connection,
    actor: Actor,
    case: Case,
    step: Literal["wait_for_customer", "wait_for_inspection"],
    revision: int | None,
    now: int,
    words: str,
) -> Case:
    words = cleaned(words, "words")
    started = start(conn, actor, case, step, revision=revision, now=now)
    if words:
        records.add_note(conn, case.case_no, actor.staff_id, now, words)
    before, terms = started.case, current(conn)
    due_at = before.due_at
    if before.rests_in != "disputed":  # a dispute's deadline has been promised to the customer
        longer = terms.wait_customer if step == "wait_for_customer" else terms.wait_inspection
        due_at = max(due_at, min(now + longer, before.opened_at + terms.longest))
    seen = len(records.seen_in_ledger(conn, before.return_id))
    return finish(conn, started, due_at=due_at, inspections_seen=seen if step == "wait_for_inspection" else None)


def _lines(conn: Connection, case: Case) -> frozenset[str]:
    return frozenset(
        line for (line,) in rows(conn, "SELECT line_id FROM returns WHERE return_id = ?", (case.return_id,))
    )


def _has_judged(conn: Connection, actor: Actor, case: Case) -> bool:
    sql = "SELECT 1 FROM audit WHERE case_no = ? AND staff_id = ? AND operation = 'case.judge' LIMIT 1"
    return bool(rows(conn, sql, (case.case_no, actor.staff_id)))

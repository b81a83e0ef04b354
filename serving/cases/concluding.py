"""How a case ends, and how it begins again: verdicts, disputes, and deadlines that have passed.

A verdict that a person gave goes to the ledger, with the findings that it rests on, and becomes a label and part of the
customer's history. One that only a deadline gave does not: nobody looked (`docs/decisions/0007-cases-and-labels.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger import vocabulary
from features.ledger.identity import KeyHasher
from features.ledger.sql import execute
from serving import metrics
from serving.audit.trail import SYSTEM, Actor
from serving.cases import records, repository, sending
from serving.cases.errors import AnotherPerson, Incomplete, NotAllowed
from serving.cases.permitted import VERDICT_OPERATIONS, demand
from serving.cases.repository import Case
from serving.cases.steps import Started, finish, has_seen_risk, start
from serving.cases.telling import tell_closed, tell_opened, tell_verdict
from serving.cases.terms import current
from serving.cases.words import cleaned
from serving.problems import NotFound, Problem

#: What `abuse_confirmed` can rest on: something that was seen, traced or said.
EVIDENCE: Final = ("inspection", "carrier_trace", "admission")
#: Most cases that are cleared together.
MOST_AT_ONCE: Final = 200


class Cleared(NamedTuple):
    """What became of a case that was to be cleared with others: closed, or why it was left alone."""

    case_id: str
    problem: Problem | None


def close(
    conn: Connection,
    actor: Actor,
    case: Case,
    *,
    revision: int | None,
    now: int,
    hasher: KeyHasher,
    verdict: str,
    words: str = "",
    basis: str | None = None,
    abuse_type: str | None = None,
) -> Case:
    """Concludes a case: its findings and the verdict go to the ledger in the same transaction.

    `cleared` needs nothing more, unless something of concern was found: then a reason. `abuse_confirmed` needs a
    finding of concern or another recorded basis, and a reason. `basis` is worked out for `cleared` where none is given.

    Raises:
        NotAllowed: not with this role; only a person concludes.
        AnotherPerson: the case is disputed, or a second opinion was asked for, and this person has had their say.
        Incomplete: the verdict lacks what it needs.
        Problem: as `serving.cases.steps.start`.
    """
    if verdict not in VERDICT_OPERATIONS:
        raise Incomplete("verdict", "verdict", f"must be one of {', '.join(vocabulary.VERDICTS)}")
    operation = VERDICT_OPERATIONS[verdict]
    return _conclude(
        conn,
        actor,
        case,
        operation,
        revision=revision,
        now=now,
        hasher=hasher,
        verdict=verdict,
        words=words,
        basis=basis,
        abuse_type=abuse_type,
    )


def _conclude(
    conn: Connection,
    actor: Actor,
    case: Case,
    operation: str,
    *,
    revision: int | None,
    now: int,
    hasher: KeyHasher,
    verdict: str,
    words: str,
    basis: str | None = None,
    abuse_type: str | None = None,
) -> Case:
    if not actor.is_staff:
        raise NotAllowed(operation)
    started = start(conn, actor, case, "close", revision=revision, now=now, operation=operation)
    present = started.case
    if actor.staff_id in present.barred:
        raise AnotherPerson(operation)
    concern = records.has_concern(conn, present.case_no, present.return_id)
    words = cleaned(words, "words", needed=verdict == "abuse_confirmed" or (verdict == "cleared" and concern))
    basis = _basis(conn, present, verdict, basis, concern)
    if abuse_type is not None and (verdict != "abuse_confirmed" or abuse_type not in vocabulary.ABUSE_TYPES):
        raise Incomplete(
            "abuse_type", "abuse_type", f"must be one of {', '.join(vocabulary.ABUSE_TYPES)}, if abuse is confirmed"
        )
    records.add_verdict(
        conn,
        present.case_no,
        actor.staff_id,
        now,
        verdict,
        abuse_type=abuse_type,
        basis=basis,
        words=words,
        risk_shown=has_seen_risk(conn, actor, present),
        second_opinion=present.rests_in != "open",
    )
    sending.send_findings(conn, present, now=now, hasher=hasher)
    sending.send_verdict(conn, present, verdict, basis=basis, abuse_type=abuse_type, now=now, hasher=hasher)
    closed = _closed(conn, started, verdict, {"basis": basis, "abuse_type": abuse_type})
    tell_verdict(conn, closed, verdict, basis=basis, abuse_type=abuse_type, now=now)
    return closed


def clear_many(
    conn: Connection, actor: Actor, chosen: Sequence[tuple[str, int]], *, now: int, hasher: KeyHasher, words: str = ""
) -> list[Cleared]:
    """Clears several cases, given by reference and revision; nothing else can be concluded of several at once.

    A case in which anything of concern was found or judged, that is disputed, or that somebody else has or has changed,
    is left alone, and the others are cleared all the same.

    Raises:
        NotAllowed: not with this role.
        Incomplete: too many.
    """
    demand(actor, "case.clear_many")
    if len(chosen) > MOST_AT_ONCE:
        raise Incomplete("too_many", "cases", f"has more than {MOST_AT_ONCE}")
    outcomes = []
    for case_id, revision in dict(chosen).items():
        execute(conn, "SAVEPOINT of_many")
        try:
            _clear_one(conn, actor, case_id, revision, now=now, hasher=hasher, words=words)
            outcomes.append(Cleared(case_id, None))
        except Problem as problem:
            execute(conn, "ROLLBACK TO SAVEPOINT of_many")
            outcomes.append(Cleared(case_id, problem))
        execute(conn, "RELEASE SAVEPOINT of_many")
    return outcomes


def reopen(conn: Connection, actor: Actor, case: Case, *, revision: int | None, now: int, words: str) -> Case:
    """Looks at a closed case again; `words` say why, and become a note. The verdict stands until there is another."""
    words = cleaned(words, "words", needed=True)
    started = start(conn, actor, case, "reopen", revision=revision, now=now)
    records.add_note(conn, case.case_no, actor.staff_id, now, words)
    due_at = now + current(conn).of("hand", None).length
    case = finish(conn, started, due_at=due_at, escalated_at=None, closed_at=None, closed_by=None)
    tell_opened(conn, case, "hand", now)
    return case


def dispute(conn: Connection, actor: Actor, case: Case, *, now: int, due_at: int | None = None) -> Case:
    """The customer, or somebody for them, disputes what was concluded or that anything is checked at all.

    The next verdict is given by somebody else than those before, until `due_at` (by default as the policy says). A case
    that is disputed already keeps its deadline and who works on it.
    """
    stored = repository.find_no(conn, case.case_no)
    if stored is None:
        raise NotFound("There is no such case.")
    if stored.rests_in == "disputed":
        started = start(conn, actor, stored, "annotate", revision=None, now=now, operation="case.open", alone=False)
        return finish(conn, started, content={"disputed": "again"})
    started = start(conn, actor, stored, "dispute", revision=None, now=now, operation="case.open", alone=False)
    before = started.case
    had_say = {verdict.staff_id for verdict in records.verdicts(conn, before.case_no)} - {None}
    had_say = had_say or {stored.held_by(now), before.judged_by} - {None}
    disputed = finish(
        conn,
        started,
        not_by=_ids(before.barred | {staff_id for staff_id in had_say if staff_id}),
        due_at=due_at if due_at is not None else now + current(conn).of("dispute", None).length,
        escalated_at=None,
        closed_at=None,
        closed_by=None,
    )
    tell_opened(conn, disputed, "dispute", now)
    return disputed


def escalate(conn: Connection, case: Case, *, now: int) -> Case:
    """A case past its deadline is for a second person, or a lead, who has a little longer."""
    started = start(conn, SYSTEM, case, "escalate", revision=None, now=now)
    return finish(conn, started, escalated_at=now, due_at=now + current(conn).escalated)


def expire(conn: Connection, case: Case, *, now: int, hasher: KeyHasher) -> Case:
    """A case past its last deadline is cleared: a customer does not wait because nobody had time.

    The ledger is not told, for nobody looked. If a verdict of abuse that is disputed stands in it, that becomes
    inconclusive there: nobody has upheld it.
    """
    started = start(conn, SYSTEM, case, "expire", revision=None, now=now)
    present = started.case
    records.add_verdict(
        conn,
        present.case_no,
        None,
        now,
        "cleared",
        abuse_type=None,
        basis="policy",
        words="",
        risk_shown=False,
        second_opinion=False,
    )
    if present.verdict == "abuse_confirmed":
        sending.send_verdict(conn, present, "inconclusive", basis="policy", abuse_type=None, now=now, hasher=hasher)
    return _closed(conn, started, "cleared", {"basis": "policy"})


def _closed(conn: Connection, started: Started, verdict: str, content: dict[str, Any]) -> Case:
    by = "staff" if started.actor.is_staff else "deadline"
    case = finish(
        conn,
        started,
        content={"verdict": verdict, **{name: value for name, value in content.items() if value is not None}},
        verdict=verdict,
        closed_at=started.now,
        closed_by=started.actor.staff_id,
        not_by=None,
        escalated_at=None,
    )
    tell_closed(conn, case, started.now)
    metrics.cases_closed_total.labels(verdict, by).inc()
    return case


def _clear_one(
    conn: Connection, actor: Actor, case_id: str, revision: int, *, now: int, hasher: KeyHasher, words: str
) -> None:
    case = repository.find(conn, case_id)
    if case is None:
        raise NotFound("There is no such case.")
    concern = case.judgement == "concern" or records.has_concern(conn, case.case_no, case.return_id)
    if concern or case.rests_in != "open":
        raise Incomplete("look_first", "cases", "somebody must look at this one by itself")
    _conclude(
        conn,
        actor,
        case,
        "case.clear_many",
        revision=revision,
        now=now,
        hasher=hasher,
        verdict="cleared",
        words=words,
    )


def _basis(conn: Connection, case: Case, verdict: str, basis: str | None, concern: bool) -> str | None:
    """What a verdict rests on, as the ledger calls it."""
    if basis is not None and basis not in vocabulary.BASES:
        raise Incomplete("basis", "basis", f"must be one of {', '.join(vocabulary.BASES)}")
    if verdict == "abuse_confirmed":
        if basis not in EVIDENCE:
            raise Incomplete("basis_missing", "basis", f"must be one of {', '.join(EVIDENCE)}")
        if basis == "inspection" and not concern:
            raise Incomplete(
                "finding_missing", "finding", "nothing was found that speaks for it: write down what was seen"
            )
        return basis
    seen = records.standing(conn, case.case_no) or records.seen_in_ledger(conn, case.return_id)
    if basis == "inspection" and not seen:
        raise Incomplete("finding_missing", "finding", "is required: write down what was seen")
    if verdict == "cleared" and basis is None:
        return "inspection" if seen else "opinion"
    return basis


def _ids(people: frozenset[str]) -> str | None:
    return " ".join(sorted(people)) or None

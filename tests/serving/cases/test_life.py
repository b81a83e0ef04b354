"""Whatever people do to a case, in whatever order, it stays a case that one can stand by."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from features.ledger.vocabulary import FINDINGS, VERDICTS
from serving.audit import trail
from serving.cases import deadlines, records, work
from serving.cases.errors import AnotherPerson, Held, Incomplete, NotAllowed, NotPossible, Stale
from serving.cases.repository import Case
from serving.cases.states import STATES
from tests.support.cases import ANN, BEN, DEE, HOUR, LEA, MINUTE, NOW, Desk
from tests.support.service import settings_of

PEOPLE = st.sampled_from((ANN, BEN, DEE, LEA))
REFUSALS = (AnotherPerson, Held, Incomplete, NotAllowed, NotPossible, Stale)


class Life(RuleBasedStateMachine):
    """One case; people whose pages may be old."""

    home: ClassVar[Path]
    desk: ClassVar[Desk]

    def __init__(self) -> None:
        super().__init__()
        self.desk.now = NOW
        self.desk.write(_forget)
        self.case = self.desk.open(0)
        self.seen: dict[str, Case] = {}  # the page that each has open
        self.written: list[str] = []
        self.found: set[int] = set()
        self.revision = 1

    def take(self, step: Any, actor: trail.Actor, **more: Any) -> None:
        """Somebody takes a step from the page that they have open."""
        page = self.seen.get(actor.staff_id or "", self.case)
        if "revision" not in more:
            more["revision"] = page.revision
        before = self.desk.again(self.case)
        try:
            after = self.desk.do(step, actor, page, **more)
        except REFUSALS as refused:
            assert self.desk.again(self.case) == before, "a step that is not taken leaves nothing"
            if isinstance(refused, Held):
                assert before.held_by(self.desk.now) not in (None, actor.staff_id)
            return
        assert after == self.desk.again(self.case)
        assert after.revision > before.revision
        if more["revision"] is not None and more["revision"] != before.revision:
            entries = self.desk.read(lambda conn: trail.of_case(conn, self.case.case_no))
            missed = [e for e in entries if e.content.get("revision", 0) > more["revision"]]
            missed = [e for e in missed if e.content["revision"] <= before.revision and e.content["step"] != "lapse"]
            assert {e.staff_id for e in missed} <= {actor.staff_id}
        self.seen[actor.staff_id or ""] = after

    @rule(actor=PEOPLE)
    def looks(self, actor: trail.Actor) -> None:
        self.seen[actor.staff_id or ""] = self.desk.again(self.case)
        self.desk.do(work.view, actor, self.case)

    @rule(actor=PEOPLE, step=st.sampled_from((work.claim, work.release, work.resume)))
    def handles(self, actor: trail.Actor, step: Any) -> None:
        self.take(step, actor)

    @rule(actor=PEOPLE, judgement=st.sampled_from(work.JUDGEMENTS))
    def judges(self, actor: trail.Actor, judgement: str) -> None:
        self.take(work.judge, actor, judgement=judgement)

    @rule(actor=PEOPLE, finding=st.sampled_from(FINDINGS))
    def finds(self, actor: trail.Actor, finding: str) -> None:
        self.take(work.find, actor, finding=finding)

    @rule(actor=PEOPLE, number=st.integers(0, 3))
    def takes_back(self, actor: trail.Actor, number: int) -> None:
        standing = self.desk.read(lambda conn: records.standing(conn, self.case.case_no))
        if number < len(standing):
            self.take(work.withdraw_finding, actor, finding_no=standing[number].finding_no)

    @rule(actor=PEOPLE, words=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
    def writes(self, actor: trail.Actor, words: str) -> None:
        before = len(self.desk.read(lambda conn: records.notes(conn, self.case.case_no)))
        try:
            self.desk.do(work.note, actor, self.case, words=words)
        except Incomplete:
            return
        notes = self.desk.read(lambda conn: records.notes(conn, self.case.case_no))
        assert len(notes) == before + 1
        self.written.append(notes[-1].words)

    @rule(actor=PEOPLE, step=st.sampled_from((work.wait_for_customer, work.wait_for_inspection)))
    def waits(self, actor: trail.Actor, step: Any) -> None:
        self.take(step, actor)

    @rule(actor=PEOPLE)
    def asks(self, actor: trail.Actor) -> None:
        self.take(work.ask_second_opinion, actor)

    @rule(actor=PEOPLE, verdict=st.sampled_from(VERDICTS), basis=st.sampled_from((None, "inspection", "admission")))
    def concludes(self, actor: trail.Actor, verdict: str, basis: str | None) -> None:
        barred = self.desk.again(self.case).barred
        verdicts = len(self.desk.read(lambda conn: records.verdicts(conn, self.case.case_no)))
        self.take(
            work.close, actor, verdict=verdict, basis=basis, words="Seen and thought about.",
            hasher=self.desk.ledger.hasher,
        )  # fmt: skip
        after = self.desk.read(lambda conn: records.verdicts(conn, self.case.case_no))
        if len(after) > verdicts:
            assert actor.staff_id not in barred

    @rule(actor=PEOPLE)
    def reopens(self, actor: trail.Actor) -> None:
        self.take(work.reopen, actor, words="Once more.")

    @rule()
    def disputes(self) -> None:
        self.desk.do(work.dispute, trail.CUSTOMER, self.case)

    @rule(length=st.sampled_from((MINUTE, 50 * MINUTE, HOUR, 30 * HOUR, 200 * HOUR)))
    def time_passes(self, length: int) -> None:
        self.desk.pass_time(length)

    @precondition(lambda self: self.desk.now > NOW)
    @rule()
    def is_swept(self) -> None:
        while self.desk.write(
            lambda conn: deadlines.sweep(conn, self.desk.now, hasher=self.desk.ledger.hasher)
        ).changed:
            pass
        after = self.desk.again(self.case)
        assert after.state in ("closed", "claimed") or after.due_at > self.desk.now
        assert after.claimed_by is None or after.held_by(self.desk.now) is not None

    @invariant()
    def stands(self) -> None:
        case = self.desk.again(self.case)
        assert case.state in STATES
        assert case.revision >= self.revision
        self.revision = case.revision
        verdicts = self.desk.read(lambda conn: records.verdicts(conn, case.case_no))
        if case.state == "closed":
            assert verdicts
            assert (case.verdict, case.closed_by) == (verdicts[-1].verdict, verdicts[-1].staff_id)
            assert (case.claimed_by, case.rests_in, case.barred) == (None, "open", frozenset())
        else:
            assert case.closed_at is None
        assert (case.state == "claimed") == (case.claimed_by is not None) == (case.claim_until is not None)
        if case.state in ("open", "second_opinion", "disputed"):
            assert case.state == case.rests_in
        if case.claim_until is not None:
            assert case.claim_until <= self.desk.now + HOUR
        assert case.due_day == case.due_at // (24 * HOUR)

    @invariant()
    def keeps_what_was_written(self) -> None:
        case_no = self.case.case_no
        notes = [note.words for note in self.desk.read(lambda conn: records.notes(conn, case_no))]
        left = iter(notes)
        assert all(words in left for words in self.written)
        found = {each.finding_no for each in self.desk.read(lambda conn: records.findings(conn, case_no))}
        assert found >= self.found
        self.found = found

    @invariant()
    def tells_the_ledger_what_people_concluded(self) -> None:
        verdicts = self.desk.read(lambda conn: records.verdicts(conn, self.case.case_no))
        by_people = [each.verdict for each in verdicts if each.staff_id is not None]
        told = self.desk.table(
            "SELECT verdict, basis FROM verdicts WHERE return_id = ? ORDER BY decided_at", self.case.return_id
        )
        assert [verdict for verdict, basis in told if basis != "policy"] == by_people
        assert {verdict for verdict, basis in told if basis == "policy"} <= {"inconclusive"}

    @invariant()
    def leaves_a_trail_of_every_revision(self) -> None:
        entries = self.desk.read(lambda conn: trail.of_case(conn, self.case.case_no))
        told = [e.content["revision"] for e in entries if "revision" in e.content]
        assert told == list(range(1, self.desk.again(self.case).revision + 1))


def _forget(conn: Any) -> None:
    opened = [return_id for (return_id,) in rows(conn, "SELECT return_id FROM cases")]
    for table in ("case_findings", "case_verdicts", "case_notes", "case_checks", "case_lookers", "cases"):
        execute(conn, f"DELETE FROM {table}")
    for return_id in opened:
        execute(conn, "DELETE FROM inspections WHERE return_id = ?", (return_id,))
        execute(conn, "DELETE FROM verdicts WHERE return_id = ?", (return_id,))
    for what in ("update", "delete"):
        execute(conn, f"DROP TRIGGER IF EXISTS audit_no_{what}")
    execute(conn, "DELETE FROM audit")


@pytest.fixture(scope="module", autouse=True)
def _desk(few_returns: Path) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(shutil.copytree(few_returns, Path(folder) / "life"))
        ledger = Ledger.open(settings_of(home))
        execute_pragma(ledger)
        Life.desk = Desk(ledger)
        yield
        ledger.close()


def execute_pragma(ledger: Ledger) -> None:
    """Commits need not wait for the disk here."""
    from sqlalchemy import event

    @event.listens_for(ledger.engine, "checkout")
    def quick(connection: Any, *_: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)

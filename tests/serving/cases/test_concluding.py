from __future__ import annotations

from typing import Any

import pytest

from features.clock import DAY
from serving.audit import trail
from serving.cases import records, work
from serving.cases.errors import AnotherPerson, Held, Incomplete, NotAllowed, NotPossible, Stale
from serving.cases.repository import Case
from serving.cases.states import STEPS
from serving.staff.permissions import PERMISSIONS, ROLES, may
from tests.support.cases import ANN, BEN, DEE, EVERYBODY, IDA, LEA, Desk


def close(desk: Desk, actor: trail.Actor, case: Case, verdict: str = "cleared", **more: Any) -> Case:
    more = {"revision": case.revision, **more}
    return desk.do(work.close, actor, case, hasher=desk.ledger.hasher, verdict=verdict, **more)


def confirmed(desk: Desk, number: int = 0) -> Case:
    case = desk.do(work.find, ANN, desk.open(number), revision=1, finding="worn", line_id="1")
    return close(desk, ANN, case, "abuse_confirmed", basis="inspection", words="Worn.", abuse_type="wardrobing")


class TestVerdicts:
    def test_end_a_case(self, desk: Desk) -> None:
        case = close(desk, ANN, desk.open())
        assert (case.state, case.verdict, case.closed_by, case.closed_at) == ("closed", "cleared", "ann", desk.now)
        assert (case.claimed_by, case.rests_in, case.not_by) == (None, "open", None)

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"basis": "inspection", "words": "Looks used."}, "finding_missing"),
            ({"basis": "opinion", "words": "I know it."}, "basis_missing"),
            ({"basis": "policy", "words": "As written."}, "basis_missing"),
            ({"words": "Looks used."}, "basis_missing"),
            ({"basis": "carrier_trace"}, "words_missing"),
            ({"basis": "carrier_trace", "words": " \n "}, "words_missing"),
            ({"basis": "hearsay", "words": "They say so."}, "basis"),
            ({"basis": "admission", "words": "They wrote so.", "abuse_type": "bad"}, "abuse_type"),
        ],
    )
    def test_of_abuse_need_evidence_and_a_reason(self, desk: Desk, given: dict[str, str], code: str) -> None:
        case = desk.open()
        with pytest.raises(Incomplete) as missing:
            close(desk, ANN, case, "abuse_confirmed", **given)
        assert missing.value.code == code
        assert desk.again(case) == case
        assert desk.read(lambda conn: records.verdicts(conn, case.case_no)) == []

    @pytest.mark.parametrize("basis", ["carrier_trace", "admission"])
    def test_of_abuse_may_rest_on_what_was_traced_or_said(self, desk: Desk, basis: str) -> None:
        case = close(desk, ANN, desk.open(), "abuse_confirmed", basis=basis, words="Signed for by the customer.")
        assert case.verdict == "abuse_confirmed"

    def test_a_finding_that_was_taken_back_is_no_evidence(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="worn")
        (found,) = desk.read(lambda conn: records.standing(conn, case.case_no))
        case = desk.do(work.withdraw_finding, ANN, case, revision=2, finding_no=found.finding_no)
        with pytest.raises(Incomplete):
            close(desk, ANN, case, "abuse_confirmed", basis="inspection", words="Worn.")

    def test_damaged_alone_is_no_concern(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="damaged")
        with pytest.raises(Incomplete):
            close(desk, ANN, case, "abuse_confirmed", basis="inspection", words="Broken.")
        assert close(desk, ANN, case).verdict == "cleared"

    def test_clearing_in_spite_of_a_finding_needs_a_reason(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="worn")
        with pytest.raises(Incomplete):
            close(desk, ANN, case)
        assert close(desk, ANN, case, words="Tried on, as anybody may.").verdict == "cleared"

    def test_tell_what_they_rest_on(self, desk: Desk) -> None:
        unseen, seen = close(desk, ANN, desk.open(0)), desk.open(1)
        seen = desk.do(work.find, ANN, seen, revision=1, finding="as_described")
        seen = close(desk, ANN, seen)
        open_ = close(desk, ANN, desk.open(2), "inconclusive")
        found = desk.table("SELECT case_no, basis FROM case_verdicts")
        assert dict(found) == {unseen.case_no: "opinion", seen.case_no: "inspection", open_.case_no: None}

    def test_are_given_by_people(self, desk: Desk) -> None:
        for actor in (trail.SYSTEM, trail.CUSTOMER):
            with pytest.raises(NotAllowed):
                close(desk, actor, desk.open())


class TestTwoPeople:
    def test_closing_one_case_at_the_same_moment(self, desk: Desk) -> None:
        case = desk.open()
        close(desk, ANN, case)
        with pytest.raises(Stale) as stale:
            close(desk, BEN, case, "inconclusive", words="I could not tell.")
        (entry,) = stale.value.since
        assert (entry.staff_id, entry.content["step"], entry.content["verdict"]) == ("ann", "close", "cleared")
        assert desk.again(case).verdict == "cleared"

    def test_a_case_that_another_has_is_left_to_them(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        with pytest.raises(Held):
            close(desk, BEN, case)

    def test_a_second_opinion_is_somebody_elses(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="worn")
        case = desk.do(work.ask_second_opinion, ANN, case, revision=2, words="Is this wear?")
        assert (case.state, case.claimed_by) == ("second_opinion", None)
        with pytest.raises(AnotherPerson):
            close(desk, ANN, case, words="It is.")
        closed = close(desk, BEN, case, words="It is not.")
        (verdict,) = desk.read(lambda conn: records.verdicts(conn, case.case_no))
        assert (closed.verdict, verdict.second_opinion) == ("cleared", 1)

    def test_a_second_opinion_survives_claims_and_waits(self, desk: Desk) -> None:
        case = desk.do(work.ask_second_opinion, ANN, desk.open(), revision=1)
        case = desk.do(work.wait_for_customer, ANN, case, revision=case.revision)
        case = desk.do(work.resume, DEE, case, revision=case.revision)
        assert case.state == "second_opinion"
        case = desk.do(work.claim, ANN, case, revision=case.revision)
        with pytest.raises(AnotherPerson):
            close(desk, ANN, case)

    def test_two_who_cannot_tell_ask_a_third(self, desk: Desk) -> None:
        case = desk.do(work.ask_second_opinion, ANN, desk.open(), revision=1)
        case = desk.do(work.ask_second_opinion, BEN, case, revision=2)
        assert case.barred == {"ann", "ben"}
        assert close(desk, LEA, case).verdict == "cleared"


class TestDisputes:
    def test_are_decided_by_another_person(self, desk: Desk) -> None:
        case = confirmed(desk)
        case = desk.do(work.dispute, trail.CUSTOMER, case, due_at=desk.now + 5 * DAY)
        assert (case.state, case.verdict, case.closed_at) == ("disputed", "abuse_confirmed", None)
        assert case.due_at == desk.now + 5 * DAY
        with pytest.raises(AnotherPerson):
            close(desk, ANN, case, "abuse_confirmed", basis="inspection", words="Still worn.")
        case = close(desk, BEN, case, words="The shop sent it like that.")
        verdicts = desk.read(lambda conn: records.verdicts(conn, case.case_no))
        assert [(v.staff_id, v.verdict, v.second_opinion) for v in verdicts] == [
            ("ann", "abuse_confirmed", 0),
            ("ben", "cleared", 1),
        ]

    def test_of_a_case_without_a_verdict_bar_who_has_worked_on_it(self, desk: Desk) -> None:
        case = desk.do(work.judge, ANN, desk.open(), revision=1, judgement="concern")
        case = desk.do(work.dispute, trail.CUSTOMER, case)
        assert (case.state, case.claimed_by, case.barred) == ("disputed", None, {"ann"})

    def test_a_second_one_keeps_deadline_and_who_works_on_it(self, desk: Desk) -> None:
        case = desk.do(work.dispute, trail.CUSTOMER, confirmed(desk))
        case = desk.do(work.claim, BEN, case, revision=case.revision)
        desk.pass_time(DAY // 48)
        again = desk.do(work.dispute, trail.CUSTOMER, case)
        assert (again.state, again.claimed_by, again.due_at) == ("claimed", "ben", case.due_at)

    def test_bar_everybody_who_gave_a_verdict(self, desk: Desk) -> None:
        case = desk.do(work.dispute, trail.CUSTOMER, confirmed(desk))
        case = close(desk, BEN, case, "abuse_confirmed", basis="inspection", words="Worn, I agree.")
        case = desk.do(work.dispute, trail.CUSTOMER, case)
        assert case.barred == {"ann", "ben"}

    def test_a_customer_can_do_nothing_else(self, desk: Desk) -> None:
        case = desk.open()
        for step in (work.claim, work.release, work.resume, work.wait_for_customer):
            with pytest.raises(NotAllowed):
                desk.do(step, trail.CUSTOMER, case, revision=None)
        with pytest.raises(NotAllowed):
            close(desk, trail.CUSTOMER, case)


class TestReopening:
    def test_is_a_leads(self, desk: Desk) -> None:
        case = confirmed(desk)
        with pytest.raises(NotAllowed):
            desk.do(work.reopen, BEN, case, revision=case.revision, words="New photo.")
        with pytest.raises(Incomplete):
            desk.do(work.reopen, LEA, case, revision=case.revision, words="")
        case = desk.do(work.reopen, LEA, case, revision=case.revision, words="A new photo came.")
        assert (case.state, case.verdict, case.closed_at) == ("open", "abuse_confirmed", None)
        assert close(desk, ANN, case, "inconclusive").verdict == "inconclusive"

    def test_needs_a_closed_case(self, desk: Desk) -> None:
        with pytest.raises(NotPossible):
            desk.do(work.reopen, LEA, desk.open(), revision=1, words="Why not.")


class TestManyAtOnce:
    def clear(self, desk: Desk, actor: trail.Actor, *cases: Case) -> dict[str, str]:
        chosen = [(case.case_id, case.revision) for case in cases]
        done = desk.write(
            lambda conn: work.clear_many(conn, actor, chosen, now=desk.now, hasher=desk.ledger.hasher, words="")
        )
        return {each.case_id: type(each.problem).__name__ for each in done}

    def test_are_cleared_and_nothing_else(self, desk: Desk) -> None:
        cases = [desk.open(number) for number in range(3)]
        assert set(self.clear(desk, ANN, *cases).values()) == {"NoneType"}
        assert {desk.again(case).verdict for case in cases} == {"cleared"}
        bases = desk.table("SELECT DISTINCT basis FROM case_verdicts")
        assert bases == [("opinion",)]
        assert desk.table("SELECT COUNT(*) FROM audit WHERE operation = 'case.clear_many'") == [(3,)]

    def test_leave_alone_what_somebody_must_look_at(self, desk: Desk) -> None:
        fine = desk.open(0)
        found = desk.do(work.find, ANN, desk.open(1), revision=1, finding="worn")
        judged = desk.do(work.judge, ANN, desk.open(2), revision=1, judgement="concern")
        disputed = desk.do(work.dispute, trail.CUSTOMER, desk.open(3))
        held = desk.do(work.claim, BEN, desk.open(4), revision=1)
        changed = desk.open(5)
        desk.do(work.note, BEN, changed, words="Wait for the courier.")
        done = self.clear(desk, ANN, fine, found, judged, disputed, held, changed)
        assert list(done.values()) == ["NoneType", "Incomplete", "Incomplete", "Incomplete", "Held", "Stale"]
        assert [desk.again(case).state for case in (fine, found, disputed, held)] == [
            "closed",
            "claimed",
            "disputed",
            "claimed",
        ]

    def test_are_for_those_who_may(self, desk: Desk) -> None:
        case = desk.open()
        with pytest.raises(NotAllowed):
            self.clear(desk, DEE, case)

    def test_are_not_too_many(self, desk: Desk) -> None:
        chosen = [(f"RW-{number}", 1) for number in range(201)]
        with pytest.raises(Incomplete):
            desk.write(lambda conn: work.clear_many(conn, ANN, chosen, now=desk.now, hasher=desk.ledger.hasher))


class TestPermissions:
    """Every step by every role, as the table of permissions says."""

    @pytest.mark.parametrize("actor", EVERYBODY, ids=lambda actor: actor.role)
    def test_each_step_needs_its_operation(self, desk: Desk, actor: trail.Actor) -> None:
        assert actor.role in ROLES
        hasher = desk.ledger.hasher
        steps: dict[str, tuple[Any, dict[str, Any]]] = {
            "case.claim": (work.claim, {}),
            "case.judge": (work.judge, {"judgement": "unsure"}),
            "case.check": (work.check, {"item": "tags", "result": "fine"}),
            "case.find": (work.find, {"finding": "worn"}),
            "case.wait": (work.wait_for_customer, {}),
            "case.ask_second_opinion": (work.ask_second_opinion, {}),
            "case.clear": (work.close, {"verdict": "cleared", "hasher": hasher}),
            "case.leave_open": (work.close, {"verdict": "inconclusive", "hasher": hasher}),
            "case.confirm": (
                work.close,
                {"verdict": "abuse_confirmed", "hasher": hasher, "basis": "admission", "words": "They said so."},
            ),
            "case.see_risk": (work.show_risk, {"revision": ()}),
            "case.view": (work.view, {"revision": ()}),
            "case.note": (work.note, {"revision": (), "words": "Seen."}),
        }
        for number, (operation, (step, more)) in enumerate(steps.items()):
            case = desk.open(number)
            arguments = {"revision": 1, **more}
            if arguments["revision"] == ():
                del arguments["revision"]
            if may(actor.role or "", operation):
                desk.do(step, actor, case, **arguments)
                (entry, *_) = reversed(desk.read(lambda conn, no=case.case_no: trail.of_case(conn, no)))
                assert (entry.operation, entry.staff_id, entry.role) == (operation, actor.staff_id, actor.role)
            else:
                with pytest.raises(NotAllowed):
                    desk.do(step, actor, case, **arguments)
                assert desk.again(case) == case

    def test_all_operations_of_cases_are_taken_care_of(self) -> None:
        from serving.cases.permitted import OPERATIONS, VERDICT_OPERATIONS

        told = {*OPERATIONS.values(), *VERDICT_OPERATIONS.values()}
        told |= {"case.view", "case.open", "case.clear_many", "case.release_others", "case.export"}
        assert told == {name for name in PERMISSIONS if name.startswith("case.")}
        assert set(OPERATIONS) | {"close", "annotate", "arrive", "lapse", "escalate", "expire"} == set(STEPS)
        assert not may(IDA.role or "", "case.view")

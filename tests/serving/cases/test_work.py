from __future__ import annotations

import pytest

from features.clock import DAY
from serving.audit import trail
from serving.cases import lookers, records, work
from serving.cases.errors import Held, Incomplete, NotAllowed, Stale
from tests.support.cases import ADA, ANN, BEN, DEE, HOUR, IDA, LEA, MINUTE, Desk


class TestClaims:
    def test_one_person_has_a_case(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        assert (case.state, case.claimed_by, case.claim_until) == ("claimed", "ann", desk.now + HOUR)
        with pytest.raises(Held) as held:
            desk.do(work.claim, BEN, case, revision=case.revision)
        assert held.value.by == "ann"

    def test_end_after_an_hour_without_activity(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        desk.pass_time(40 * MINUTE)
        case = desk.do(work.judge, ANN, case, revision=case.revision, judgement="unsure")
        desk.pass_time(HOUR - 1)
        with pytest.raises(Held):
            desk.do(work.claim, BEN, case, revision=case.revision)
        desk.pass_time(1)
        assert case.as_of(desk.now).state == "open"
        case = desk.do(work.claim, BEN, case, revision=case.revision)
        assert case.claimed_by == "ben"
        steps = [e.content.get("step") for e in desk.read(lambda conn: trail.of_case(conn, case.case_no))]
        assert steps == ["open", "claim", "judge", "lapse", "claim"]

    def test_that_have_ended_do_not_cost_what_was_typed(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        desk.pass_time(2 * HOUR)
        late = desk.do(work.find, ANN, case, revision=case.revision, finding="worn")
        assert (late.claimed_by, late.claim_until) == ("ann", desk.now + HOUR)

    def test_are_given_back(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        with pytest.raises(NotAllowed):
            desk.do(work.release, BEN, case, revision=case.revision)
        case = desk.do(work.release, LEA, case, revision=case.revision)
        assert (case.state, case.claimed_by, case.claim_until) == ("open", None, None)

    def test_can_be_taken_over_by_a_lead(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        desk.pass_time(MINUTE)
        case = desk.do(work.claim, LEA, case, revision=case.revision)
        assert (case.claimed_by, case.claimed_at) == ("lea", desk.now)

    def test_are_not_touched_by_a_note_of_another(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        case = desk.do(work.note, BEN, case, words="The courier called.")
        assert (case.state, case.claimed_by) == ("claimed", "ann")

    @pytest.mark.parametrize("actor", [IDA, ADA])
    def test_are_for_those_who_work_on_cases(self, desk: Desk, actor: trail.Actor) -> None:
        with pytest.raises(NotAllowed):
            desk.do(work.claim, actor, desk.open(), revision=1)


class TestRevision:
    def test_of_a_form_made_before_another_persons_change_is_stale(self, desk: Desk) -> None:
        case = desk.open()
        desk.do(work.note, BEN, case, words="Look at the label.")
        with pytest.raises(Stale) as stale:
            desk.do(work.find, ANN, case, revision=case.revision, finding="worn")
        assert [(e.staff_id, e.content["step"]) for e in stale.value.since] == [("ben", "note")]
        assert desk.read(lambda conn: records.findings(conn, case.case_no)) == []

    def test_of_ones_own_other_window_is_not(self, desk: Desk) -> None:
        case = desk.open()
        desk.do(work.check, ANN, case, revision=1, item="tags", result="fine")
        assert desk.do(work.find, ANN, case, revision=1, finding="worn").revision == 3

    def test_never_stops_a_note(self, desk: Desk) -> None:
        case = desk.open()
        desk.do(work.close, BEN, case, revision=1, verdict="cleared", hasher=desk.ledger.hasher)
        desk.do(work.note, ANN, case, words="  Called back:\r\nall is well.\x00 ")
        (note,) = desk.read(lambda conn: records.notes(conn, case.case_no))
        assert (note.staff_id, note.words) == ("ann", "Called back:\nall is well.")

    @pytest.mark.parametrize("words", ["", " \n", "x" * 4_001])
    def test_a_note_has_words(self, desk: Desk, words: str) -> None:
        with pytest.raises(Incomplete, match="words"):
            desk.do(work.note, ANN, desk.open(), words=words)


class TestEvidenceFirst:
    def test_the_risk_shows_after_ones_own_judgement(self, desk: Desk) -> None:
        case = desk.open()
        assert not desk.do(work.view, ANN, case)
        case = desk.do(work.judge, ANN, case, revision=1, judgement="concern")
        assert desk.do(work.view, ANN, case)
        assert not desk.do(work.view, BEN, case)
        assert desk.again(case).risk_shown_at == desk.now

    def test_or_on_request_which_is_written_down(self, desk: Desk) -> None:
        case = desk.open()
        asked = desk.do(work.show_risk, ANN, case)
        assert (asked.revision, asked.risk_shown_at) == (case.revision, desk.now)
        assert desk.do(work.view, ANN, case)
        case = desk.do(work.judge, ANN, case, revision=1, judgement="concern")
        entries = desk.read(lambda conn: trail.of_case(conn, case.case_no))
        shown = {e.operation: e.risk_shown for e in entries}
        assert shown["case.judge"] is True
        assert next(e.content for e in entries if e.operation == "case.see_risk")["judged"] is False

    def test_the_first_judgement_stays_the_first(self, desk: Desk) -> None:
        case = desk.do(work.judge, ANN, desk.open(), revision=1, judgement="unsure")
        desk.do(work.judge, ANN, case, revision=case.revision, judgement="concern")
        assert (desk.again(case).judgement, desk.again(case).judged_by) == ("unsure", "ann")

    def test_the_desk_does_not_see_it(self, desk: Desk) -> None:
        case = desk.do(work.judge, DEE, desk.open(), revision=1, judgement="concern")
        assert not desk.do(work.view, DEE, case)
        with pytest.raises(NotAllowed):
            desk.do(work.show_risk, DEE, case)

    def test_a_verdict_says_whether_it_was_known(self, desk: Desk) -> None:
        for number, seen in enumerate((False, True)):
            case = desk.open(number)
            if seen:
                desk.do(work.show_risk, ANN, case)
            desk.do(work.close, ANN, case, revision=1, verdict="cleared", hasher=desk.ledger.hasher)
            (verdict,) = desk.read(lambda conn, no=case.case_no: records.verdicts(conn, no))
            assert bool(verdict.risk_shown) is seen


class TestFindings:
    def test_are_taken_back_by_who_wrote_them_down(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="worn", line_id="1")
        case = desk.do(work.release, ANN, case, revision=case.revision)
        (found,) = desk.read(lambda conn: records.standing(conn, case.case_no))
        with pytest.raises(NotAllowed):
            desk.do(work.withdraw_finding, BEN, case, revision=case.revision, finding_no=found.finding_no)
        desk.do(work.withdraw_finding, ANN, case, revision=case.revision, finding_no=found.finding_no)
        assert desk.read(lambda conn: records.standing(conn, case.case_no)) == []
        (kept,) = desk.read(lambda conn: records.findings(conn, case.case_no))
        assert (kept.withdrawn_by, kept.withdrawn_at) == ("ann", desk.now)

    def test_twice_are_one(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="worn")
        desk.do(work.find, ANN, case, revision=case.revision, finding="worn")
        assert len(desk.read(lambda conn: records.standing(conn, case.case_no))) == 1

    @pytest.mark.parametrize(
        ("finding", "line_id", "code"), [("ugly", "", "finding"), ("worn", "9", "line"), ("", "", "finding")]
    )
    def test_are_of_the_vocabulary_and_of_the_return(self, desk: Desk, finding: str, line_id: str, code: str) -> None:
        with pytest.raises(Incomplete) as missing:
            desk.do(work.find, ANN, desk.open(), revision=1, finding=finding, line_id=line_id)
        assert missing.value.code == code

    def test_that_went_to_the_ledger_stay(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="as_described")
        case = desk.do(work.close, ANN, case, revision=2, verdict="cleared", hasher=desk.ledger.hasher)
        case = desk.do(work.reopen, LEA, case, revision=3, words="The customer wrote.")
        (found,) = desk.read(lambda conn: records.standing(conn, case.case_no))
        with pytest.raises(Incomplete) as gone:
            desk.do(work.withdraw_finding, ANN, case, revision=4, finding_no=found.finding_no)
        assert gone.value.code == "finding_gone"


class TestChecks:
    def test_the_latest_result_counts(self, desk: Desk) -> None:
        case = desk.do(work.check, ANN, desk.open(), revision=1, item="tags", result="not_fine")
        desk.do(work.check, ANN, case, revision=2, item="tags", result="fine")
        assert desk.read(lambda conn: records.checks(conn, case.case_no))["tags"].result == "fine"

    @pytest.mark.parametrize(
        ("item", "result"), [("tags", "great"), ("", "fine"), ("x" * 101, "fine"), ("\x00", "fine")]
    )
    def test_are_of_the_list(self, desk: Desk, item: str, result: str) -> None:
        with pytest.raises(Incomplete):
            desk.do(work.check, ANN, desk.open(), revision=1, item=item, result=result)


class TestWaiting:
    def test_puts_the_deadline_off_within_bounds(self, desk: Desk) -> None:
        case = desk.open(0, action="staff_review")
        opened = desk.now
        case = desk.do(work.wait_for_customer, ANN, case, revision=1, words="Asked for a photo of the label.")
        assert (case.state, case.due_at, case.claimed_by) == ("waiting_customer", opened + 7 * DAY, None)
        desk.pass_time(20 * DAY)
        case = desk.do(work.wait_for_inspection, ANN, case, revision=case.revision)
        assert case.due_at == opened + 30 * DAY
        assert desk.read(lambda conn: records.notes(conn, case.case_no))[0].words.startswith("Asked")

    def test_never_puts_off_a_dispute(self, desk: Desk) -> None:
        case = desk.do(work.dispute, trail.CUSTOMER, desk.open(), due_at=desk.now + DAY)
        case = desk.do(work.wait_for_customer, ANN, case, revision=case.revision)
        assert case.due_at == desk.now + DAY


class TestLookers:
    def test_are_those_who_have_a_case_open(self, desk: Desk) -> None:
        case = desk.open()
        desk.do(work.view, ANN, case)
        desk.do(work.view, BEN, case)

        def seen(but: str | None = None) -> dict[int, list[str]]:
            return desk.read(lambda conn: lookers.of_cases(conn, [case.case_no], desk.now, but=but))

        assert sorted(seen()[case.case_no]) == ["ann", "ben"]
        assert seen("ann") == {case.case_no: ["ben"]}
        desk.write(lambda conn: lookers.leave(conn, BEN, case.case_no))
        assert seen("ann") == {}
        desk.pass_time(2 * MINUTE)
        assert seen() == {}

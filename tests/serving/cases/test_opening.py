from __future__ import annotations

import re

import pytest

from features.clock import DAY
from serving.audit import trail
from serving.cases import opening, reference, repository, work
from serving.cases.errors import NotAllowed
from serving.policy.checks import Check
from serving.problems import Invalid
from tests.support.cases import ADA, ANN, DEE, IDA, Desk


class TestByAnAssessment:
    def test_a_case_says_what_was_assessed_and_why_somebody_looks(self, desk: Desk) -> None:
        case = desk.open(0, check=Check("random", 0.05), risk=0.4, value_minor=12_345)
        assert (case.state, case.opened_because, case.revision) == ("open", "action", 1)
        assert (case.trigger, case.propensity, case.risk, case.expected_loss_minor) == ("random", 0.05, 0.4, 4_938)
        assert case.due_at == desk.now + 10 * DAY
        assert case.due_day == case.due_at // DAY
        (entry,) = desk.read(lambda conn: trail.of_case(conn, case.case_no))
        assert (entry.actor_kind, entry.operation) == ("system", "system.case.open")

    @pytest.mark.parametrize("action", ["refund_now", "refund_on_scan"])
    def test_a_drawn_check_of_a_return_that_is_refunded_is_a_draw(self, desk: Desk, action: str) -> None:
        case = desk.open(0, check=Check("random", 0.01), action=action)
        assert (case.opened_because, case.action) == ("draw", action)

    def test_references_are_read_out_and_typed(self, desk: Desk) -> None:
        found = {desk.open(number).case_id for number in range(10)}
        assert len(found) == 10
        for case_id in found:
            assert re.fullmatch(r"RW-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", case_id)
            typed = case_id.lower().replace("-", " ").replace("0", "o").replace("1", "l")
            assert reference.read_reference(typed) == case_id

    def test_a_return_has_one_case(self, desk: Desk) -> None:
        by_hand = desk.write(lambda conn: opening.open_by_hand(conn, ANN, desk.return_ids()[0], desk.now))
        again = desk.open(0, risk=0.7, value_minor=1_000)
        assert again.case_id == by_hand.case_id
        assert (again.opened_because, again.risk, again.expected_loss_minor) == ("hand", 0.7, 700)
        assert again.revision == 2

    def test_a_verdict_of_a_person_stands(self, desk: Desk) -> None:
        case = desk.open(0)
        desk.do(work.close, ANN, case, revision=1, verdict="cleared", hasher=desk.ledger.hasher)
        again = desk.open(0, risk=0.9)
        assert (again.state, again.verdict, again.risk) == ("closed", "cleared", 0.9)

    def test_what_only_a_deadline_closed_is_open_again(self, desk: Desk) -> None:
        case = desk.open(0)
        desk.put(case, state="closed", verdict="cleared", closed_at=desk.now)
        desk.pass_time(DAY)
        again = desk.open(0, action="staff_review")
        assert (again.state, again.closed_at, again.due_at) == ("open", None, desk.now + 2 * DAY)


class TestByHand:
    def test_is_possible_for_any_return_in_the_ledger(self, desk: Desk) -> None:
        return_id = desk.return_ids()[2]
        case = desk.write(lambda conn: opening.open_by_hand(conn, DEE, return_id, desk.now))
        assert (case.return_id, case.opened_because, case.risk, case.trigger) == (return_id, "hand", None, None)
        assert case.value_minor > 0
        assert case.category is not None
        assert desk.again(case) == case

    def test_gives_the_case_that_there_is(self, desk: Desk) -> None:
        case = desk.open(0)
        assert desk.write(lambda conn: opening.open_by_hand(conn, ANN, case.return_id, desk.now)) == case

    def test_needs_a_return_that_the_ledger_knows(self, desk: Desk) -> None:
        with pytest.raises(Invalid, match="no such return"):
            desk.write(lambda conn: opening.open_by_hand(conn, ANN, "never heard of", desk.now))

    @pytest.mark.parametrize("actor", [IDA, ADA, trail.CUSTOMER])
    def test_is_for_those_who_work_on_cases(self, desk: Desk, actor: trail.Actor) -> None:
        return_id = desk.return_ids()[0]
        if actor is trail.CUSTOMER:
            desk.write(lambda conn: opening.open_for_dispute(conn, return_id, desk.now))
            return
        with pytest.raises(NotAllowed):
            desk.write(lambda conn: opening.open_by_hand(conn, actor, return_id, desk.now))
        assert desk.read(lambda conn: repository.of_return(conn, return_id)) is None

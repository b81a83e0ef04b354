from __future__ import annotations

import pytest

from features.clock import DAY
from features.ledger.append import append_rows
from serving.audit import trail
from serving.cases import deadlines, records, work
from serving.cases.deadlines import Swept
from serving.cases.errors import AnotherPerson
from tests.support.cases import ANN, BEN, HOUR, LEA, MINUTE, Desk


def sweep(desk: Desk) -> Swept:
    return desk.write(lambda conn: deadlines.sweep(conn, desk.now, hasher=desk.ledger.hasher))


def is_due(desk: Desk) -> bool:
    return desk.read(lambda conn: deadlines.is_due(conn, desk.now))


class TestClaims:
    def test_that_have_ended_are_written_down(self, desk: Desk) -> None:
        case = desk.do(work.claim, ANN, desk.open(), revision=1)
        desk.pass_time(HOUR - 1)
        assert not is_due(desk)
        assert sweep(desk).changed == 0
        desk.pass_time(1)
        assert is_due(desk)
        assert sweep(desk) == Swept(lapsed=1)
        after = desk.again(case)
        assert (after.state, after.claimed_by, after.revision) == ("open", None, 3)
        assert not is_due(desk)
        late = desk.do(work.find, ANN, case, revision=case.revision, finding="worn")
        assert late.claimed_by == "ann"


class TestDeadlines:
    def test_a_case_that_only_waits_for_a_look_is_cleared(self, desk: Desk) -> None:
        case = desk.open(0, action="inspect_before_refund")
        desk.pass_time(10 * DAY - 1)
        assert not is_due(desk)
        desk.pass_time(1)
        assert is_due(desk)
        assert sweep(desk) == Swept(cleared=1)
        after = desk.again(case)
        assert (after.state, after.verdict, after.closed_by, after.closed_at) == ("closed", "cleared", None, desk.now)
        (verdict,) = desk.read(lambda conn: records.verdicts(conn, case.case_no))
        assert (verdict.staff_id, verdict.basis, verdict.risk_shown) == (None, "policy", 0)

    def test_nothing_of_that_goes_to_the_ledger(self, desk: Desk) -> None:
        before = desk.table("SELECT COUNT(*) FROM verdicts"), desk.table("SELECT COUNT(*) FROM inspections")
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="as_described")
        desk.pass_time(11 * DAY)
        sweep(desk)
        sweep(desk)
        assert desk.again(case).verdict == "cleared"
        assert (desk.table("SELECT COUNT(*) FROM verdicts"), desk.table("SELECT COUNT(*) FROM inspections")) == before

    def test_one_for_staff_goes_to_another_person_first(self, desk: Desk) -> None:
        case = desk.open(0, action="staff_review")
        desk.pass_time(2 * DAY)
        assert sweep(desk) == Swept(escalated=1)
        after = desk.again(case)
        assert (after.state, after.escalated_at, after.due_at) == ("second_opinion", desk.now, desk.now + 2 * DAY)
        assert sweep(desk).changed == 0
        desk.pass_time(2 * DAY)
        assert sweep(desk) == Swept(cleared=1)

    def test_one_with_a_concern_goes_to_another_person_whatever_the_policy_says(self, desk: Desk) -> None:
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="worn")
        desk.pass_time(10 * DAY)
        assert sweep(desk) == Swept(lapsed=1, escalated=1)
        assert desk.again(case).state == "second_opinion"

    def test_who_works_on_a_case_is_not_disturbed(self, desk: Desk) -> None:
        case = desk.open(0, action="inspect_before_refund")
        desk.pass_time(10 * DAY - MINUTE)
        case = desk.do(work.claim, ANN, case, revision=1)
        desk.pass_time(2 * MINUTE)
        assert sweep(desk).changed == 0
        done = desk.do(work.close, ANN, case, revision=2, verdict="cleared", hasher=desk.ledger.hasher)
        assert done.closed_by == "ann"

    def test_a_dispute_that_nobody_decides_ends_in_the_customers_favour(self, desk: Desk) -> None:
        hasher = desk.ledger.hasher
        case = desk.do(work.find, ANN, desk.open(), revision=1, finding="worn")
        case = desk.do(
            work.close, ANN, case, revision=2, hasher=hasher,
            verdict="abuse_confirmed", basis="inspection", words="Worn at the sole.",
        )  # fmt: skip
        case = desk.do(work.dispute, trail.CUSTOMER, case, due_at=desk.now + 14 * DAY)
        desk.pass_time(14 * DAY)
        assert sweep(desk) == Swept(escalated=1)
        with pytest.raises(AnotherPerson):
            desk.do(work.close, ANN, case, revision=None, verdict="cleared", words="x", hasher=hasher)
        desk.pass_time(2 * DAY)
        assert sweep(desk) == Swept(cleared=1)
        assert desk.again(case).verdict == "cleared"
        said = desk.table("SELECT verdict, basis FROM verdicts WHERE return_id = ? ORDER BY decided_at", case.return_id)
        assert said == [("abuse_confirmed", "inspection"), ("inconclusive", "policy")]

    def test_takes_many_in_pieces(self, desk: Desk) -> None:
        for number in range(7):
            desk.open(number)
        desk.pass_time(11 * DAY)
        done = []
        while True:
            swept = desk.write(lambda conn: deadlines.sweep(conn, desk.now, hasher=desk.ledger.hasher, at_most=3))
            if not swept.changed:
                break
            done.append(swept.cleared)
        assert done == [3, 3, 1]


class TestGoods:
    def test_that_were_looked_at_elsewhere_end_the_wait(self, desk: Desk) -> None:
        case = desk.do(work.wait_for_inspection, ANN, desk.open(), revision=1)
        desk.pass_time(2 * DAY)
        assert sweep(desk).changed == 0
        row = {"return_id": case.return_id, "inspected_at": desk.now - 3 * DAY, "finding": "worn"}
        desk.write(
            lambda conn: append_rows(conn, "inspections", [row], live=True, now_us=desk.now, hasher=desk.ledger.hasher)
        )
        assert is_due(desk)
        assert sweep(desk) == Swept(arrived=1)
        after = desk.again(case)
        assert after.state == "open"
        again = desk.do(work.wait_for_inspection, BEN, after, revision=after.revision)
        assert sweep(desk).changed == 0
        done = desk.do(
            work.close, LEA, again, revision=again.revision, hasher=desk.ledger.hasher,
            verdict="abuse_confirmed", basis="inspection", words="Seen at the warehouse.",
        )  # fmt: skip
        assert done.verdict == "abuse_confirmed"

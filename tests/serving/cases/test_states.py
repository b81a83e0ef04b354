from __future__ import annotations

from typing import get_args

import pytest
from sqlalchemy.engine import Connection

from features.ledger.sql import execute
from serving.cases import work
from serving.cases.errors import NotPossible
from serving.cases.repository import Case
from serving.cases.states import OWN_STEPS, RESTING, STATES, STEPS, TRANSITIONS, State, Step, after, is_possible
from tests.support.cases import ANN, HOUR, LEA, Desk

#: The whole table, written out: for each step where it leads from each state, in the order of `STATES`; "." is not
#: possible, "=" stays, "^" is where the case rests.
#                       open     claimed  w_cust   w_insp   second   closed   disputed
EXPECTED = """
claim                   claimed  claimed  claimed  claimed  claimed  .        claimed
release                 .        ^        .        .        .        .        .
judge                   claimed  claimed  claimed  claimed  claimed  .        claimed
show_risk               =        =        =        =        =        =        =
check                   claimed  claimed  claimed  claimed  claimed  .        claimed
find                    claimed  claimed  claimed  claimed  claimed  .        claimed
withdraw_finding        claimed  claimed  claimed  claimed  claimed  .        claimed
note                    =        =        =        =        =        =        =
photograph              =        =        =        =        =        =        =
wait_for_customer       customer customer customer customer customer .        customer
wait_for_inspection     inspect  inspect  inspect  inspect  inspect  .        inspect
resume                  .        .        ^        ^        .        .        .
ask_second_opinion      second   ^        ^        ^        second   .        disputed
close                   closed   closed   closed   closed   closed   .        closed
reopen                  .        .        .        .        .        ^        .
dispute                 disputed disputed disputed disputed disputed disputed disputed
annotate                =        =        =        =        =        =        =
arrive                  .        .        .        ^        .        .        .
lapse                   .        ^        .        .        .        .        .
escalate                second   .        ^        ^        second   .        disputed
expire                  closed   .        closed   closed   closed   .        closed
"""
SHORT = {
    "customer": "waiting_customer",
    "inspect": "waiting_inspection",
    "second": "second_opinion",
    "=": "same",
    "^": "rests",
}


class TestTable:
    def test_is_as_written_here(self) -> None:
        written = {}
        for line in EXPECTED.strip().splitlines():
            step, *cells = line.split()
            for state, cell in zip(STATES, cells, strict=True):
                if cell != ".":
                    written[state, step] = SHORT.get(cell, cell)
        assert written == TRANSITIONS
        assert {step for _, step in TRANSITIONS} == set(STEPS)

    @pytest.mark.parametrize("state", STATES)
    def test_a_case_can_always_end_or_has(self, state: State) -> None:
        assert state == "closed" or is_possible(state, "close")

    @pytest.mark.parametrize("rests_in", RESTING)
    def test_every_step_leads_to_a_state(self, rests_in: str) -> None:
        for state, step in TRANSITIONS:
            if state == "closed" and rests_in != "open":
                continue  # there are none
            to, rest = after(state, rests_in, step)  # type: ignore[arg-type]
            assert to in STATES
            assert rest in RESTING
            assert not (to == "closed" and rest != "open")

    def test_a_dispute_is_settled_by_a_verdict_and_nothing_else(self) -> None:
        for step in STEPS:
            if is_possible("disputed", step):
                _, rest = after("disputed", "disputed", step)
                assert (rest == "disputed") == (step not in ("close", "expire")), step

    def test_nothing_is_called_a_refusal(self) -> None:
        words = " ".join((*STATES, *STEPS, *get_args(Step)))
        assert not any(word in words for word in ("refus", "reject", "deny", "declin"))


def take(desk: Desk, case: Case, step: Step) -> Case:
    """Takes any step that people take, with what it needs."""
    more: dict[str, object] = {
        "judge": {"judgement": "unsure"},
        "check": {"item": "tags", "result": "fine"},
        "find": {"finding": "as_described"},
        "note": {"words": "seen"},
        "reopen": {"words": "once more"},
        "close": {"verdict": "cleared", "hasher": desk.ledger.hasher},
    }.get(step, {})
    if step == "withdraw_finding":
        found = desk.table(
            "SELECT MIN(finding_no) FROM case_findings WHERE case_no = ? AND withdrawn_at IS NULL", case.case_no
        )
        more = {"finding_no": found[0][0]}
    if step not in ("note", "show_risk", "dispute"):
        more = {**more, "revision": case.revision}
    result: Case = desk.do(getattr(work, step), LEA if step == "reopen" else ANN, case, **more)
    return result


def in_state(desk: Desk, number: int, state: State, rests_in: str) -> Case:
    case = desk.open(number)
    case = desk.do(work.find, ANN, case, revision=case.revision, finding="as_described")
    held: dict[str, object] = {"claimed_by": None, "claim_until": None, "claimed_at": None}
    if state == "claimed":
        held = {"claimed_by": "ann", "claimed_at": desk.now, "claim_until": desk.now + HOUR}
    ended = {"verdict": "cleared", "closed_at": desk.now, "closed_by": "ann"} if state == "closed" else {}
    return desk.put(case, state=state, rests_in=rests_in, not_by=None, **held, **ended)


def forget_all(conn: Connection) -> None:
    for table in ("case_findings", "case_verdicts", "case_notes", "case_checks", "case_lookers", "cases"):
        execute(conn, f"DELETE FROM {table}")


class TestSteps:
    @pytest.mark.parametrize("state", STATES)
    def test_do_what_the_table_says(self, desk: Desk, state: State) -> None:
        taken = [step for step in STEPS if step not in OWN_STEPS and step != "photograph"]
        number = 0
        for rests_in in ("open",) if state in ("open", "closed") else RESTING:
            if state in RESTING and state != rests_in:
                continue
            for step in taken:
                case = in_state(desk, number % 3, state, rests_in)
                number += 1
                if not is_possible(state, step):
                    with pytest.raises(NotPossible):
                        take(desk, case, step)
                    assert desk.again(case) == case
                elif (step, rests_in) == ("dispute", "disputed"):  # who works on a dispute is not disturbed by another
                    assert take(desk, case, step).state == state
                else:
                    to = take(desk, case, step)
                    assert (to.state, to.rests_in) == after(state, case.rests_in, step), (state, rests_in, step)
                    assert desk.again(case) == to
                desk.write(forget_all)

"""What simulated staff do with the cases of the simulated shop: who does what, and when.

A case is planned when it is opened: a look at the parcel when it arrives, a conclusion after it, perhaps a wait, a
second opinion, a dispute. What is planned for after the end of the history is left for whoever tries the demo, and so
is half of the work of the last two days.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from features.ledger.identity import KeyHasher
from features.ledger.vocabulary import CONCERN_FINDINGS
from pipelines.demo import phrases, truth
from pipelines.demo.people import Team
from pipelines.demo.pictures import drawn
from pipelines.demo.truth import Deed, Seen
from serving.audit.trail import Actor
from serving.cases import photos, repository, work
from serving.cases.checklist import default_checklist
from serving.cases.claim import Claim, read
from serving.cases.repository import Case
from serving.disputes.schemas import DisputeRequest
from serving.disputes.service import Rescore, receive
from serving.restrictions.service import is_restricted, restrict

Deeds = Literal["wait", "look", "conclude", "conclude_second", "dispute", "settle"]

_HOUR: Final = 3_600 * SECOND
_MINUTE: Final = 60 * SECOND
_OPEN, _SHUT = 7 * _HOUR, 16 * _HOUR  # UTC
_SUNDAY: Final = 3  # days since 1970-01-01, a Thursday, modulo 7
_PICTURES: Final = 3  # of each finding

#: How often something happens that staff decide or customers do.
_NEGLECTED: Final = 0.06
_LEFT: Final = 0.5  # of the work of the last days
_PHOTOGRAPHED: Final = {True: 0.9, False: 0.12}  # whether something was found
_NOTED: Final = {True: 0.9, False: 0.25}
_LOOKED_AT_RISK_FIRST: Final = 0.08
_SECOND_OPINION: Final = 0.6  # of those who cannot say
_DISPUTED: Final = 0.3
_RESTRICTED: Final = 0.25


@dataclass(order=True)
class _Planned:
    at: int
    number: int
    what: Deeds = field(compare=False)
    case_no: int = field(compare=False)


@dataclass
class _Known:
    """What the simulation knows of a case."""

    asked: Claim
    deed: Deed
    seen: Seen


class Shifts:
    """The work of a team, in the order of time: `opened` plans a case, `next_at` says when there is something to do,
    and `work` does it."""

    def __init__(
        self, team: Team, deeds: Mapping[str, Deed], hasher: KeyHasher, rescore: Rescore, *, few_from: int
    ) -> None:
        """`few_from`: the moment (microseconds since 1970 UTC) from which on half of the team is away."""
        self.rng = np.random.default_rng(0)
        self._team = team
        self._deeds = deeds
        self._hasher = hasher
        self._rescore = rescore
        self._few_from = few_from
        self._left: set[int] = set()
        self._plan: list[_Planned] = []
        self._numbers = itertools.count()
        self._known: dict[int, _Known] = {}
        self._pictures: dict[tuple[str, int], photos.Encoded] = {}

    def opened(self, conn: Connection, case: Case, now: int) -> None:
        """Plans the work on a case."""
        rng, asked = self.rng, read(conn, case.return_id)
        deed = self._deeds.get(case.return_id, Deed())
        known = self._known[case.case_no] = _Known(asked, deed, truth.look(rng, deed, asked))
        if rng.random() < _NEGLECTED:
            return
        arrives = max(asked.requested_at + int(known.seen.days * DAY), now)
        first_look = _working(now + int(rng.uniform(0.1, 1.9) * DAY))
        due_at = case.due_at
        if arrives > due_at - DAY and first_look < due_at:
            self._at(first_look, "wait", case.case_no)
            due_at = arrives + 2 * DAY  # a wait puts it off
        look = _working(arrives + int(rng.uniform(0.05, 0.6) * DAY))
        self._at(look, "look", case.case_no)
        concluded = min(look + int(rng.uniform(0.1, 2.2) * DAY), max(due_at - 20 * _HOUR, look + 2 * _HOUR))
        self._at(_working(concluded), "conclude", case.case_no)

    def begins(self, conn: Connection, day: int) -> None:
        """A day begins (microseconds since 1970 UTC). On the last one a customer disputes a verdict, unless one is
        disputed already: that, too, is left for whoever tries the demo."""
        if day < self._few_from or repository.select(conn, "WHERE state = 'disputed' LIMIT 1"):
            return
        confirmed = "WHERE state = 'closed' AND verdict = 'abuse_confirmed' AND rests_in != 'disputed'"
        for case in repository.select(conn, f"{confirmed} ORDER BY closed_at DESC LIMIT 1"):
            self._at(_working(day + 3 * _HOUR), "dispute", case.case_no)

    def next_at(self) -> int | None:
        """When there is something to do, in microseconds since 1970 UTC."""
        return self._plan[0].at if self._plan else None

    def work(self, conn: Connection) -> None:
        """Does what is planned next, if it is still to be done."""
        planned = heapq.heappop(self._plan)
        case = repository.find_no(conn, planned.case_no)
        if case is None:
            return
        if planned.what == "dispute":
            self._dispute(conn, case, planned.at)
            return
        if case.is_closed or case.held_by(planned.at) is not None:
            return
        left = planned.what == "settle" or case.case_no in self._left
        if planned.at >= self._few_from and (left or self.rng.random() < _LEFT):
            self._left.add(case.case_no)  # with all that was to come after it
            return
        match planned.what:
            case "wait":
                self._wait(conn, case, planned.at)
            case "look":
                self._look(conn, case, planned.at)
            case "conclude":
                self._conclude(conn, case, planned.at)
            case "conclude_second":
                self._conclude_second(conn, case, planned.at)
            case "settle":
                self._settle(conn, case, planned.at)

    def _at(self, moment: int, what: Deeds, case_no: int) -> None:
        heapq.heappush(self._plan, _Planned(moment, next(self._numbers), what, case_no))

    def _one_of(self, actors: Sequence[Actor], case: Case) -> Actor:
        free = [actor for actor in actors if actor.staff_id not in case.barred]
        return free[int(self.rng.integers(len(free)))]

    def _wait(self, conn: Connection, case: Case, at: int) -> None:
        who = self._one_of(self._team.reviewers, case)
        work.view(conn, who, case, now=at)
        words = phrases.WAITING[case.kind]
        work.wait_for_inspection(conn, who, case, revision=case.revision, now=at + _MINUTE, words=words)

    def _look(self, conn: Connection, case: Case, at: int) -> None:
        """The parcel is opened, or the carrier's answer read: checklist, finding, photos, a note."""
        rng, known = self.rng, self._known[case.case_no]
        finding = known.seen.finding
        is_concern = finding in CONCERN_FINDINGS
        who = self._one_of(self._team.reviewers if case.kind == "claim" else self._team.desk, case)
        work.view(conn, who, case, now=at)
        for number, check in enumerate(default_checklist().of(known.asked).checks):
            if rng.random() < 0.8:
                result = "not_fine" if finding in check.supports and is_concern else "fine"
                result = "not_possible" if rng.random() < 0.05 else result
                case = work.check(
                    conn, who, case, revision=None, now=at + (2 + number) * _MINUTE, item=check.id, result=result
                )
        done = at + 14 * _MINUTE
        case = work.find(conn, who, case, revision=None, now=done, finding=finding)
        if (
            case.kind == "return"
            and finding in phrases.CAPTIONS
            and rng.random() < _PHOTOGRAPHED[finding != "as_described"]
        ):
            case = photos.photograph(
                conn, who, case, now=done, photo=self._photo(finding), caption=phrases.CAPTIONS[finding]
            )
        if rng.random() < _NOTED[finding != "as_described"]:
            case = work.note(conn, who, case, now=done, words=self._phrase(phrases.NOTES[finding]))
        work.release(conn, who, case, revision=None, now=done + _MINUTE)

    def _conclude(self, conn: Connection, case: Case, at: int) -> None:
        rng, known = self.rng, self._known[case.case_no]
        finding = known.seen.finding
        who = self._one_of(self._team.reviewers, case)
        work.view(conn, who, case, now=at)
        if rng.random() < _LOOKED_AT_RISK_FIRST:
            work.show_risk(conn, who, case, now=at + _MINUTE)
        verdict = truth.conclude(rng, known.deed, finding)
        unsure = verdict == "inconclusive" or rng.random() < 0.08
        judgement = "unsure" if unsure else "concern" if finding in CONCERN_FINDINGS else "no_concern"
        case = work.judge(conn, who, case, revision=None, now=at + 2 * _MINUTE, judgement=judgement)
        if unsure and rng.random() < _SECOND_OPINION:
            words = self._phrase(phrases.UNSURE)
            work.ask_second_opinion(conn, who, case, revision=None, now=at + 4 * _MINUTE, words=words)
            self._at(_working(at + int(rng.uniform(0.3, 1.4) * DAY)), "conclude_second", case.case_no)
            return
        self._close(conn, who, case, verdict, at + 5 * _MINUTE)

    def _conclude_second(self, conn: Connection, case: Case, at: int) -> None:
        who = self._one_of((*self._team.leads, *self._team.reviewers), case)
        known = self._known[case.case_no]
        work.view(conn, who, case, now=at)
        case = work.claim(conn, who, case, revision=None, now=at + _MINUTE)
        self._close(conn, who, case, truth.conclude(self.rng, known.deed, known.seen.finding), at + 6 * _MINUTE)

    def _close(self, conn: Connection, who: Actor, case: Case, verdict: str, at: int, words: str = "") -> None:
        rng, known = self.rng, self._known[case.case_no]
        finding = known.seen.finding
        if verdict == "abuse_confirmed" and finding not in CONCERN_FINDINGS:
            verdict = "inconclusive"  # nobody confirms what was not found
        basis = "carrier_trace" if case.kind == "claim" else "inspection"
        abuse_type = None
        if verdict == "abuse_confirmed":
            abuse_type = truth.named(rng, known.deed, finding)
            words = words or phrases.CONFIRMED[finding]
        elif verdict == "inconclusive":
            words = words or self._phrase(phrases.INCONCLUSIVE)
        elif finding in CONCERN_FINDINGS:
            words = words or self._phrase(phrases.CLEARED_ALL_THE_SAME)
        closed = work.close(
            conn,
            who,
            case,
            revision=None,
            now=at,
            hasher=self._hasher,
            verdict=verdict,
            words=words,
            basis=basis,
            abuse_type=abuse_type,
        )
        if verdict == "abuse_confirmed" and case.rests_in != "disputed":
            if rng.random() < _DISPUTED:
                self._at(at + int(rng.uniform(0.6, 5.0) * DAY), "dispute", case.case_no)
            elif rng.random() < _RESTRICTED and not self._is_restricted(conn, closed, at):
                lead = self._team.leads[0]
                restrict(conn, lead, case.case_no, until=at + 90 * DAY, now=at + _MINUTE, hasher=self._hasher)

    def _dispute(self, conn: Connection, case: Case, at: int) -> None:
        if case.verdict != "abuse_confirmed" or not case.is_closed:
            return
        words = self._phrase(phrases.DISPUTES)
        receive(conn, DisputeRequest(reference=case.case_id, words=words), rescore=self._rescore, now=at)
        self._at(_working(at + int(self.rng.uniform(1.0, 5.0) * DAY)), "settle", case.case_no)

    def _settle(self, conn: Connection, case: Case, at: int) -> None:
        who = self._one_of((*self._team.leads, *self._team.reviewers), case)
        work.view(conn, who, case, now=at)
        case = work.claim(conn, who, case, revision=None, now=at + _MINUTE)
        verdict = truth.conclude_again(self.rng, self._known[case.case_no].deed)
        words = {"abuse_confirmed": phrases.UPHELD, "cleared": phrases.OVERTURNED}.get(verdict, "")
        self._close(conn, who, case, verdict, at + 12 * _MINUTE, words)

    def _is_restricted(self, conn: Connection, case: Case, at: int) -> bool:
        return is_restricted(conn, case.customer_id, at + _MINUTE)

    def _phrase(self, phrases_: Sequence[str]) -> str:
        return phrases_[int(self.rng.integers(len(phrases_)))]

    def _photo(self, finding: str) -> photos.Encoded:
        place = finding, int(self.rng.integers(_PICTURES))
        if place not in self._pictures:
            self._pictures[place] = photos.encode(drawn(*place))
        return self._pictures[place]


def _working(moment: int) -> int:
    """The moment, or when people are next at work; nobody is on Sundays.

    In the first two thirds of an hour, so that what takes some minutes is done before the next one begins.
    """
    day, time = divmod(moment, DAY)
    early = _OPEN + time % (2 * _HOUR)
    if time >= _SHUT:
        day, time = day + 1, early
    if day % 7 == _SUNDAY:
        day, time = day + 1, early
    time = time if time >= _OPEN else early
    return day * DAY + time - time % _HOUR // 3

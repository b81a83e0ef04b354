"""The last weeks of the simulated shop as the service would have lived through them.

Every return is assessed by the service's own code as of the moment at which it was asked for, by the model that learned
from what was known before these weeks; cases are opened by what the policy then asked for, or by the draw. Between the
requests simulated staff work on the cases, and deadlines pass. What they find goes to the ledger as the days go by.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import orjson
from rich.progress import Progress as Bars
from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.settings import Settings
from pipelines.demo import policies
from pipelines.demo.people import Team, employ
from pipelines.demo.progress import Progress
from pipelines.demo.shifts import Shifts
from pipelines.demo.truth import read_truth
from serving.assessments.answer import Answerer
from serving.assessments.features import FeatureReader
from serving.assessments.schemas import AssessmentRequest
from serving.assessments.service import Assessor, Prepared, prepare
from serving.cases import deadlines, repository
from serving.clock import iso
from serving.disputes import service as disputes
from serving.model.holder import champion_now
from serving.model.loaded import LoadedModel
from serving.notices import notices
from serving.notices import repository as correspondence
from serving.policy.source import PolicySource, in_force
from serving.reasons.catalogue import default_catalogue
from serving.reasons.explain import Explainer

_EPOCH: Final = dt.date(1970, 1, 1)
_SWEEP_EVERY: Final = 3_600 * SECOND
_AT_ONCE: Final = 500
_STATED: Final = ("reason", "kind", "resolution", "channel", "tender", "proof_of_purchase")
_ASKED: Final = (
    "SELECT r.return_id, COALESCE(r.customer_id, o.customer_id), o.order_id, r.requested_at, r.line_id, r.quantity,"
    f" {', '.join(f'r.{name}' for name in _STATED)} FROM returns r JOIN orders o ON o.order_no = r.order_no"
    " WHERE r.requested_at >= ? AND r.requested_at < ? ORDER BY r.requested_at, r.return_id, r.line_id"
)


class _Fixed(NamedTuple):
    """The model of these weeks."""

    model: LoadedModel

    def current(self) -> LoadedModel:
        """That one."""
        return self.model


class _Clock:
    """The moment that is lived through."""

    now = 0

    def __call__(self) -> int:
        """It, in microseconds since 1970 UTC."""
        return self.now


def replay(own: Settings, tables: Path, state: Progress, bars: Bars) -> None:
    """Lives through the days that `state` has left, each in one transaction, and keeps count in `demo.json`."""
    days = state.days_to_replay
    task = bars.add_task("days", total=len(days))
    ledger = Ledger.open(own)
    try:
        clock, model = _Clock(), champion_now(own)
        answerer = Answerer(Explainer(default_catalogue()), ledger.hasher)
        assessor = Assessor(_Fixed(model), FeatureReader(own), PolicySource(), answerer, ledger.hasher, clock=clock)
        weeks: _Weeks | None = None
        for day in days:
            begin = (day - _EPOCH).days * DAY
            with ledger.write() as conn:
                if weeks is None:
                    assessor.warm(conn)
                    team = employ(conn, begin)
                    few_from = (state.end - _EPOCH).days * DAY - DAY
                    shifts = Shifts(team, read_truth(tables), ledger.hasher, assessor.rescore, few_from=few_from)
                    for case in repository.select(conn, "WHERE state != 'closed' ORDER BY case_no"):
                        shifts.opened(conn, case, begin)
                    weeks = _Weeks(ledger, assessor, model, shifts, team, clock)
                weeks.live_through(conn, begin, state.replayed)
            state.replayed += 1
            state.save(own.home)
            bars.advance(task)
    finally:
        ledger.close()


@dataclass(frozen=True)
class _Weeks:
    """Everything that acts in these weeks."""

    ledger: Ledger
    assessor: Assessor
    model: LoadedModel
    shifts: Shifts
    team: Team
    clock: _Clock

    def live_through(self, conn: Connection, begin: int, number: int) -> None:
        """A day: what is asked for, planned and due, in the order of time."""
        end = begin + DAY
        self.shifts.rng = np.random.default_rng([begin // DAY])
        requests, deeds = _requests(conn, begin, end), policies.on_day(number, begin)
        request, deed = next(requests, None), next(deeds, None)
        self.shifts.begins(conn, begin)
        sweep_at = begin
        while True:
            asked_at = end if request is None or request.request.requested_at is None else request.request.requested_at
            deed_at = end if deed is None else deed.at
            work_at = max(self.shifts.next_at() or end, begin)
            now = self.clock.now = min(asked_at, work_at, deed_at, sweep_at)
            if now >= end:
                return
            if now == sweep_at:
                self._let_time_pass(conn, now)
                sweep_at += _SWEEP_EVERY
            elif request is not None and now == asked_at:
                self._assess(conn, request, now)
                request = next(requests, None)
            elif deed is not None and now == deed_at:
                deed.do(conn, self.team, now)
                deed = next(deeds, None)
            else:
                self.shifts.work(conn)

    def _let_time_pass(self, conn: Connection, now: int) -> None:
        """What the service does by itself: deadlines, disputes that were decided, letters to customers."""
        while deadlines.is_due(conn, now):
            deadlines.sweep(conn, now, hasher=self.ledger.hasher)
        disputes.settle(conn, now=now, hasher=self.ledger.hasher)
        policy = in_force(conn)
        for due in correspondence.due(conn, now - DAY, _AT_ONCE):
            letter = notices.prepare(conn, due.kind, due.case_no, due.round, policy=policy, model=self.model, now=now)
            if letter is not None:
                notices.make(conn, letter, now=now)

    def _assess(self, conn: Connection, request: Prepared, now: int) -> None:
        if not self.assessor.is_ready(conn, request):
            self.assessor.before(conn, request)
        answered = self.assessor.assess(conn, request)
        if answered.assessment_id and orjson.loads(answered.answer)["check"] is not None:
            case = repository.of_return(conn, request.request.return_id)
            assert case is not None
            self.shifts.opened(conn, case, now)


def _requests(conn: Connection, begin: int, end: int) -> Iterator[Prepared]:
    """What was asked for between two moments, as the returns system would have asked."""
    for return_id, lines in groupby(rows(conn, _ASKED, (begin, end)), key=itemgetter(0)):
        found = [*lines]
        _, customer_id, order_id, requested_at, _, _, *stated = found[0]
        body = {
            "return_id": return_id,
            "customer_id": customer_id,
            "order_id": order_id,
            "requested_at": iso(requested_at),
            "lines": [{"line_id": line[4], "quantity": line[5]} for line in found],
            **{name: value for name, value in zip(_STATED, stated, strict=True) if value is not None},
        }
        if "proof_of_purchase" in body:
            body["proof_of_purchase"] = bool(body["proof_of_purchase"])
        yield prepare(AssessmentRequest.model_validate(body))

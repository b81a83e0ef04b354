"""What each kind of notice tells of a case, apart from why a return is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from features.service import VECTOR
from serving.notices import repository
from serving.notices.repository import Assessed, CaseFacts
from serving.notices.terms import DISPUTE_DAYS
from serving.notices.words import Kind, Told

_FIRST_ORDER: Final = VECTOR.index("customer_seconds_since_first_order")


def _base(case: CaseFacts, assessed: Assessed | None, kind: Kind, now: int) -> Told:
    since = None
    if assessed is not None:
        vector = np.frombuffer(assessed.vector, dtype="<f8")
        if len(vector) == len(VECTOR) and vector[_FIRST_ORDER] == vector[_FIRST_ORDER]:
            since = assessed.requested_at - int(vector[_FIRST_ORDER]) * SECOND
    return Told(
        kind=kind,
        reference=case.case_id,
        return_id=case.return_id,
        order_id=case.order_id,
        disputable_until=now + DISPUTE_DAYS * DAY,
        since=since,
        assessed=assessed is not None,
    )


def _check(_conn: Connection, case: CaseFacts, assessed: Assessed | None, _round: int, now: int) -> Told | None:
    return _base(case, assessed, "check", now)


def _verdict(conn: Connection, case: CaseFacts, assessed: Assessed | None, round_: int, now: int) -> Told | None:
    given = repository.verdicts(conn, case.case_no)
    if not 1 <= round_ <= len(given):
        return None
    return replace(
        _base(case, assessed, "verdict", now),
        verdict=given[round_ - 1].verdict,
        basis=given[round_ - 1].basis,
        findings=tuple(repository.findings(conn, case.case_no)),
    )


def _restriction(conn: Connection, case: CaseFacts, assessed: Assessed | None, round_: int, now: int) -> Told | None:
    made = repository.restrictions(conn, case.case_no)
    if not 1 <= round_ <= len(made):
        return None
    _, until, lifted = made[round_ - 1]
    return None if lifted is not None else replace(_base(case, assessed, "restriction", now), until=until)


def _received(conn: Connection, case: CaseFacts, assessed: Assessed | None, round_: int, now: int) -> Told | None:
    disputes = repository.disputes(conn, case.case_no)
    if not 1 <= round_ <= len(disputes):
        return None
    one = disputes[round_ - 1]
    return replace(_base(case, assessed, "dispute_received", now), until=one.due_at, received=one.received_at)


def _decided(conn: Connection, case: CaseFacts, assessed: Assessed | None, round_: int, now: int) -> Told | None:
    disputes = repository.disputes(conn, case.case_no)
    if not 1 <= round_ <= len(disputes) or disputes[round_ - 1].decided_at is None:
        return None
    one = disputes[round_ - 1]
    given = [each for each in repository.verdicts(conn, case.case_no) if each.at <= (one.decided_at or 0)]
    if not given:
        return None
    return replace(
        _base(case, assessed, "dispute_decided", now),
        outcome=one.outcome or "upheld",
        verdict=given[-1].verdict,
        basis=given[-1].basis,
        findings=tuple(repository.findings(conn, case.case_no)),
    )


_Teller = Callable[[Connection, CaseFacts, Assessed | None, int, int], Told | None]
#: By kind; None where the case has nothing of that round. Arguments: case, assessment of its return, round, now.
TOLD: Final[dict[Kind, _Teller]] = {
    "check": _check,
    "verdict": _verdict,
    "restriction": _restriction,
    "dispute_received": _received,
    "dispute_decided": _decided,
}

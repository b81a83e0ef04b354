"""Opening cases: one for each return that somebody looks at."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy.engine import Connection

from features.clock import day_of
from features.ledger.sql import rows
from serving import metrics
from serving.audit.trail import CUSTOMER, SYSTEM, Actor, record
from serving.cases import claim, repository
from serving.cases.permitted import demand
from serving.cases.reference import new_reference
from serving.cases.repository import Case
from serving.cases.states import Step, after
from serving.cases.telling import tell_opened
from serving.cases.terms import current
from serving.policy.checks import LOOKS, Check
from serving.problems import wrong

_ASSESSED: Final = "SELECT assessment_id, risk, risk_band, action, answer FROM assessments WHERE return_id = ?"
_ORDER: Final = "SELECT order_no FROM orders WHERE order_id = ?"


class Assessed(NamedTuple):
    """What an assessment knows of a return. `category` is that of its dearest line, `reasons` has the codes of the
    reasons, strongest first, separated by one space."""

    assessment_id: str
    return_id: str
    order_no: int
    order_id: str
    customer_id: str
    kind: str
    reason: str
    country: str | None
    channel: str | None
    category: str | None
    currency: str | None
    value_minor: int
    risk: float
    risk_band: str
    reasons: str
    action: str


def open_for_assessment(conn: Connection, assessed: Assessed, check: Check, now: int) -> None:
    """Opens the case of a return that somebody should look at, in the transaction of its assessment.

    A check that was only drawn (`opened_because` is `draw`) holds up no refund. If the return has a case already, the
    assessment is added to it; one that only its deadline had closed is open again.
    """
    because = "action" if assessed.action in LOOKS else "draw"
    due_at = now + current(conn).of(because, assessed.action).length
    case = Case(
        case_no=0,
        case_id=new_reference(),
        return_id=assessed.return_id,
        order_no=assessed.order_no,
        order_id=assessed.order_id,
        customer_id=assessed.customer_id,
        assessment_id=assessed.assessment_id,
        opened_at=now,
        opened_because=because,
        action=assessed.action,
        kind=assessed.kind,
        reason=assessed.reason,
        country=assessed.country,
        channel=assessed.channel,
        category=assessed.category,
        currency=assessed.currency,
        value_minor=assessed.value_minor,
        expected_loss_minor=expected_loss(assessed.risk, assessed.value_minor),
        risk=assessed.risk,
        risk_band=assessed.risk_band,
        reasons=assessed.reasons,
        trigger=check.trigger,
        propensity=check.propensity,
        state_since=now,
        due_at=due_at,
        due_day=day_of(due_at),
    )
    if _keep(conn, SYSTEM, case, now) is not None:
        return
    known = repository.of_return(conn, assessed.return_id)
    assert known is not None
    _annotate(conn, known, assessed, check, now)


def open_by_hand(conn: Connection, actor: Actor, return_id: str, now: int) -> Case:
    """Opens the case of any return in the ledger; the one that it has, if it has one.

    Raises:
        NotAllowed: not with this role.
        Invalid: the ledger has no such return.
    """
    demand(actor, "case.open")
    return _open(conn, actor, return_id, "hand", now)


def open_for_dispute(conn: Connection, return_id: str, now: int, *, actor: Actor = CUSTOMER) -> Case:
    """Opens a case in which nothing but the dispute is known yet; the one that the return has, if it has one.

    What makes it disputed is `serving.cases.work.dispute`.

    Raises:
        Invalid: the ledger has no such return.
    """
    return _open(conn, actor, return_id, "dispute", now)


def expected_loss(risk: float | None, value_minor: int) -> int:
    """What is lost on average if nobody looks: risk times value. Where nothing was assessed nobody knows: 0.

    >>> expected_loss(0.25, 19_999)
    5000
    """
    return 0 if risk is None else round(risk * value_minor)


def _open(conn: Connection, actor: Actor, return_id: str, because: str, now: int) -> Case:
    known = repository.of_return(conn, return_id)
    if known is not None:
        return known
    try:
        asked = claim.read(conn, return_id)
    except LookupError:
        raise wrong("the ledger has no such return", "return_id") from None
    assessed = rows(conn, _ASSESSED, (return_id,))
    assessment_id, risk, band, action, answer = assessed[0] if assessed else (None, None, None, None, None)
    due_at = now + current(conn).of(because, action).length
    case = Case(
        case_no=0,
        case_id=new_reference(),
        return_id=return_id,
        order_no=int(rows(conn, _ORDER, (asked.order_id,))[0][0]),
        order_id=asked.order_id,
        customer_id=asked.customer_id,
        assessment_id=assessment_id,
        opened_at=now,
        opened_because=because,
        action=action,
        kind=asked.kind,
        reason=asked.reason,
        country=asked.country,
        channel=asked.order_channel,
        category=asked.main.category,
        currency=asked.currency,
        value_minor=asked.value_minor,
        expected_loss_minor=expected_loss(risk, asked.value_minor),
        risk=risk,
        risk_band=band,
        reasons=None if answer is None else " ".join(each["code"] for each in orjson.loads(answer)["reasons"]),
        trigger=None,
        propensity=None,
        state_since=now,
        due_at=due_at,
        due_day=day_of(due_at),
    )
    case_no = _keep(conn, actor, case, now)
    assert case_no is not None
    return case._replace(case_no=case_no)


def _keep(conn: Connection, actor: Actor, case: Case, now: int) -> int | None:
    """Number of the case that is now kept, None if its return has another one."""
    case_no = repository.open_case(conn, case)
    if case_no is None:
        return None
    operation = "system.case.open" if actor is SYSTEM else "case.open"
    content = {"step": "open", "because": case.opened_because, "revision": case.revision}
    record(conn, actor, operation, at=now, case_no=case_no, content=content)
    tell_opened(conn, case, case.opened_because, now)
    metrics.cases_opened_total.labels(case.opened_because).inc()
    return case_no


def _annotate(conn: Connection, case: Case, assessed: Assessed, check: Check, now: int) -> None:
    """Adds an assessment to the case that the return has. A verdict that a person gave stands."""
    reopens = case.is_closed and case.closed_by is None
    step: Step = "reopen" if reopens else "annotate"
    state, rests_in = after(case.state, case.rests_in, step)
    changes: dict[str, Any] = {
        "assessment_id": assessed.assessment_id,
        "action": assessed.action,
        "risk": assessed.risk,
        "risk_band": assessed.risk_band,
        "reasons": assessed.reasons,
        "expected_loss_minor": expected_loss(assessed.risk, assessed.value_minor),
        "trigger": check.trigger,
        "propensity": check.propensity,
    }
    because = "action" if assessed.action in LOOKS else "draw"
    if reopens:
        changes |= {"state": state, "state_since": now, "rests_in": rests_in, "closed_at": None}
        changes |= {"escalated_at": None, "due_at": now + current(conn).of(because, assessed.action).length}
    case = repository.change(conn, case, **changes)
    content = {"step": step, "assessment_id": assessed.assessment_id, "revision": case.revision}
    if reopens:
        tell_opened(conn, case, because, now)
    record(conn, SYSTEM, f"system.case.{step}", at=now, case_no=case.case_no, content=content)

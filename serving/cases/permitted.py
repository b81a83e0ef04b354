"""Who may take which step: each step is one operation of `serving.staff.permissions`."""

from __future__ import annotations

from typing import Final

from serving.audit.trail import Actor
from serving.cases.errors import NotAllowed
from serving.cases.states import Step
from serving.staff.permissions import may

#: Operation of a step. A verdict has an operation of its own each.
OPERATIONS: Final[dict[Step, str]] = {
    "claim": "case.claim",
    "release": "case.claim",
    "judge": "case.judge",
    "show_risk": "case.see_risk",
    "check": "case.check",
    "find": "case.find",
    "withdraw_finding": "case.find",
    "note": "case.note",
    "photograph": "case.photograph",
    "wait_for_customer": "case.wait",
    "wait_for_inspection": "case.wait",
    "resume": "case.wait",
    "ask_second_opinion": "case.ask_second_opinion",
    "reopen": "case.reopen",
    "dispute": "case.open",
}
VERDICT_OPERATIONS: Final = {
    "cleared": "case.clear",
    "abuse_confirmed": "case.confirm",
    "inconclusive": "case.leave_open",
}


def demand(actor: Actor, operation: str) -> None:
    """Raises unless the actor may do it: staff by their role, the service all, a customer open a dispute.

    Raises:
        NotAllowed: not with this role.
    """
    if actor.is_staff:
        allowed = actor.role is not None and may(actor.role, operation)
    else:
        allowed = actor.kind == "system" or operation == "case.open"
    if not allowed:
        raise NotAllowed(operation)


def operation_of(actor: Actor, step: Step, operation: str) -> str:
    """How the audit trail calls it."""
    return operation if actor.is_staff else f"{actor.kind}.case.{step}"

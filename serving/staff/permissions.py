"""Who may do what: one table of roles and operations.

Every page and every form of the console names its operation, and nothing is allowed that does not stand here. A test
asks each operation of each role, over HTTP.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Role = Literal["desk", "reviewer", "lead", "analyst", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

#: What a role is for, by operation. An administrator keeps accounts and connections, and sees no cases; an analyst sees
#: figures and no persons.
PERMISSIONS: Final[dict[str, frozenset[Role]]] = {
    "queue.view": frozenset(("desk", "reviewer", "lead")),
    "case.view": frozenset(("desk", "reviewer", "lead")),
    "case.open": frozenset(("desk", "reviewer", "lead")),
    "case.claim": frozenset(("desk", "reviewer", "lead")),
    "case.judge": frozenset(("desk", "reviewer", "lead")),
    "case.see_risk": frozenset(("reviewer", "lead")),
    "case.check": frozenset(("desk", "reviewer", "lead")),
    "case.find": frozenset(("desk", "reviewer", "lead")),
    "case.note": frozenset(("desk", "reviewer", "lead")),
    "case.photograph": frozenset(("desk", "reviewer", "lead")),
    "case.wait": frozenset(("desk", "reviewer", "lead")),
    "case.ask_second_opinion": frozenset(("reviewer", "lead")),
    "case.clear": frozenset(("desk", "reviewer", "lead")),
    "case.clear_many": frozenset(("reviewer", "lead")),
    "case.confirm": frozenset(("reviewer", "lead")),
    "case.leave_open": frozenset(("reviewer", "lead")),  # the verdict `inconclusive`
    "case.reopen": frozenset(("lead",)),
    "case.release_others": frozenset(("lead",)),
    "case.export": frozenset(("reviewer", "lead")),
    "customer.view": frozenset(("reviewer", "lead")),
    "customer.export": frozenset(("lead",)),
    "customer.correct": frozenset(("lead",)),
    "customer.erase": frozenset(("lead",)),
    "restriction.set": frozenset(("lead",)),
    "restriction.lift": frozenset(("reviewer", "lead")),
    "overview.view": frozenset(("reviewer", "lead", "analyst")),
    "policy.view": frozenset(("desk", "reviewer", "lead", "analyst", "administrator")),
    "policy.simulate": frozenset(("lead", "analyst")),
    "policy.propose": frozenset(("lead", "analyst")),
    "policy.publish": frozenset(("lead",)),  # never one's own proposal
    "help.view": frozenset(ROLES),
    "account.own": frozenset(ROLES),
    "staff.manage": frozenset(("administrator",)),
    "connections.manage": frozenset(("administrator",)),
}


def may(role: str, operation: str) -> bool:
    """Whether a role may do something.

    Raises:
        KeyError: there is no such operation.
    """
    return role in PERMISSIONS[operation]

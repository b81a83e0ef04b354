"""Where a case can stand, and what each step makes of it: one table.

A case that nobody has *rests* somewhere: among the open ones, among those that somebody wanted a second opinion on, or
among the disputed ones. A claim takes it from there, and puts it back when it ends. No step leads to a refusal: a case
only ever ends in a verdict about the past, and what is done with the money stands in the policy.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

State = Literal["open", "claimed", "waiting_customer", "waiting_inspection", "second_opinion", "closed", "disputed"]
STATES: Final[tuple[State, ...]] = get_args(State)
Resting = Literal["open", "second_opinion", "disputed"]
RESTING: Final[tuple[Resting, ...]] = get_args(Resting)

Step = Literal[
    "claim",
    "release",
    "judge",
    "show_risk",
    "check",
    "find",
    "withdraw_finding",
    "note",
    "photograph",
    "wait_for_customer",
    "wait_for_inspection",
    "resume",
    "ask_second_opinion",
    "close",
    "reopen",
    "dispute",
    "annotate",
    "arrive",
    "lapse",
    "escalate",
    "expire",
]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
#: What the service does by itself.
OWN_STEPS: Final[tuple[Step, ...]] = ("annotate", "arrive", "lapse", "escalate", "expire")

#: Stands for the state in which the case rests, and for the one in which it is.
RESTS: Final = "rests"
SAME: Final = "same"

#: What takes a case into the hands of who does it.
_WORK: Final[tuple[Step, ...]] = ("claim", "judge", "check", "find", "withdraw_finding")
#: What changes nothing about where a case stands.
_BESIDE: Final[tuple[Step, ...]] = ("show_risk", "note", "photograph", "annotate")
_WAITS: Final[tuple[State, ...]] = ("waiting_customer", "waiting_inspection")

#: (from, step) -> to. What does not stand here is not possible.
TRANSITIONS: Final[dict[tuple[State, Step], str]] = {
    **{(state, step): "claimed" for state in STATES if state != "closed" for step in _WORK},
    **{(state, step): SAME for state in STATES for step in _BESIDE},
    **{(state, "wait_for_customer"): "waiting_customer" for state in STATES if state != "closed"},
    **{(state, "wait_for_inspection"): "waiting_inspection" for state in STATES if state != "closed"},
    ("claimed", "release"): RESTS,
    ("claimed", "lapse"): RESTS,
    **{(state, "resume"): RESTS for state in _WAITS},
    ("waiting_inspection", "arrive"): RESTS,
    ("open", "ask_second_opinion"): "second_opinion",
    ("second_opinion", "ask_second_opinion"): "second_opinion",
    ("disputed", "ask_second_opinion"): "disputed",
    **{(state, "ask_second_opinion"): RESTS for state in ("claimed", *_WAITS)},
    ("open", "escalate"): "second_opinion",
    ("second_opinion", "escalate"): "second_opinion",
    ("disputed", "escalate"): "disputed",
    **{(state, "escalate"): RESTS for state in _WAITS},
    **{(state, "close"): "closed" for state in STATES if state != "closed"},
    **{(state, "expire"): "closed" for state in STATES if state not in ("closed", "claimed")},
    ("closed", "reopen"): RESTS,
    **{(state, "dispute"): "disputed" for state in STATES},
}

#: What a step makes of where a case rests; the others leave it.
_RESTS_AFTER: Final[dict[tuple[Resting, Step], Resting]] = {
    ("open", "ask_second_opinion"): "second_opinion",
    ("open", "escalate"): "second_opinion",
    **{(rest, step): "open" for rest in RESTING for step in ("close", "expire", "reopen")},
    **{(rest, "dispute"): "disputed" for rest in RESTING},
}


def is_possible(state: State, step: Step) -> bool:
    """Whether a case of that state can take the step."""
    return (state, step) in TRANSITIONS


def after(state: State, rests_in: Resting, step: Step) -> tuple[State, Resting]:
    """Where a case stands after a step, and where it rests from then on.

    >>> after("claimed", "open", "ask_second_opinion")
    ('second_opinion', 'second_opinion')

    Raises:
        KeyError: the step is not possible.
    """
    to = TRANSITIONS[state, step]
    rest = _RESTS_AFTER.get((rests_in, step), rests_in)
    if to == RESTS:
        return rest, rest
    return state if to == SAME else _STATE[to], rest


_STATE: Final[dict[str, State]] = {state: state for state in STATES}

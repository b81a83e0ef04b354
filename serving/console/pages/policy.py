"""The policy: the text in force, its history, and how it changes, with a second person."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sqlalchemy.engine import Connection
from starlette.responses import Response

from serving.audit import trail
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.policy import publishing, simulations
from serving.policy.changes import changes
from serving.policy.chart import chart
from serving.policy.faults import PolicyError
from serving.policy.nodes import LONGEST
from serving.policy.policy import Policy
from serving.policy.publishing import Published
from serving.policy.segments import DIMENSIONS
from serving.policy.source import default_policy, in_force, in_force_no, parsed
from serving.problems import Forbidden, NotFound
from serving.refused import Refused
from serving.staff import repository as staff

pages = Pages()

_SHOWN: Final = 20
_FORM_BYTES: Final = 4 * LONGEST + 64 * 1024


@pages.page("/policy", "policy.view")
def show(visit: SignedIn) -> Response:
    """The text in force, and its history."""
    raw = visit.request.query_params.get("before", "")
    before = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 18 else None
    with visit.context.ledger.read() as conn:
        policy, number = in_force(conn), in_force_no(conn)
        present = None if number is None else publishing.find(conn, number)
        history = publishing.history(conn, at_most=_SHOWN + 1, before=before)
        names = staff.names(conn)
    return visit.render(
        "policy/page.html",
        policy=policy,
        present=present,
        lines=policy.text.splitlines(),
        clauses=_clauses_by_section(policy),
        troubles=visit.context.policies.troubles,
        proposals=[each for each in history if each.is_open],
        history=[each for each in history[:_SHOWN] if not each.is_open],
        earlier=history[_SHOWN - 1].policy_no if len(history) > _SHOWN else None,
        is_later=before is not None,
        names=names,
    )


@pages.page("/policy/versions/{policy_no}", "policy.view")
def show_version(visit: SignedIn, policy_no: str) -> Response:
    """One policy that was proposed: what it changes, what it would have done, and what became of it."""
    return _version(visit, policy_no, 200)


@pages.page("/policy/edit", "policy.propose")
def edit(visit: SignedIn) -> Response:
    """The text in force, or another, to be changed."""
    raw = visit.request.query_params.get("from", "")
    with visit.context.ledger.read() as conn:
        found = publishing.find(conn, _number(raw)) if raw else None
        text = in_force(conn).text if found is None else found.content
    return _editor(visit, text, [], 200)


@pages.form("/policy/edit", "policy.propose", max_bytes=_FORM_BYTES)
async def edit_further(visit: SignedIn) -> Response:
    """A text that was simulated, to be changed further."""
    return _editor(visit, _text(visit), [], 200)


@pages.form("/policy/simulations", "policy.simulate", max_bytes=_FORM_BYTES)
async def ask(visit: SignedIn) -> Response:
    """Has a simulation made of a text."""
    text = _text(visit)
    raw = visit.form.raw("days")
    days = int(raw) if raw in {str(each) for each in simulations.STRETCHES} else simulations.STRETCHES[-1]
    try:
        await _read_aside(text)
        wanted = await visit.write(lambda conn: simulations.ask(conn, visit.actor, text, days, visit.now))
    except PolicyError as error:
        return _editor(visit, text, _faults(text, error), 422)
    except Refused as error:
        visit.form.refuse(error.field or "text", error.key, **error.values)
        return _editor(visit, text, [], 422)
    visit.context.simulator.begin(wanted)
    return visit.redirect(f"/policy/simulations/{wanted}")


@pages.page("/policy/simulations/{simulation_id}", "policy.simulate")
def show_simulation(visit: SignedIn, simulation_id: str) -> Response:
    """How far a simulation is, or what it found."""
    with visit.context.ledger.read() as conn:
        found = simulations.find(conn, simulation_id)
        present = in_force(conn)
    if found is None:
        raise NotFound(visit.t("policy.no_simulation"))
    return visit.render(
        "policy/simulation.html",
        simulation=found,
        lost=found.is_lost(visit.now),
        is_present=found.content == present.text,
        stale=present.text not in (found.against, found.content),
        **_result(found.found),
    )


@pages.form("/policy/proposals", "policy.propose", max_bytes=_FORM_BYTES)
async def propose(visit: SignedIn) -> Response:
    """Puts a text before a second person."""
    form, text = visit.form, _text(visit)
    why = form.text("why", longest=publishing.LONGEST_WHY, required=True, lines=True)
    if form.is_fine:
        try:
            await _read_aside(text)
            made = await visit.write(lambda conn: publishing.propose(conn, visit.actor, text, why, visit.now))
            return visit.redirect(f"/policy/versions/{made.policy_no}", said="policy.proposed")
        except PolicyError as error:
            return _editor(visit, text, _faults(text, error), 422)
        except Refused as error:
            form.refuse(error.field or "text", error.key, **error.values)
    return _editor(visit, text, [], 422)


@pages.form("/policy/versions/{policy_no}/publish", "policy.publish")
async def publish(visit: SignedIn, policy_no: str) -> Response:
    """Puts a proposal of somebody else in force."""
    return await _decide(visit, policy_no, True, "policy.published")


@pages.form("/policy/versions/{policy_no}/decline", "policy.publish")
async def decline(visit: SignedIn, policy_no: str) -> Response:
    """Declines a proposal."""
    return await _decide(visit, policy_no, False, "policy.is_declined")


@pages.form("/policy/versions/{policy_no}/take-back", "policy.propose")
async def take_back(visit: SignedIn, policy_no: str) -> Response:
    """Takes one's own proposal back."""
    return await _decide(visit, policy_no, False, "policy.is_taken_back")


async def _read_aside(text: str) -> None:
    """Reads a text in a thread, where a long one holds up nobody; it is then kept, and read in no time.

    Raises:
        PolicyError: something in it is wrong.
    """
    await asyncio.to_thread(parsed, text, "policy")


async def _decide(visit: Visit, policy_no: str, publish: bool, said: str) -> Response:
    number = _number(policy_no)
    try:
        made = await visit.write(lambda conn: publishing.decide(conn, visit.actor, number, publish, visit.now))
    except (Refused, PolicyError) as error:
        if await visit.read(lambda conn: publishing.find(conn, number)) is None:
            raise NotFound(visit.t("policy.unknown", number=policy_no)) from error
        key, values = (error.key, error.values) if isinstance(error, Refused) else ("policy.not_valid_any_more", {})
        return visit.redirect(f"/policy/versions/{number}", said=key, is_bad=True, **values)
    except Forbidden:
        return visit.redirect(f"/policy/versions/{number}", said="policy.not_yours", is_bad=True)
    return visit.redirect(f"/policy/versions/{made.policy_no}", said=said, version=made.version)


def _version(visit: Visit, policy_no: str, status: int) -> Response:
    with visit.context.ledger.read() as conn:
        found = publishing.find(conn, _number(policy_no))
        if found is None:
            raise NotFound(visit.t("policy.unknown", number=policy_no))
        before = _before(conn, found)
        present = in_force_no(conn)
        simulation = simulations.latest_of(conn, found.content)
        entries = trail.of_subject(conn, f"policy:{found.policy_no}", at_most=20)
        names = staff.names(conn)
    return visit.render(
        "policy/version.html",
        status,
        found=found,
        lines=found.content.splitlines(),
        changes=changes(before, found.content),
        in_force=present == found.policy_no,
        another_since=found.is_open and present != found.in_force_no,
        is_own=found.proposed_by == visit.who.staff_id,
        simulation=simulation,
        outcome=None if simulation is None else simulation.found,
        entries=entries,
        names=names,
    )


def _before(conn: Connection, found: Published) -> str:
    """The text that a policy was written to take the place of."""
    former = None if found.in_force_no is None else publishing.find(conn, found.in_force_no)
    return default_policy().text if former is None else former.content


def _editor(visit: Visit, text: str, faults: list[dict[str, Any]], status: int) -> Response:
    stretches = [(str(days), visit.t("policy.last_days", count=days)) for days in simulations.STRETCHES]
    return visit.render("policy/edit.html", status, text=text, faults=faults, stretches=stretches, longest=LONGEST)


def _text(visit: Visit) -> str:
    """The text as it was typed, with the ends of lines of a file."""
    return visit.form.raw("text").replace("\r\n", "\n").replace("\r", "\n")


def _faults(text: str, error: PolicyError) -> list[dict[str, Any]]:
    """Faults with the line that each is about."""
    lines = text.splitlines()
    return [
        {
            "line": fault.line,
            "path": fault.path,
            "what": fault.what,
            "text": lines[fault.line - 1].strip() if fault.line <= len(lines) else "",
        }
        for fault in error.faults
    ]


def _result(found: dict[str, Any] | None) -> dict[str, Any]:
    """What the page shows of a result."""
    if found is None:
        return {"outcome": None, "picture": None, "dimensions": ()}
    picture = chart([days["checks"] for days in found["days"]], found["days"][0]["capacity"])
    dimensions = [
        (dimension, [each for each in found["segments"] if each["dimension"] == dimension]) for dimension in DIMENSIONS
    ]
    return {"outcome": found, "picture": picture, "dimensions": dimensions}


def _clauses_by_section(policy: Policy) -> dict[str, list[Any]]:
    by_section: dict[str, list[Any]] = {}
    for clause in policy.clauses.values():
        by_section.setdefault(clause.section, []).append(clause)
    return by_section


def _number(raw: str) -> int:
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 18 else 0

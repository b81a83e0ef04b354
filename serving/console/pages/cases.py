"""A case: what is claimed and what speaks for and against it, and everything that staff do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection
from starlette.responses import Response

from features.ledger import vocabulary
from serving.audit.trail import Entry
from serving.cases import concluding, lookers, queue, repository, work
from serving.cases.errors import AnotherPerson, Held, Incomplete, NotPossible, Stale
from serving.cases.repository import Case
from serving.cases.steps import changes_by_others
from serving.cases.words import LONGEST
from serving.console.case_page import case_page
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.console.wanted import Wanted, wanted
from serving.problems import NotFound
from serving.staff import repository as staff

pages = Pages()

Work = Callable[..., Case]


@pages.page("/cases/{case_id}", "case.view")
async def show(visit: SignedIn, case_id: str) -> Response:
    """The page. That somebody has looked, and whether they saw the risk, goes into the trail."""
    return await _page(visit, await _found(visit, case_id))


@pages.page("/cases/{case_id}/now", "case.view", is_quiet=True)
async def still_open(visit: SignedIn, case_id: str) -> Response:
    """Notes that the page is still open, and says who else looks and what has changed since."""
    case = await _found(visit, case_id)
    revision = visit.request.query_params.get("revision", "")
    seen = int(revision) if revision.isdecimal() and len(revision) < 10 else case.revision
    await visit.write(lambda conn: lookers.note(conn, visit.actor, case.case_no, visit.now))

    def read(conn: Connection) -> tuple[list[str], list[Entry], dict[str, str]]:
        looking = lookers.of_cases(conn, [case.case_no], visit.now, but=visit.who.staff_id)
        since = changes_by_others(conn, visit.actor, case, seen) if seen < case.revision else []
        return looking.get(case.case_no, []), since, staff.names(conn)

    looking, since, names = await visit.read(read)
    return visit.render(
        "case/_now.html", case=case, looking=looking, since=since, names=names, seen=seen, wanted=_wanted(visit)
    )


@pages.form("/cases/{case_id}/claim", "case.claim")
async def claim(visit: SignedIn, case_id: str) -> Response:
    """Takes the case."""
    return await _step(visit, case_id, work.claim, "case.said.claimed")


@pages.form("/cases/{case_id}/release", "case.claim")
async def release(visit: SignedIn, case_id: str) -> Response:
    """Gives it back."""
    return await _step(visit, case_id, work.release, "case.said.released")


@pages.form("/cases/{case_id}/judgement", "case.judge")
async def judge(visit: SignedIn, case_id: str) -> Response:
    """A first judgement, on the evidence."""
    judgement = visit.form.choice("judgement", work.JUDGEMENTS)
    return await _step(visit, case_id, work.judge, "case.said.judged", judgement=judgement)


@pages.form("/cases/{case_id}/risk", "case.see_risk")
async def show_risk(visit: SignedIn, case_id: str) -> Response:
    """Shows the risk before a judgement."""
    case = await _found(visit, case_id)
    await visit.write(lambda conn: work.show_risk(conn, visit.actor, case, now=visit.now))
    return await _done(visit, case, "case.said.risk_shown")


@pages.form("/cases/{case_id}/checks", "case.check")
async def check(visit: SignedIn, case_id: str) -> Response:
    """The result of an item of the checklist."""
    item = visit.form.text("item", longest=100, required=True)
    result = visit.form.choice("result", work.CHECK_RESULTS)
    return await _step(visit, case_id, work.check, "case.said.checked", item=item, result=result)


@pages.form("/cases/{case_id}/findings", "case.find")
async def find(visit: SignedIn, case_id: str) -> Response:
    """What was seen."""
    finding = visit.form.choice("finding", vocabulary.FINDINGS)
    line_id = visit.form.text("line_id", longest=200)
    return await _step(visit, case_id, work.find, "case.said.found", finding=finding, line_id=line_id)


@pages.form("/cases/{case_id}/findings/{finding_no}/withdraw", "case.find")
async def withdraw(visit: SignedIn, case_id: str, finding_no: int) -> Response:
    """Takes one's own finding back."""
    return await _step(visit, case_id, work.withdraw_finding, "case.said.withdrawn", finding_no=finding_no)


@pages.form("/cases/{case_id}/notes", "case.note")
async def note(visit: SignedIn, case_id: str) -> Response:
    """A note."""
    words = visit.form.text("note", longest=LONGEST, required=True, lines=True)
    case = await _found(visit, case_id)
    if not visit.form.is_fine:
        return await _page(visit, case, 422)
    await visit.write(lambda conn: work.note(conn, visit.actor, case, now=visit.now, words=words))
    return await _done(visit, case, "case.said.noted", "#notes")


@pages.form("/cases/{case_id}/wait-for-customer", "case.wait")
async def wait_for_customer(visit: SignedIn, case_id: str) -> Response:
    """Waits for the customer's answer."""
    return await _step(
        visit,
        case_id,
        work.wait_for_customer,
        "case.said.waits",
        words=_words(visit, "why"),
    )


@pages.form("/cases/{case_id}/wait-for-item", "case.wait")
async def wait_for_inspection(visit: SignedIn, case_id: str) -> Response:
    """Waits for the goods to be looked at."""
    return await _step(
        visit,
        case_id,
        work.wait_for_inspection,
        "case.said.waits",
        words=_words(visit, "why"),
    )


@pages.form("/cases/{case_id}/resume", "case.wait")
async def resume(visit: SignedIn, case_id: str) -> Response:
    """Ends a wait."""
    return await _step(visit, case_id, work.resume, "case.said.resumed")


@pages.form("/cases/{case_id}/second-opinion", "case.ask_second_opinion")
async def ask_second_opinion(visit: SignedIn, case_id: str) -> Response:
    """Asks somebody else."""
    return await _step(
        visit,
        case_id,
        work.ask_second_opinion,
        "case.said.asked",
        words=_words(visit, "why"),
        goes_on=True,
    )


@pages.form("/cases/{case_id}/clear", "case.clear")
async def clear(visit: SignedIn, case_id: str) -> Response:
    """The verdict that all is well."""
    return await _conclude(visit, case_id, "cleared")


@pages.form("/cases/{case_id}/inconclusive", "case.leave_open")
async def leave_open(visit: SignedIn, case_id: str) -> Response:
    """The verdict that nobody can tell."""
    return await _conclude(visit, case_id, "inconclusive")


@pages.form("/cases/{case_id}/confirm", "case.confirm")
async def confirm(visit: SignedIn, case_id: str) -> Response:
    """The verdict of abuse: with evidence, and a reason in words."""
    form = visit.form
    basis = form.choice("basis", concluding.EVIDENCE)
    abuse_type = form.choice("abuse_type", vocabulary.ABUSE_TYPES, required=False) or None
    return await _conclude(visit, case_id, "abuse_confirmed", basis=basis, abuse_type=abuse_type)


@pages.form("/cases/{case_id}/reopen", "case.reopen")
async def reopen(visit: SignedIn, case_id: str) -> Response:
    """Looks at a closed case again."""
    words = visit.form.text("words", longest=LONGEST, required=True, lines=True)
    return await _step(visit, case_id, work.reopen, "case.said.reopened", words=words)


async def _conclude(visit: Visit, case_id: str, verdict: str, **more: Any) -> Response:
    return await _step(
        visit,
        case_id,
        work.close,
        f"case.said.{verdict}",
        verdict=verdict,
        words=_words(visit),
        hasher=visit.context.ledger.hasher,
        goes_on=visit.form.flag("next"),
        **more,
    )


async def _step(visit: Visit, case_id: str, step: Work, said: str, *, goes_on: bool = False, **more: Any) -> Response:
    """Takes a step, and shows the case as it then is, or what stood in the way with everything that was typed."""
    case = await _found(visit, case_id)
    revision = visit.form.integer("revision", least=0, most=2**31 - 1)
    if not visit.form.is_fine:
        return await _page(visit, case, 422)
    try:
        after = await visit.write(lambda conn: step(conn, visit.actor, case, revision=revision, now=visit.now, **more))
    except Stale as stale:
        return await _page(visit, case, 409, trouble="stale", since=stale.since)
    except Held as held:
        return await _page(visit, case, 409, trouble="held", holder=held.by, until=held.until)
    except NotPossible:
        return await _page(visit, case, 409, trouble="not_possible")
    except AnotherPerson:
        return await _page(visit, case, 409, trouble="another_person")
    except Incomplete as missing:
        visit.form.refuse(_FIELDS.get(missing.code, missing.field), f"case.missing.{missing.code}")
        return await _page(visit, case, 422)
    if goes_on:
        return await _go_on(visit, after, said)
    return await _done(visit, after, said)


#: Where on the page something is missing.
_FIELDS: Final = {"finding_missing": "basis", "basis_missing": "basis"}


async def _go_on(visit: Visit, case: Case, said: str) -> Response:
    """Leads to the next case of the queue that this person can take."""
    chosen = _wanted(visit)
    staff_id = visit.who.staff_id
    following = await visit.read(
        lambda conn: queue.next_case(conn, chosen.filters(staff_id), visit.now, staff_id=staff_id, but=case)
    )
    if following is None:
        return visit.redirect(f"/queue{chosen.query()}", said=said, id=case.case_id)
    return visit.redirect(f"/cases/{following.case_id}{chosen.query()}", said=said, id=case.case_id)


async def _done(visit: Visit, case: Case, said: str, place: str = "") -> Response:
    if visit.is_partial:
        fresh = await visit.read(lambda conn: repository.find_no(conn, case.case_no))
        visit.form.fields = ()
        return await _page(visit, fresh or case, done=said)
    return visit.redirect(f"/cases/{case.case_id}{_wanted(visit).query()}{place}", said=said, id=case.case_id)


async def _page(
    visit: Visit,
    case: Case,
    status: int = 200,
    *,
    done: str | None = None,
    trouble: str | None = None,
    since: Sequence[Entry] = (),
    holder: str | None = None,
    until: int | None = None,
) -> Response:
    if done is None:  # after a step, the step itself stands in the trail
        await visit.write(lambda conn: work.view(conn, visit.actor, case, now=visit.now))
    values = await visit.read(lambda conn: case_page(conn, case.case_id, _wanted(visit), visit=visit))
    return visit.render(
        "case/_case.html" if visit.is_partial else "case/page.html",
        status,
        **values,
        done=done,
        trouble=trouble,
        since=since,
        holder=holder,
        until=until,
    )


async def _found(visit: Visit, case_id: str) -> Case:
    case = await visit.read(lambda conn: repository.find(conn, case_id))
    if case is None:
        raise NotFound(visit.t("case.unknown"))
    return case


def _words(visit: Visit, name: str = "words") -> str:
    return visit.form.text(name, longest=LONGEST, lines=True)


def _wanted(visit: Visit) -> Wanted:
    return wanted(visit.request.query_params)

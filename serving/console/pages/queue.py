"""The queue: what to look at next, by deadline and then by what would be lost; and clearing several cases at once."""

from __future__ import annotations

from starlette.responses import Response

from serving.cases import opening, queue, repository, work
from serving.cases.words import LONGEST
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.console.wanted import BECAUSE, KINDS, VIEWS, wanted
from serving.problems import Invalid
from serving.staff import repository as staff

pages = Pages()


@pages.page("/queue", "queue.view")
def show(visit: SignedIn) -> Response:
    """A page of the queue."""
    return _page(visit)


@pages.page("/queue/counts", "queue.view", is_quiet=True)
def counts(visit: SignedIn) -> Response:
    """How much there is to do, for a page that stays open."""
    with visit.context.ledger.read() as conn:
        found = queue.counts(conn, visit.now, staff_id=visit.who.staff_id)
    return visit.render("queue/_tabs.html", wanted=wanted(visit.request.query_params), counts=found, views=VIEWS)


@pages.form("/queue/next", "case.claim")
async def claim_next(visit: SignedIn) -> Response:
    """Claims the first case that is free, and goes there."""
    chosen = wanted(visit.request.query_params)
    staff_id = visit.who.staff_id
    case = await visit.write(
        lambda conn: (
            None
            if (free := queue.next_case(conn, chosen.filters(staff_id), visit.now, staff_id=staff_id)) is None
            else work.claim(conn, visit.actor, free, revision=free.revision, now=visit.now)
        )
    )
    if case is None:
        return visit.redirect(f"/queue{chosen.query()}", said="queue.nothing_free", is_bad=True)
    return visit.redirect(f"/cases/{case.case_id}{chosen.query()}")


@pages.page("/queue/open", "case.open")
def show_open(visit: SignedIn) -> Response:
    """The form for opening a case by hand."""
    return visit.render("queue/open.html")


@pages.form("/queue/open", "case.open")
async def open_by_hand(visit: SignedIn) -> Response:
    """Opens the case of any return in the ledger."""
    return_id = visit.form.text("return_id", longest=200, required=True)
    if visit.form.is_fine:
        known = await visit.read(lambda conn: repository.of_return(conn, return_id))
        try:
            case = await visit.write(lambda conn: opening.open_by_hand(conn, visit.actor, return_id, visit.now))
        except Invalid:
            visit.form.refuse("return_id", "queue.no_return")
        else:
            return visit.redirect(f"/cases/{case.case_id}", said="queue.is_open" if known else "queue.opened")
    return visit.render("queue/open.html", 422)


@pages.form("/queue/clear", "case.clear_many")
async def clear(visit: SignedIn) -> Response:
    """Clears several cases: first asks, then does it."""
    chosen = wanted(visit.request.query_params)
    marked = _marked(visit)
    if not marked:
        return visit.redirect(f"/queue{chosen.query()}", said="queue.none_marked", is_bad=True)
    words = visit.form.text("words", longest=LONGEST, lines=True)
    if not visit.form.has("sure") or not visit.form.is_fine:
        cases = await visit.read(lambda conn: [repository.find(conn, case_id) for case_id, _ in marked])
        known = [case for case in cases if case is not None]
        return visit.render(
            "queue/clear.html", 200 if visit.form.is_fine else 422, cases=known, marked=marked, wanted=chosen
        )
    done = await visit.write(
        lambda conn: work.clear_many(
            conn, visit.actor, marked, now=visit.now, hasher=visit.context.ledger.hasher, words=words
        )
    )
    left = [each for each in done if each.problem is not None]
    if left:
        return visit.render("queue/cleared.html", 200, left=left, cleared=len(done) - len(left), wanted=chosen)
    return visit.redirect(f"/queue{chosen.query()}", said="queue.cleared", count=len(done))


def _marked(visit: Visit) -> list[tuple[str, int]]:
    """The cases that were ticked, each with the revision that it had on the page."""
    found: dict[str, int] = {}
    for value in visit.form.every("case"):
        case_id, _, revision = value.partition(":")
        if revision.isdecimal() and len(revision) < 10:
            found[case_id] = int(revision)
    return list(found.items())[: work.MOST_AT_ONCE]


def _page(visit: Visit) -> Response:
    chosen = wanted(visit.request.query_params)
    staff_id = visit.who.staff_id
    with visit.context.ledger.read() as conn:
        page = queue.page(conn, chosen.filters(staff_id), visit.now, staff_id=staff_id, after=chosen.after)
        found = queue.counts(conn, visit.now, staff_id=staff_id)
        choices = queue.choices(conn)
        names = staff.names(conn)
    return visit.render(
        "queue/page.html",
        wanted=chosen,
        page=page,
        counts=found,
        choices=choices,
        names=names,
        views=VIEWS,
        because=BECAUSE,
        kinds=KINDS,
    )

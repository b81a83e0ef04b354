"""A customer: what happened, what they were told, restrictions, and what they may ask for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from features.build import drop_table
from features.clock import DAY, SECOND
from features.ledger import vocabulary
from serving.audit import trail
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.disputes import repository as disputes
from serving.fields import MAX_ID_LENGTH
from serving.notices import repository as notices
from serving.policy.source import in_force
from serving.privacy import asking, correction, overview, service
from serving.privacy import repository as requests
from serving.privacy.export import export as exported
from serving.privacy.person import Person, find_person
from serving.privacy.service import Held
from serving.problems import Conflict, Invalid, NotFound
from serving.restrictions import repository as restrictions
from serving.restrictions import service as restricting
from serving.staff import repository as staff
from serving.texts import LANGUAGES

pages = Pages()

_LOOKS: Final = 50


@pages.page("/customers", "customer.view")
def search(visit: SignedIn) -> Response:
    """Where a customer is looked for. What was typed is sent as a form, so that no address holds it."""
    return _finding(visit)


@pages.form("/customers", "customer.view")
async def find(visit: SignedIn) -> Response:
    """Leads to the one customer, or lists the few, that a text fits."""
    text = visit.form.text("text", longest=2 * MAX_ID_LENGTH, required=True)
    if not visit.form.is_fine:
        return await run_in_threadpool(_finding, visit, 422)
    found = await visit.read(lambda conn: overview.found(conn, visit.context.ledger.hasher, text))
    if len(found) == 1:
        return visit.redirect(_path(found[0]))
    return await run_in_threadpool(_finding, visit, found=found)


@pages.form("/customers/-/export/{customer_id:path}", "customer.export")
async def export(visit: SignedIn, customer_id: str) -> Response:
    """Hands out the ZIP, and notes that it did."""
    language = visit.form.choice("language", LANGUAGES)
    if not visit.form.is_fine:
        return await _page(visit, customer_id, 422)
    hasher = visit.context.ledger.hasher

    def make(conn: Connection) -> tuple[Person, bytes, dict[str, int]]:
        person = _known(visit, conn, customer_id, messages=True)
        return person, *exported(conn, person, language=language, now=visit.now)

    person, content, counts = await visit.read(make)
    await visit.write(lambda conn: service.note_export(conn, visit.actor, person, counts, now=visit.now))
    day = datetime.fromtimestamp(visit.now / SECOND, UTC).date().isoformat()
    name = f"customer-{(hasher.customer(customer_id) or '')[:8]}-{day}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/zip", headers=headers)


@pages.form("/customers/-/restrict/{customer_id:path}", "restriction.set")
async def restrict(visit: SignedIn, customer_id: str) -> Response:
    """Lets refunds wait for a look at the goods until a day."""
    form = visit.form
    case_no = form.integer("case_no", least=1, most=2**53)
    until = _end_of(form.text("until", longest=10, required=True), visit)
    if until is None and "until" not in form.errors:
        form.refuse("until", "customer.no_day")
    if form.is_fine and case_no is not None and until is not None:
        try:
            await visit.write(lambda conn: _restrict(visit, conn, customer_id, case_no, until))
            return visit.redirect(_path(customer_id), said="customer.restricted")
        except (Invalid, Conflict) as error:
            form.refuse("until", "customer.cannot_restrict", why=error.message)
    return await _page(visit, customer_id, 422)


@pages.form("/customers/-/lift/{restriction_id}", "restriction.lift")
async def lift(visit: SignedIn, restriction_id: str) -> Response:
    """Ends a restriction before its time."""
    hasher = visit.context.ledger.hasher
    lifted = await visit.write(
        lambda conn: restricting.lift(conn, visit.actor, restriction_id, now=visit.now, hasher=hasher)
    )
    return visit.redirect(_path(lifted.customer_id), said="customer.lifted")


@pages.page("/customers/-/correct/{customer_id:path}", "customer.correct")
def correcting(visit: SignedIn, customer_id: str) -> Response:
    """What can be put right."""
    return _correcting(visit, customer_id)


@pages.form("/customers/-/correct/{customer_id:path}", "customer.correct")
async def correct(visit: SignedIn, customer_id: str) -> Response:
    """Books an order to somebody else, or puts a finding right."""
    form = visit.form
    what = form.choice("what", ("order", "finding"))
    try:
        if what == "order":
            order_id = form.text("order_id", longest=MAX_ID_LENGTH, required=True)
            owner = form.text("owner", longest=MAX_ID_LENGTH, required=True)
            if form.is_fine:
                await visit.write(lambda conn: _reassign(visit, conn, customer_id, order_id, owner))
                return visit.redirect(_path(owner), said="customer.order_moved")
        elif what == "finding":
            number = form.integer("inspection", least=1, most=2**53)
            finding = form.choice("finding", vocabulary.FINDINGS)
            if form.is_fine:
                await visit.write(lambda conn: _refind(visit, conn, customer_id, number, finding))
                return visit.redirect(_path(customer_id), said="customer.finding_corrected")
    except Invalid as error:
        form.refuse("owner" if what == "order" else "finding", "customer.cannot_correct", why=error.message)
    return await run_in_threadpool(_correcting, visit, customer_id, 422)


@pages.page("/customers/-/erase/{customer_id:path}", "customer.erase")
def erasing(visit: SignedIn, customer_id: str) -> Response:
    """What an erasure would reach, and what stands against it."""
    return _erasing(visit, customer_id)


@pages.form("/customers/-/erase/{customer_id:path}", "customer.erase")
async def erase(visit: SignedIn, customer_id: str) -> Response:
    """Erases, once the id was typed and the box was ticked."""
    form = visit.form
    if form.text("confirm", longest=MAX_ID_LENGTH, required=True) != customer_id:
        form.refuse("confirm", "customer.not_the_id")
    if not form.flag("sure"):
        form.refuse("sure", "customer.not_sure")
    if not form.is_fine:
        return await run_in_threadpool(_erasing, visit, customer_id, 422)
    hasher = visit.context.ledger.hasher
    plan = await visit.read(lambda conn: service.plan_erasure(conn, hasher, customer_id, now=visit.now))
    try:
        done = await visit.write(lambda conn: service.erase(conn, visit.actor, plan, hasher=hasher, now=visit.now))
    except Held:
        return await run_in_threadpool(_erasing, visit, customer_id, 409)
    await run_in_threadpool(drop_table, visit.context.settings)
    return visit.redirect("/customers", said="customer.erased", count=done.orders, shared=done.keys_shared)


@pages.page("/customers/{customer_id:path}", "customer.view")
async def show(visit: SignedIn, customer_id: str) -> Response:
    """Everything about a customer at a glance; that it was looked at is noted."""
    return await _page(visit, customer_id)


def _finding(visit: Visit, status: int = 200, found: list[str] | None = None) -> Response:
    """The form, with what came through shops for those who may see to it."""
    asked = []
    if visit.may("customer.erase"):
        with visit.context.ledger.read() as conn:
            asked = asking.every_open(conn)
    return visit.render(
        "customers/find.html", status, found=found, asked=asked, answered_within=asking.ANSWERED_WITHIN_US
    )


async def _page(visit: Visit, customer_id: str, status: int = 200) -> Response:
    def look(conn: Connection) -> dict[str, Any]:
        person = _known(visit, conn, customer_id)
        cases = overview.cases(conn, customer_id)
        sums = overview.sums(conn, customer_id)
        return {
            "customer": person,
            "sums": sums,
            "orders": overview.orders(conn, customer_id),
            "assessments": overview.assessments(conn, person.return_ids),
            "cases": cases,
            "confirmed": [each for each in cases if each.state == "closed" and each.verdict == "abuse_confirmed"],
            "disputes": [each for case_no in person.case_nos for each in disputes.of_case(conn, case_no)],
            "case_ids": dict(zip(person.case_nos, person.case_ids, strict=True)),
            "notices": notices.of_customer(conn, customer_id),
            "restrictions": restrictions.of_customer(conn, customer_id),
            "asked": asking.open_of(conn, person.customer_hash),
            "looks": trail.of_subject(conn, person.subject, at_most=_LOOKS),
            "names": staff.names(conn),
            "customer_language": in_force(conn).language(sums.country),
        }

    values = await visit.read(look)
    person: Person = values["customer"]
    await visit.write(
        lambda conn: trail.record(conn, visit.actor, "customer.view", at=visit.now, subject=person.subject)
    )
    zone = ZoneInfo(visit.context.serving.time_zone)
    today = datetime.fromtimestamp(visit.now / SECOND, zone).date()
    return visit.render(
        "customers/page.html",
        status,
        **values,
        languages=LANGUAGES,
        answered_within=asking.ANSWERED_WITHIN_US,
        first_day=(today + timedelta(days=1)).isoformat(),
        last_day=(today + timedelta(days=restricting.MOST_DAYS - 1)).isoformat(),
        proposed_day=(today + timedelta(days=90)).isoformat(),
        most_days=restricting.MOST_DAYS,
    )


def _known(visit: Visit, conn: Connection, customer_id: str, *, messages: bool = False) -> Person:
    """The customer; of all outbound messages, which may be many, those about them only where they are wanted."""
    after = 0 if messages else requests.last_message(conn)
    person = find_person(conn, visit.context.ledger.hasher, customer_id, messages_after=after)
    if not person.is_known:
        raise NotFound(visit.t("customer.unknown"))
    return person


def _correcting(visit: Visit, customer_id: str, status: int = 200) -> Response:
    with visit.context.ledger.read() as conn:
        person = _known(visit, conn, customer_id)
        found = requests.inspections(conn, person.return_ids)
    return visit.render(
        "customers/correct.html", status, customer=person, inspections=found, findings=vocabulary.FINDINGS
    )


def _erasing(visit: Visit, customer_id: str, status: int = 200) -> Response:
    hasher = visit.context.ledger.hasher
    with visit.context.ledger.read() as conn:
        _known(visit, conn, customer_id)
        plan = service.plan_erasure(conn, hasher, customer_id, now=visit.now)
    return visit.render("customers/erase.html", status, customer=plan.person, plan=plan)


def _restrict(visit: Visit, conn: Connection, customer_id: str, case_no: int, until: int) -> None:
    case = restrictions.ground(conn, case_no)
    if case is None or case.customer_id != customer_id:
        raise NotFound(visit.t("customer.unknown"))
    hasher = visit.context.ledger.hasher
    restricting.restrict(conn, visit.actor, case_no, until=until, now=visit.now, hasher=hasher)


def _reassign(visit: Visit, conn: Connection, customer_id: str, order_id: str, owner: str) -> None:
    known = find_person(conn, visit.context.ledger.hasher, customer_id, messages_after=requests.last_message(conn))
    if order_id not in known.order_ids:
        raise NotFound(visit.t("customer.unknown"))
    correction.reassign_order(conn, visit.actor, order_id, owner, hasher=visit.context.ledger.hasher, now=visit.now)


def _refind(visit: Visit, conn: Connection, customer_id: str, number: int | None, finding: str) -> None:
    hasher = visit.context.ledger.hasher
    person = find_person(conn, hasher, customer_id, messages_after=requests.last_message(conn))
    seen = next((each for each in requests.inspections(conn, person.return_ids) if each.inspection_no == number), None)
    if seen is None:
        raise NotFound(visit.t("customer.unknown"))
    correction.correct_finding(
        conn,
        visit.actor,
        customer_id,
        seen.return_id,
        inspected_at=seen.inspected_at,
        line_id=seen.line_id,
        finding=finding,
        hasher=hasher,
        now=visit.now,
    )


def _end_of(day: str, visit: Visit) -> int | None:
    """The last moment of a day (ISO 8601), where the console's clock is."""
    try:
        midnight = datetime.combine(date.fromisoformat(day), time(), ZoneInfo(visit.context.serving.time_zone))
    except ValueError:
        return None
    return int(midnight.timestamp()) * SECOND + DAY


def _path(customer_id: str) -> str:
    return f"/customers/{quote(customer_id, safe='')}"

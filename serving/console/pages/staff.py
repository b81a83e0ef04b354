"""Accounts of staff, for administrators: who there is, inviting, roles, new passwords, disabling."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection
from starlette.responses import Response

from serving.audit import trail
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.problems import NotFound
from serving.staff import accounts, links, repository
from serving.staff.errors import Refused
from serving.staff.permissions import ROLES
from serving.staff.repository import Person

pages = Pages()


@pages.page("/staff", "staff.manage")
async def show(visit: SignedIn) -> Response:
    """Everybody, and the form for inviting."""
    return await _page(visit)


@pages.form("/staff", "staff.manage")
async def invite(visit: SignedIn) -> Response:
    """Makes an account, and shows the link for its person."""
    form = visit.form
    login = form.text("login", longest=accounts.LONGEST_LOGIN, required=True)
    name = form.text("name", longest=accounts.LONGEST_NAME, required=True)
    role = form.choice("role", ROLES)
    if form.is_fine:
        try:
            person, token = await visit.write(
                lambda conn: accounts.invite(conn, visit.actor, login=login, name=name, role=role, now=visit.now)
            )
            return _link(visit, person, token)
        except Refused as error:
            form.refuse(error.field, error.key)
    return await _page(visit, 422)


@pages.page("/staff/{staff_id}", "staff.manage")
def show_one(visit: SignedIn, staff_id: str) -> Response:
    """One account and what happened to it."""
    return _one(visit, staff_id)


@pages.form("/staff/{staff_id}/link", "staff.manage")
async def new_link(visit: SignedIn, staff_id: str) -> Response:
    """Makes a link for a new password, and shows it."""
    person = await _found(visit, staff_id)
    try:
        token = await visit.write(lambda conn: accounts.new_link(conn, visit.actor, staff_id, visit.now))
    except Refused as error:
        return visit.redirect(f"/staff/{staff_id}", said=error.key, is_bad=True)
    return _link(visit, person, token)


@pages.form("/staff/{staff_id}/role", "staff.manage")
async def change_role(visit: SignedIn, staff_id: str) -> Response:
    """Gives somebody another role."""
    await _found(visit, staff_id)
    role = visit.form.choice("role", ROLES)
    if not visit.form.is_fine:
        return _one(visit, staff_id, 422)
    return await _change(
        visit,
        staff_id,
        lambda conn: accounts.set_role(conn, visit.actor, staff_id, role, visit.now),
        "staff.role_changed",
    )


@pages.form("/staff/{staff_id}/disable", "staff.manage")
async def disable(visit: SignedIn, staff_id: str) -> Response:
    """Lets somebody sign in no more."""
    await _found(visit, staff_id)
    return await _change(
        visit, staff_id, lambda conn: accounts.disable(conn, visit.actor, staff_id, visit.now), "staff.is_disabled"
    )


@pages.form("/staff/{staff_id}/enable", "staff.manage")
async def enable(visit: SignedIn, staff_id: str) -> Response:
    """Lets somebody sign in again."""
    await _found(visit, staff_id)
    return await _change(
        visit, staff_id, lambda conn: accounts.enable(conn, visit.actor, staff_id, visit.now), "staff.is_enabled"
    )


async def _change(visit: Visit, staff_id: str, work: Callable[[Connection], Person], said: str) -> Response:
    try:
        person = await visit.write(work)
    except Refused as error:
        return visit.redirect(f"/staff/{staff_id}", said=error.key, is_bad=True)
    return visit.redirect(f"/staff/{staff_id}", said=said, name=person.name)


async def _found(visit: Visit, staff_id: str) -> Person:
    person = await visit.read(lambda conn: repository.find(conn, staff_id))
    if person is None:
        raise NotFound(visit.t("staff.unknown"))
    return person


async def _page(visit: Visit, status: int = 200) -> Response:
    people = await visit.read(repository.everybody)
    return visit.render("staff/page.html", status, people=people, role_choices=_role_choices(visit))


def _role_choices(visit: Visit) -> list[tuple[str, str, str]]:
    return [(role, visit.t(f"role.{role}"), visit.t(f"role_help.{role}")) for role in ROLES]


def _one(visit: Visit, staff_id: str, status: int = 200) -> Response:
    with visit.context.ledger.read() as conn:
        person = repository.find(conn, staff_id)
        entries = trail.of_subject(conn, f"staff:{staff_id}")
        names = repository.names(conn)
    if person is None:
        raise NotFound(visit.t("staff.unknown"))
    return visit.render(
        "staff/one.html", status, somebody=person, entries=entries, names=names, role_choices=_role_choices(visit)
    )


def _link(visit: Visit, person: Person, token: str) -> Response:
    purpose: links.Purpose = "invitation" if person.is_invited else "new_password"
    address = links.address(visit.base_url, token)
    return visit.render(
        "staff/link.html", somebody=person, address=address, purpose=purpose, hours=links.HOURS[purpose]
    )

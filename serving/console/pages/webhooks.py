"""One webhook endpoint: what was sent to it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy.engine import Connection
from starlette.responses import Response

from serving.audit import trail
from serving.console.guest import Visit
from serving.console.pages.connections import overview
from serving.console.routing import Pages, SignedIn
from serving.hooks import repository, service
from serving.hooks.repository import Endpoint
from serving.hooks.service import LONGEST_DESCRIPTION, HookError, Made
from serving.hooks.types import TYPES
from serving.problems import NotFound
from serving.refused import Refused
from serving.staff import repository as staff

pages = Pages()

_OPERATION: Final = "connections.manage"
_SHOWN: Final = 50


@pages.form("/connections/webhooks", _OPERATION)
async def add(visit: SignedIn) -> Response:
    """Adds an endpoint, and shows its secret."""
    form = visit.form
    url = form.text("url", longest=2_000, required=True)
    description = form.text("description", longest=LONGEST_DESCRIPTION)
    types = [kind for kind in form.every("types") if kind in TYPES]
    if not types:
        form.refuse("types", "form.choose")
    if form.is_fine:
        try:
            made = await visit.write(
                lambda conn: service.add(
                    conn,
                    visit.actor,
                    visit.context.sealer,
                    url,
                    types,
                    description=description,
                    inside=visit.context.serving.webhook_private_addresses,
                    now=visit.now,
                )
            )
            return _secret(visit, made)
        except Refused as error:
            form.refuse(error.field, error.key, **error.values)
    return await overview(visit, 422)


@pages.page("/connections/webhooks/{endpoint_id}", _OPERATION)
def show(visit: SignedIn, endpoint_id: str) -> Response:
    """The endpoint and the latest messages for it."""
    raw = visit.request.query_params.get("before", "")
    before = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 18 else None
    with visit.context.ledger.read() as conn:
        endpoint = repository.find(conn, endpoint_id)
        if endpoint is None:
            raise NotFound(visit.t("hooks.unknown", id=endpoint_id))
        found = repository.deliveries(conn, endpoint_id, at_most=_SHOWN + 1, before=before)
        counts = repository.counts_of(conn, endpoint_id)
        entries = trail.of_subject(conn, f"webhook:{endpoint_id}", at_most=20)
        names = staff.names(conn)
    return visit.render(
        "connections/webhook.html",
        endpoint=endpoint,
        deliveries=found[:_SHOWN],
        earlier=found[_SHOWN - 1].message_no if len(found) > _SHOWN else None,
        is_later=before is not None,
        counts=counts,
        entries=entries,
        names=names,
    )


@pages.form("/connections/webhooks/{endpoint_id}/test", _OPERATION)
async def test(visit: SignedIn, endpoint_id: str) -> Response:
    """Sends a test message, by the way of all others."""
    return await _do(
        visit,
        endpoint_id,
        lambda conn: service.test(conn, visit.actor, endpoint_id, now=visit.now),
        "connections.tested",
    )


@pages.form("/connections/webhooks/{endpoint_id}/rotate", _OPERATION)
async def rotate(visit: SignedIn, endpoint_id: str) -> Response:
    """Makes a new secret, and shows it."""
    try:
        made = await visit.write(
            lambda conn: service.rotate(conn, visit.actor, visit.context.sealer, endpoint_id, now=visit.now)
        )
    except HookError as error:
        raise NotFound(visit.t(error.key, **error.values)) from error
    return _secret(visit, made)


@pages.form("/connections/webhooks/{endpoint_id}/disable", _OPERATION)
async def disable(visit: SignedIn, endpoint_id: str) -> Response:
    """Sends nothing there any more."""
    return await _do(
        visit,
        endpoint_id,
        lambda conn: service.disable(conn, visit.actor, endpoint_id, now=visit.now),
        "connections.is_disabled",
    )


@pages.form("/connections/webhooks/{endpoint_id}/enable", _OPERATION)
async def enable(visit: SignedIn, endpoint_id: str) -> Response:
    """Uses it again."""
    return await _do(
        visit,
        endpoint_id,
        lambda conn: service.enable(conn, visit.actor, endpoint_id, now=visit.now),
        "connections.is_enabled",
    )


@pages.form("/connections/webhooks/{endpoint_id}/retry", _OPERATION)
async def retry(visit: SignedIn, endpoint_id: str) -> Response:
    """Sends a message again, or all that were given up."""
    message_no = visit.form.integer("message_no", least=1, most=10**14, required=False)
    return await _do(
        visit,
        endpoint_id,
        lambda conn: service.retry(conn, visit.actor, endpoint_id, message_no, now=visit.now),
        "connections.sent_again",
    )


async def _do(visit: Visit, endpoint_id: str, work: Callable[[Connection], object], said: str) -> Response:
    endpoint = await visit.read(lambda conn: repository.find(conn, endpoint_id))
    if endpoint is None:
        raise NotFound(visit.t("hooks.unknown", id=endpoint_id))
    try:
        await visit.write(work)
    except HookError as error:
        return visit.redirect(f"/connections/webhooks/{endpoint_id}", said=error.key, is_bad=True, **error.values)
    return visit.redirect(f"/connections/webhooks/{endpoint_id}", said=said)


def _secret(visit: Visit, made: Made) -> Response:
    endpoint: Endpoint = made.endpoint
    return visit.render("connections/webhook_secret.html", endpoint=endpoint, secret=made.secret)

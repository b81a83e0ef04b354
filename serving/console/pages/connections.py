"""What is connected, for administrators: webhook endpoints, shops and API keys."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from serving.audit import trail
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.hooks import repository as hooks
from serving.hooks.types import TYPES
from serving.keys import repository as keys
from serving.keys import service as key_service
from serving.privacy import asking
from serving.problems import NotFound
from serving.shops import connections
from serving.shops import repository as shops
from serving.shops.adapters import ADAPTERS
from serving.shops.connections import LONGEST_NAME, LONGEST_PREFIX, ShopError
from serving.staff import repository as staff

pages = Pages()

_OPERATION: Final = "connections.manage"


@pages.page("/connections", _OPERATION)
async def show(visit: SignedIn) -> Response:
    """Everything that is connected, and the forms for more."""
    return await overview(visit)


@pages.form("/connections/shops", _OPERATION)
async def connect(visit: SignedIn) -> Response:
    """Connects a shop, and shows where its webhooks go."""
    form = visit.form
    name = form.text("shop_name", longest=LONGEST_NAME, required=True)
    kind = form.choice("kind", ADAPTERS)
    prefix = form.text("prefix", longest=LONGEST_PREFIX)
    secret = form.secret("shop_secret").strip()
    if form.is_fine:
        try:
            made = await visit.write(
                lambda conn: connections.connect(
                    conn,
                    visit.actor,
                    visit.context.sealer,
                    kind,
                    name,
                    secret=secret or None,
                    prefix=prefix,
                    now=visit.now,
                )
            )
            return visit.render(
                "connections/shop_address.html", shop=made.shop, address=visit.base_url + made.path, secret=made.secret
            )
        except ShopError as error:
            form.refuse(error.field, error.key, **error.values)
    return await overview(visit, 422)


@pages.page("/connections/shops/{connection_id}", _OPERATION)
def show_shop(visit: SignedIn, connection_id: str) -> Response:
    """One shop."""
    with visit.context.ledger.read() as conn:
        shop = shops.find(conn, connection_id)
        if shop is None:
            raise NotFound(visit.t("shops.unknown", id=connection_id))
        return visit.render(
            "connections/shop.html",
            shop=shop,
            title=ADAPTERS[shop.kind].title if shop.kind in ADAPTERS else shop.kind,
            address=f"{visit.base_url}/v1/shops/{connection_id}",
            waiting=shops.count_waiting(conn).get(connection_id, 0),
            asks=connections.shop_asks(conn, connection_id),
            asked=sum(each.source == connection_id for each in asking.every_open(conn)),
            answered_within=asking.ANSWERED_WITHIN_US,
            entries=trail.of_subject(conn, f"shop:{connection_id}", at_most=20),
            names=staff.names(conn),
        )


@pages.form("/connections/shops/{connection_id}/disconnect", _OPERATION)
async def disconnect(visit: SignedIn, connection_id: str) -> Response:
    """Takes nothing from a shop any more."""
    shop = await visit.read(lambda conn: shops.find(conn, connection_id))
    if shop is None:
        raise NotFound(visit.t("shops.unknown", id=connection_id))
    await visit.write(lambda conn: connections.disconnect(conn, visit.actor, connection_id, now=visit.now))
    return visit.redirect("/connections", said="connections.is_disconnected", name=shop.name)


@pages.page("/connections/keys/{key_id}", _OPERATION)
def ask_revoke(visit: SignedIn, key_id: str) -> Response:
    """Asks once more before a key is revoked, which cannot be undone."""
    with visit.context.ledger.read() as conn:
        key = keys.find(conn, key_id)
    if key is None:
        raise NotFound(visit.t("connections.no_key"))
    return visit.render("connections/key.html", key=key)


@pages.form("/connections/keys/{key_id}/revoke", _OPERATION)
async def revoke(visit: SignedIn, key_id: str) -> Response:
    """Revokes a key."""
    if await visit.read(lambda conn: keys.find(conn, key_id)) is None:
        raise NotFound(visit.t("connections.no_key"))
    await visit.write(lambda conn: key_service.revoke_by(conn, visit.actor, key_id, now=visit.now))
    return visit.redirect("/connections", said="connections.is_revoked", id=key_id)


async def overview(visit: Visit, status: int = 200) -> Response:
    """The page of all connections, with the forms as they were sent."""
    endpoints, counts, every_shop, waiting, every_key = await visit.read(
        lambda conn: (
            hooks.every(conn),
            hooks.counts(conn),
            shops.every(conn),
            shops.count_waiting(conn),
            keys.every(conn),
        )
    )
    return visit.render(
        "connections/page.html",
        status,
        endpoints=endpoints,
        counts=counts,
        types=list(TYPES),
        shops=every_shop,
        waiting=waiting,
        kinds=[(adapter.kind, adapter.title) for adapter in ADAPTERS.values()],
        titles={adapter.kind: adapter.title for adapter in ADAPTERS.values()},
        keys=sorted(every_key, key=lambda key: (key.revoked_at is not None, -key.created_at)),
    )

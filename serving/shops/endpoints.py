"""`POST /v1/shops/{connection_id}`."""

from __future__ import annotations

import logging

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from features.ledger.identity import KeyHasher
from serving import metrics
from serving.body import read_body
from serving.clock import now_us
from serving.context import context_of
from serving.fields import moment
from serving.openapi import operation
from serving.problems import BadSignature, BodyTooLarge, MalformedBody, Unavailable
from serving.shops import service
from serving.shops.adapters import ADAPTERS
from serving.shops.reading import Adapter, Message, Node, Reading, UnreadableError, left_out
from serving.shops.repository import Shop
from serving.shops.service import ShopAnswer, Taken

router = APIRouter(tags=["shops"])
_log = logging.getLogger(__name__)


@router.post(
    "/v1/shops/{connection_id}",
    summary="Take a webhook of a connected shop",
    **operation(
        answer=ShopAnswer,
        answered="What was made of it is durable.",
        problems=(BadSignature, MalformedBody, BodyTooLarge, Unavailable),
        path={"connection_id": "As `returnwise shops connect` prints it."},
    ),
)
async def post_shop_message(request: Request) -> Response:
    """A webhook as the shop sends and signs it: no API key is needed, but the signature of the raw body must be right.

    Orders, deliveries, returns and refunds become events of the ledger, as with `POST /v1/events`. Topics that say
    nothing to the ledger are accepted and left alone. The same message again changes nothing.
    """
    context = context_of(request)
    connection_id = request.path_params["connection_id"]
    body = await read_body(request, context.serving.max_body_bytes)
    shop = context.shops.knows(connection_id)
    if shop is not None and _is_ping(ADAPTERS[shop.kind], request, body):
        return _answer(Taken(notes=["the address answers"]))
    try:
        shop, adapter = context.shops.check(connection_id, request.headers, body)
    except BadSignature:
        metrics.shop_messages_total.labels(shop.kind if shop else "unknown", "forged").inc()
        raise
    reading = _read(shop, adapter, request, body, context.ledger.hasher)
    taken = Taken(notes=reading.notes)
    if reading.events or reading.asked or reading.shop_asks:
        now = now_us()
        taken = await context.writer.run(
            lambda conn: service.take(conn, connection_id, reading, now_us=now, hasher=context.ledger.hasher)
        )
    for outcome, count in taken.counts.items():
        metrics.shop_messages_total.labels(shop.kind, outcome).inc(count)
    if not taken.counts:
        metrics.shop_messages_total.labels(shop.kind, "ignored").inc()
    return _answer(taken)


def _is_ping(adapter: Adapter, request: Request, body: bytes) -> bool:
    return adapter.signature_header not in request.headers and adapter.is_ping(body)


def _read(shop: Shop, adapter: Adapter, request: Request, body: bytes, hasher: KeyHasher) -> Reading:
    """What a signed message stands for.

    Raises:
        MalformedBody: it is not JSON.
    """
    topic = request.headers.get(adapter.topic_header, "").strip().lower()
    reader = adapter.readers.get(topic)
    if reader is None:
        return left_out(adapter.silent.get(topic, "a topic that says nothing to the ledger"))
    try:
        content = Node(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise MalformedBody("The body is not JSON.") from None
    sent_at = now_us()
    try:
        if adapter.time_header and (said := request.headers.get(adapter.time_header)):
            sent_at = min(sent_at, _moment(Node(said, adapter.time_header)))
        return reader(Message(shop.connection_id, shop.prefix, sent_at, content, hasher))
    except UnreadableError as error:
        metrics.shop_messages_total.labels(shop.kind, "unreadable").inc()
        _log.warning("a message of the shop %s about %s cannot be read: %s", shop.connection_id, topic, error.message)
        return left_out(f"cannot be read: {error.message}")


def _moment(said: Node) -> int:
    try:
        return moment(said.moment())
    except ValueError as error:
        raise UnreadableError(f"{said.place} {error}") from None


def _answer(taken: Taken) -> Response:
    return Response(orjson.dumps(taken.answer().model_dump()), media_type="application/json")

"""`POST /v1/events`."""

from __future__ import annotations

from collections import Counter

import orjson
from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from serving import metrics
from serving.body import read_json_body
from serving.clock import now_us
from serving.context import context_of
from serving.events import service
from serving.events.schemas import OWN_TIME, EventsAnswer, EventsRequest
from serving.keys.scopes import Scope
from serving.openapi import operation
from serving.problems import Conflict, Invalid, Unavailable, from_validation, wrong

router = APIRouter(tags=["events"])
_BODY = TypeAdapter(EventsRequest)


@router.post(
    "/v1/events",
    summary="Append events to the ledger",
    **operation(
        scope=Scope.EVENTS_WRITE,
        body=EventsRequest,
        answer=EventsAnswer,
        answered="The events are durable, and the next assessment sees them.",
        problems=(Conflict, Invalid, Unavailable),
    ),
)
async def post_events(request: Request) -> Response:
    """Orders, deliveries, returns, inspections and verdicts, in any order and mixture.

    All or nothing: if one event is refused, none is taken. An event that was sent before (the same `event_id`, or the
    same thing told under another one) counts as a duplicate and changes nothing, so a call may be sent again after any
    failure. Fields that the contract does not have are ignored.
    """
    context = context_of(request)
    context.keys.check(request.headers.get("authorization"), Scope.EVENTS_WRITE)
    body = await read_json_body(request, context.serving.max_body_bytes)
    try:
        events = _BODY.validate_json(body)
    except ValidationError as error:
        raise from_validation(error, tags=OWN_TIME) from None
    if len(events.events) > context.serving.max_events:
        raise wrong(f"has more than {context.serving.max_events} events", "events")
    service.check_times(events)
    answer = await context.writer.run(
        lambda conn: service.record(conn, events, now_us=now_us(), hasher=context.ledger.hasher)
    )
    for kind, count in Counter(event.type for event in events.events).items():
        metrics.events_total.labels(kind).inc(count)
    return Response(orjson.dumps(answer.model_dump()), media_type="application/json")

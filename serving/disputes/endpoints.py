"""`POST /v1/disputes` and `GET /v1/disputes/{dispute_id}`."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import Response

from serving.body import read_json_body
from serving.clock import now_us
from serving.context import context_of
from serving.disputes import service
from serving.disputes.schemas import DisputeAnswer, DisputeRequest
from serving.keys.scopes import Scope
from serving.openapi import operation
from serving.problems import Conflict, Invalid, NotFound, Unavailable, from_validation

router = APIRouter(tags=["disputes"])
_BODY = TypeAdapter(DisputeRequest)


@router.post(
    "/v1/disputes",
    summary="Hand in what a customer disputes",
    **operation(
        scope=Scope.DISPUTES_WRITE,
        body=DisputeRequest,
        answer=DisputeAnswer,
        answered="It is durable, the case is disputed, and another person looks at it.",
        problems=(NotFound, Conflict, Invalid, Unavailable),
    ),
)
async def post_dispute(request: Request) -> Response:
    """By the reference in the notice to the customer.

    Another person than who decided looks again, within a time that the answer names, and the customer gets a notice
    of what came of it. The same request again gets the same dispute. A reference that is wrong is answered as one that
    does not exist.
    """
    context = context_of(request)
    context.keys.check(request.headers.get("authorization"), Scope.DISPUTES_WRITE)
    body = await read_json_body(request, context.serving.max_body_bytes)
    try:
        wanted = _BODY.validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from None

    def receive(conn: Connection) -> bytes:
        dispute = service.receive(conn, wanted, rescore=context.assessor.rescore, now=now_us())
        return orjson.dumps(service.show(conn, dispute.dispute_id))

    return Response(await context.writer.run(receive), media_type="application/json")


@router.get(
    "/v1/disputes/{dispute_id}",
    summary="Show how a dispute stands",
    **operation(
        scope=Scope.DISPUTES_WRITE,
        answer=DisputeAnswer,
        answered="Whether it is decided, and what came of it.",
        problems=(NotFound,),
        path={"dispute_id": "As in the answer of the request."},
    ),
)
def get_dispute(request: Request) -> Response:
    """For the customer who asks: until when they hear, and then what came of it."""
    context = context_of(request)
    context.keys.check(request.headers.get("authorization"), Scope.DISPUTES_WRITE)
    with context.ledger.read() as conn:
        shown = service.show(conn, request.path_params["dispute_id"])
    return Response(orjson.dumps(shown), media_type="application/json")

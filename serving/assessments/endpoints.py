"""`POST /v1/assessments`, `POST /v1/assessments/batch` and `GET /v1/assessments/{assessment_id}`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from serving.assessments import service
from serving.assessments.schemas import (
    AssessmentAnswer,
    AssessmentRequest,
    BatchAnswer,
    BatchRequest,
    StoredAssessmentAnswer,
)
from serving.body import read_json_body
from serving.context import Context, context_of
from serving.keys.scopes import Scope
from serving.openapi import operation
from serving.problems import Conflict, InternalError, Invalid, NotFound, Problem, Unavailable, from_validation, wrong
from serving.writer import Before

router = APIRouter(tags=["assessments"])
_log = logging.getLogger(__name__)
_BODY = TypeAdapter(AssessmentRequest)
_BATCH = TypeAdapter(BatchRequest)


@router.post(
    "/v1/assessments",
    summary="Assess a return request",
    **operation(
        scope=Scope.ASSESSMENTS_WRITE,
        body=AssessmentRequest,
        answer=AssessmentAnswer,
        answered="The assessment; it is durable, and the same request gets the same bytes again.",
        problems=(Conflict, Invalid, Unavailable),
    ),
)
async def post_assessment(request: Request) -> Response:
    """How likely a careful inspection would confirm abuse, why, and what to do; one assessment for all lines.

    The return is kept as an event, so that later assessments count it: there is no need to send it as one. What it does
    not say of itself, and every feature, is as of `requested_at`. A customer whom the ledger does not know is assessed
    as one without history. The order must be known, or come with the request as `order`. Fields that the contract does
    not have are ignored.
    """
    context = context_of(request)
    context.keys.check(request.headers.get("authorization"), Scope.ASSESSMENTS_WRITE)
    body = await read_json_body(request, context.serving.max_body_bytes)
    try:
        wanted = _BODY.validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from None
    answer = await _assess(context, wanted)
    return Response(answer, media_type="application/json")


@router.post(
    "/v1/assessments/batch",
    summary="Assess several return requests",
    **operation(
        scope=Scope.ASSESSMENTS_WRITE,
        body=BatchRequest,
        answer=BatchAnswer,
        answered="A result or a problem for each request, in their order.",
        problems=(Invalid,),
    ),
)
async def post_batch(request: Request) -> Response:
    """Each request stands for itself: one that is refused leaves no trace and does not stop the others.

    They are worked on in their order, so that a request sees the returns of those before it. At most 100 in a call
    (`RETURNWISE_MAX_BATCH`).
    """
    context = context_of(request)
    context.keys.check(request.headers.get("authorization"), Scope.ASSESSMENTS_WRITE)
    body = await read_json_body(request, context.serving.max_body_bytes)
    try:
        batch = _BATCH.validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from None
    if len(batch.assessments) > context.serving.max_batch:
        raise wrong(f"has more than {context.serving.max_batch} requests", "assessments")
    results = await asyncio.gather(*(_result(context, i, item) for i, item in enumerate(batch.assessments)))
    return Response(orjson.dumps({"results": results}), media_type="application/json")


@router.get(
    "/v1/assessments/{assessment_id}",
    summary="Show a stored assessment",
    **operation(
        scope=Scope.ASSESSMENTS_READ,
        answer=StoredAssessmentAnswer,
        answered="The answer as it was sent, with the full feature vector.",
        problems=(NotFound,),
        path={"assessment_id": "As in the answer of the assessment."},
    ),
)
async def get_assessment(request: Request) -> Response:
    """What was answered, and every value that the model and the reasons rested on."""
    context = context_of(request)
    context.keys.check(request.headers.get("authorization"), Scope.ASSESSMENTS_READ)
    shown = service.show(context.ledger, request.path_params["assessment_id"])
    return Response(orjson.dumps(shown), media_type="application/json")


async def _assess(context: Context, wanted: AssessmentRequest) -> bytes:
    prepared = service.prepare(wanted)
    assessor = context.assessor
    answered = await context.writer.run(
        lambda conn: assessor.assess(conn, prepared),
        before=Before(lambda conn: assessor.is_ready(conn, prepared), lambda conn: assessor.before(conn, prepared)),
    )
    if answered.vector is not None:
        context.shadow.offer(answered.assessment_id, answered.vector)
    return answered.answer


async def _result(context: Context, position: int, item: AssessmentRequest | ValidationError) -> dict[str, Any]:
    if isinstance(item, ValidationError):
        return _failed(from_validation(item), position)
    try:
        answer = await _assess(context, item)
    except Problem as problem:
        return _failed(problem, position)
    except Exception:  # noqa: BLE001 - the others of the batch have their answers
        _log.exception("request %d of a batch failed", position)
        return _failed(InternalError(), position)
    return {"status": 200, "assessment": orjson.Fragment(answer)}


def _failed(problem: Problem, position: int) -> dict[str, Any]:
    return {"status": problem.status, "problem": problem.document("assessments", position)}

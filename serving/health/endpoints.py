"""`GET /healthz`, `GET /readyz` and `GET /metrics`."""

from __future__ import annotations

import logging
from typing import Any, Literal

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from features.ledger.store import Ledger
from serving import metrics
from serving.context import context_of
from serving.keys.scopes import Scope
from serving.openapi import operation, problem_response
from serving.problems import Unavailable

router = APIRouter(tags=["operations"])
_log = logging.getLogger(__name__)


class HealthAnswer(BaseModel):
    """Answer of `GET /healthz`."""

    status: Literal["ok"] = Field(description="Always `ok`: the process answers.")


class ReadyAnswer(BaseModel):
    """Answer of `GET /readyz`."""

    status: Literal["ready", "degraded", "unready"] = Field(
        description="`degraded`: it answers, but works without something; see `without`."
    )
    ledger: bool = Field(description="Whether the ledger can be read.")
    model: str | None = Field(description="Version of the model that answers.")
    without: dict[str, str] = Field(description="What it works without, by mode, in words.")


@router.head("/healthz", include_in_schema=False)
@router.get(
    "/healthz",
    summary="Is the process alive",
    **operation(answer=HealthAnswer, answered="It is."),
)
async def get_health() -> Response:
    """Touches neither ledger nor model."""
    return Response(b'{"status":"ok"}', media_type="application/json")


_READY = operation(answer=ReadyAnswer, answered="It can assess.")
_READY["responses"][503] = {
    **problem_response(Unavailable),
    "description": "It cannot assess: no model, or no ledger.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ReadyAnswer"}}},
}


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Can it assess", **_READY)
async def get_readiness(request: Request) -> Response:
    """503 without a model or a ledger; 200 with what it works without, if it can still assess."""
    context = context_of(request)
    readable = _readable(context.ledger)
    ready = readable and context.models.ready
    without = {**context.models.troubles, **context.policies.troubles}
    answer: dict[str, Any] = {
        "status": "unready" if not ready else "degraded" if without else "ready",
        "ledger": readable,
        "model": context.models.current().version if context.models.ready else None,
        "without": without,
    }
    return Response(orjson.dumps(answer), 200 if ready else 503, media_type="application/json")


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    **operation(answer=None, answered="Prometheus text format.", media_type="text/plain"),
)
async def get_metrics(request: Request) -> Response:
    """Open, unless `RETURNWISE_METRICS_OPEN` is false: then a key with the scope `metrics:read` is needed.

    It holds counts and times, nothing about a customer.
    """
    context = context_of(request)
    if not context.serving.metrics_open:
        context.keys.check(request.headers.get("authorization"), Scope.METRICS_READ)
    context.drift.refresh()
    return Response(metrics.exposition(), media_type=metrics.MEDIA_TYPE)


def _readable(ledger: Ledger) -> bool:
    try:
        with ledger.read() as conn:
            conn.exec_driver_sql("SELECT name FROM ledger_meta LIMIT 1").all()
    except SQLAlchemyError:
        _log.exception("the ledger cannot be read")
        return False
    return True

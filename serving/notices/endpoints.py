"""`GET /v1/notices/{notice_id}`."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from serving.clock import iso
from serving.context import context_of
from serving.keys.scopes import Scope
from serving.notices import repository
from serving.notices.repository import Notice
from serving.notices.words import subject
from serving.openapi import operation
from serving.problems import NotFound
from serving.texts import texts

router = APIRouter(tags=["notices"])


class NoticeAnswer(BaseModel):
    """Words to be sent to a customer."""

    notice_id: str = Field(description="As in the webhook `notice.made`.")
    customer_id: str = Field(description="Whom it is for.")
    return_id: str | None = Field(description="The return that it is about.")
    kind: str = Field(description="`check`, `verdict`, `restriction`, `dispute_received` or `dispute_decided`.")
    language: str = Field(description="Language of the words.", examples=["nl"])
    subject: str = Field(description="What to put above it.")
    words: str = Field(description="Plain text; paragraphs are divided by an empty line.")
    made_at: str = Field(description="When it was made (UTC).")


@router.get(
    "/v1/notices/{notice_id}",
    summary="Read a notice to a customer",
    **operation(
        scope=Scope.NOTICES_READ,
        answer=NoticeAnswer,
        answered="The words to be sent.",
        problems=(NotFound,),
        path={"notice_id": "As in the webhook `notice.made`."},
    ),
)
def get_notice(request: Request) -> Response:
    """What the customer is told, in their language: send it as it stands."""
    context = context_of(request)
    context.keys.check(request.headers.get("authorization"), Scope.NOTICES_READ)
    with context.ledger.read() as conn:
        notice = repository.find(conn, request.path_params["notice_id"])
    if notice is None:
        raise NotFound("There is no notice of that id.")
    return Response(orjson.dumps(told(notice)), media_type="application/json")


def told(notice: Notice) -> dict[str, Any]:
    """A notice as the answer has it."""
    return {
        "notice_id": notice.notice_id,
        "customer_id": notice.customer_id,
        "return_id": notice.return_id,
        "kind": notice.kind,
        "language": notice.language,
        "subject": subject(texts(notice.language), notice.kind),
        "words": notice.words,
        "made_at": iso(notice.made_at),
    }

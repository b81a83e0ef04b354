"""The OpenAPI document: every field, error and scope.

Endpoints read and write their bodies themselves, for speed; so what FastAPI would find out from signatures is said
here, from the same models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from serving import problems
from serving.keys.scopes import DESCRIPTIONS, Scope
from serving.problems import (
    BodyTooLarge,
    Forbidden,
    InternalError,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    Problem,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)

_REF: Final = "#/components/schemas/{model}"
_SCHEME: Final = "ApiKey"
_bodies: set[type[BaseModel]] = set()


class FieldErrorDocument(BaseModel):
    """One place that is wrong."""

    field: str = Field(description="The place, as written in code.", examples=["events[3].lines[0].quantity"])
    pointer: str = Field(description="The place as a JSON Pointer.", examples=["#/events/3/lines/0/quantity"])
    detail: str = Field(description="What is wrong with it.")


class ProblemDocument(BaseModel):
    """A problem, as of RFC 9457."""

    type: str = Field(description="Identifies the kind of problem.", examples=["urn:problem-type:returnwise:invalid"])
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened.")
    errors: list[FieldErrorDocument] | None = Field(None, description="The fields that are wrong, if any are.")


def operation(
    *,
    answer: type[BaseModel] | None,
    answered: str,
    scope: Scope | None = None,
    body: type[BaseModel] | None = None,
    problems: Iterable[type[Problem]] = (),
    media_type: str = "application/json",
    path: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Arguments of a FastAPI route that describe an endpoint; `path` describes the parameters in its address."""
    found: set[type[Problem]] = {InternalError, *problems}
    extra: dict[str, Any] = {}
    if scope is not None:
        found |= {Unauthorized, Forbidden, Unavailable}  # a key is looked up in the ledger
        extra["security"] = [{_SCHEME: [scope.value]}]
    if path:
        extra["parameters"] = [
            {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in path.items()
        ]
    if body is not None:
        found |= {MalformedBody, BodyTooLarge, UnsupportedMedia}
        _bodies.add(body)
        schema = {"$ref": _REF.format(model=body.__name__)}
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": answered, **({"model": answer} if answer is not None else {})}
    }
    if answer is None:
        responses[200]["content"] = {media_type: {}}
    for problem in sorted(found, key=lambda each: each.status):
        responses[problem.status] = problem_response(problem)
    return {"responses": responses, "openapi_extra": extra, "response_model": None}


def problem_response(problem: type[Problem]) -> dict[str, Any]:
    """How a problem stands in the document."""
    schema = {"$ref": _REF.format(model="ProblemDocument")}
    response: dict[str, Any] = {
        "description": f"{problem.title}. {(problem.__doc__ or '').strip()}",
        "content": {problems.MEDIA_TYPE: {"schema": schema}},
    }
    if problem is Unauthorized:
        response["headers"] = {"WWW-Authenticate": {"description": "Bearer.", "schema": {"type": "string"}}}
    if problem is Unavailable:
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return response


_INTRODUCTION: Final = """\
Tells a retailer how likely it is that a careful inspection of a return would confirm abuse, why, and which check would
settle it. It never refuses a return.

Bodies are JSON. Times are ISO 8601 with a time zone, money is a number or decimal text in the order's currency. Errors
are problem details (RFC 9457) that name the field. Every write may be sent again: it takes effect once.
"""


def install(app: FastAPI) -> None:
    """Let `app` serve the document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=_INTRODUCTION, routes=app.routes, tags=app.openapi_tags
    )
    models: list[type[BaseModel]] = [*sorted(_bodies, key=lambda model: model.__name__), ProblemDocument]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(definitions["$defs"])
    scopes = "\n".join(f"- `{scope}`: {DESCRIPTIONS[scope]}" for scope in Scope)
    components["securitySchemes"] = {
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "rw_<id>_<secret>",
            "description": f"An API key, made with `returnwise keys create`. Scopes:\n\n{scopes}",
        }
    }
    # what any address may answer
    components["responses"] = {
        each.slug: problem_response(each) for each in (NotFound, MethodNotAllowed, InternalError, Unavailable)
    }
    return document

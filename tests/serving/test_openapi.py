from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute

from serving.assessments import endpoints as assessments
from serving.disputes import endpoints as disputes
from serving.events import endpoints as events
from serving.health import endpoints as health
from serving.keys.scopes import Scope
from serving.notices import endpoints as notices
from serving.shops import endpoints as shops
from tests.support.service import Api

SCOPES = {
    ("post", "/v1/events"): Scope.EVENTS_WRITE,
    ("post", "/v1/assessments"): Scope.ASSESSMENTS_WRITE,
    ("post", "/v1/assessments/batch"): Scope.ASSESSMENTS_WRITE,
    ("get", "/v1/assessments/{assessment_id}"): Scope.ASSESSMENTS_READ,
    ("post", "/v1/shops/{connection_id}"): None,
    ("post", "/v1/disputes"): Scope.DISPUTES_WRITE,
    ("get", "/v1/disputes/{dispute_id}"): Scope.DISPUTES_WRITE,
    ("get", "/v1/notices/{notice_id}"): Scope.NOTICES_READ,
    ("get", "/healthz"): None,
    ("get", "/readyz"): None,
    ("get", "/metrics"): None,
}


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    response = api.client.get("/openapi.json")
    assert response.status_code == 200
    return dict(response.json())


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_every_route_is_there(document: dict[str, Any]) -> None:
    routers = (assessments.router, disputes.router, events.router, notices.router, shops.router, health.router)
    every = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    found = [route for route in every if route.include_in_schema]
    routes = {(method.lower(), route.path) for route in found for method in route.methods}
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert described == routes == set(SCOPES)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


@pytest.mark.parametrize(("method", "path"), list(SCOPES))
def test_every_operation_says_what_it_needs_and_answers(document: dict[str, Any], method: str, path: str) -> None:
    operation = document["paths"][path][method]
    assert operation["summary"]
    assert operation["description"]
    scope = SCOPES[method, path]
    assert operation.get("security", []) == ([] if scope is None else [{"ApiKey": [scope]}])
    problems = {status for status in operation["responses"] if status != "200"}
    assert "500" in problems
    assert (scope is not None) <= ({"401", "403", "503"} <= problems)
    if path.startswith("/v1/shops/"):  # the body is the shop's
        assert {"400", "401", "413", "503"} <= problems
    elif method == "post":
        assert operation["requestBody"]["content"]["application/json"]["schema"]
        assert {"400", "413", "415", "422"} <= problems
    for status in problems - {"503"}:
        schema = operation["responses"][status]["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ProblemDocument"}


def test_every_field_is_described(document: dict[str, Any]) -> None:
    bare = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, place in schema.get("properties", {}).items()
        if not place.get("description") and "$ref" not in place
    ]
    assert bare == []


def test_every_scope_is_described(document: dict[str, Any]) -> None:
    text = document["components"]["securitySchemes"]["ApiKey"]["description"]
    assert all(f"`{scope}`" in text for scope in Scope)


def test_vocabularies_are_listed(document: dict[str, Any]) -> None:
    reason = document["components"]["schemas"]["AssessmentRequest"]["properties"]["reason"]
    assert "not_received" in reason["enum"]

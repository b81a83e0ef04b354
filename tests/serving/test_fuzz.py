"""Whatever is sent, the answer is a success or a problem that says what is wrong: never a 500."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.service import Api, assessment, order_event, unique

_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**62, max_value=2**70),
    st.sampled_from([-1, 0, 1, 2**31, 2**63, 2**64, 10**400]),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "\x00", "\ud800", "\u202e", "\ufeff", "1e999", "NaN", "-0", "9" * 500, "x" * 10_000, "é", "𝒳"]
    ),
    st.sampled_from(
        ["0000-00-00T00:00:00Z", "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z", "2026-05-20T24:00:00Z"]
        + ["2026-05-20T08:30:60Z", "2026-05-20T08:30:00+99:99", "2026-05-20T08:30:00.9999999Z", "2026-W20-1"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
_JSON = st.recursive(_ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything within a JSON value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@st.composite
def spoiled(draw: st.DrawFn, body: Any) -> Any:
    """A valid body with one to three places changed, removed or added."""
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(body)))
        holder = body
        for key in path[:-1]:
            holder = holder[key]
        match draw(st.sampled_from(["change", "change", "remove", "add"])):
            case "change":
                holder[path[-1]] = draw(_ODD)
            case "remove":
                del holder[path[-1]]
            case _ if isinstance(holder, dict):
                holder[draw(st.text(max_size=10))] = draw(_ODD)
        if not body:
            break
    return body


def events() -> dict[str, Any]:
    order = order_event()
    return_id = unique("return-")
    common = {"order_id": order["order_id"], "return_id": return_id}
    others: list[dict[str, Any]] = [
        {"type": "delivery", "occurred_at": "2026-05-03T09:00:00Z", "proof": "photo"},
        {"type": "return", "occurred_at": "2026-05-10T09:00:00Z", "line_id": "1", "quantity": 1, "reason": "gift"},
        {"type": "inspection", "occurred_at": "2026-05-14T09:00:00Z", "finding": "worn", "propensity": 0.05},
        {"type": "verdict", "occurred_at": "2026-05-15T09:00:00Z", "verdict": "cleared", "basis": "inspection"},
    ]
    return {"events": [order, *(common | other | {"event_id": unique("event-")} for other in others)]}


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode("utf-8", "surrogatepass")


def check(api: Api, path: str, content: bytes) -> None:
    response = api.post(path, content)
    assert response.status_code in (200, 400, 409, 413, 422), (response.status_code, response.text)
    assert len(response.content) < 200_000
    document = response.json()
    if response.status_code != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert document["status"] == response.status_code
        assert document["detail"]
    for result in document.get("results", []):
        assert result["status"] in (200, 409, 422), result


_SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@_SETTINGS
@given(data=st.data())
def test_spoiled_events(api: Api, data: st.DataObject) -> None:
    check(api, "/v1/events", encoded(data.draw(spoiled(events()))))


@_SETTINGS
@given(data=st.data())
def test_spoiled_assessments(api: Api, data: st.DataObject) -> None:
    check(api, "/v1/assessments", encoded(data.draw(spoiled(assessment()))))


@_SETTINGS
@given(data=st.data())
def test_spoiled_batches(api: Api, data: st.DataObject) -> None:
    check(api, "/v1/assessments/batch", encoded(data.draw(spoiled({"assessments": [assessment(), assessment()]}))))


@_SETTINGS
@given(st.sampled_from(["/v1/events", "/v1/assessments", "/v1/assessments/batch"]), _JSON)
def test_any_json(api: Api, path: str, body: Any) -> None:
    check(api, path, encoded(body))


@_SETTINGS
@given(st.sampled_from(["/v1/events", "/v1/assessments", "/v1/assessments/batch"]), st.binary(max_size=200))
def test_any_bytes(api: Api, path: str, content: bytes) -> None:
    check(api, path, content)


def test_the_unspoiled_ones_are_taken(api: Api) -> None:
    assert api.post("/v1/events", encoded(events())).status_code == 200
    assert api.post("/v1/assessments", encoded(assessment())).status_code == 200

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.service import VECTOR
from serving.assessments.schemas import AssessmentAnswer, BatchAnswer, StoredAssessmentAnswer
from serving.keys.scopes import Scope
from tests.support.service import Api, assessment, bearer, fields, inline_order, make_key, order_event, unique


def known(number: int, order: int = 2, **changes: Any) -> dict[str, Any]:
    """A request for an order of the history."""
    return {
        "return_id": unique("known-"),
        "customer_id": f"c{number}",
        "order_id": f"o{number}-{order}",
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": "size_fit",
    } | changes


def ago(**delta: float) -> str:
    return (datetime.now(UTC) - timedelta(**delta)).isoformat()


class TestPost:
    def test_answers_as_described(self, api: Api) -> None:
        response = api.assess(assessment())
        assert response.status_code == 200, response.text
        answer = AssessmentAnswer.model_validate_json(response.content, strict=True)
        assert set(response.json()) == set(AssessmentAnswer.model_fields)
        assert 0 < answer.risk < 1
        assert answer.model.version == "1"
        assert answer.policy_version == "2026-12"
        assert not answer.rights.may_refuse

    def test_same_body_gets_the_same_bytes(self, api: Api) -> None:
        body = assessment()
        first, second = api.assess(body), api.assess(dict(reversed(body.items())))
        assert first.status_code == second.status_code == 200
        assert first.content == second.content

    def test_other_body_is_a_conflict(self, api: Api) -> None:
        body = assessment()
        api.assess(body)
        response = api.assess(body | {"reason": "defective"})
        assert response.status_code == 409
        assert fields(response) == ["return_id"]

    def test_without_a_time_it_is_now(self, api: Api) -> None:
        body = assessment()
        del body["requested_at"]
        before = datetime.now(UTC)
        shown = api.show(api.assess(body).json()["assessment_id"]).json()
        assert before <= datetime.fromisoformat(shown["requested_at"]) <= datetime.now(UTC)

    def test_the_return_counts_for_the_next_assessment(self, api: Api) -> None:
        order = order_event()
        api.send(order)
        body = assessment(customer_id=order["customer_id"], order_id=order["order_id"], order={})
        del body["order"], body["requested_at"]
        first = api.assess(body).json()
        second = api.assess(body | {"return_id": unique("return-")}).json()
        assert [a["history"]["returns"] for a in (first, second)] == [0, 1]

    def test_an_unknown_customer_is_said_to_be_one(self, api: Api) -> None:
        history = api.assess(assessment()).json()["history"]
        assert (history["orders"], history["returns"], history["sufficient"]) == (1, 0, False)
        assert "before this order" in history["note"]
        again = assessment(requested_at="2026-05-21T08:30:00Z")
        again["customer_id"] = again["order"]["customer_id"] = assessment()["customer_id"]
        api.assess(again)
        once_more = assessment(customer_id=again["customer_id"], order={"customer_id": again["customer_id"]})
        history = api.assess(once_more | {"requested_at": "2026-05-22T08:30:00Z"}).json()["history"]
        assert (history["orders"], history["returns"]) == (2, 1)
        assert "Little is known" in history["note"]
        assert "note" not in api.assess(known(1)).json()["history"]

    def test_a_bare_return_event_leaves_open_what_the_request_says(self, api: Api) -> None:
        body = assessment()
        order = order_event(customer_id=body["customer_id"], order_id=body["order_id"])
        api.send(order)
        bare = {
            "event_id": unique("bare-"),
            "type": "return",
            "occurred_at": ago(days=1),
            "return_id": body["return_id"],
            "order_id": body["order_id"],
            "line_id": order["lines"][0]["line_id"],
            "quantity": 1,
            "reason": body["reason"],
        }
        assert api.send(bare).status_code == 200
        del body["order"], body["requested_at"]
        body["lines"] = [{"line_id": order["lines"][0]["line_id"], "quantity": 1}]
        response = api.assess(body | {"resolution": "refund", "channel": "web", "tender": "original"})
        assert response.status_code == 200, response.text
        again = body | {"return_id": unique("return-"), "lines": [{"line_id": "1", "quantity": 3}]}
        assert fields(api.assess(again)) == ["lines[0].quantity"], "the event counts"

    def test_a_late_event_never_changes_what_was_assessed(self, api: Api) -> None:
        body = assessment()
        first = api.assess(body).json()
        late = {
            "event_id": unique("late-"),
            "type": "delivery",
            "occurred_at": "2026-05-03T00:00:00Z",
            "order_id": body["order_id"],
        }
        assert api.send(late).json()["accepted"] == 1
        again = api.assess(body | {"return_id": unique("return-"), "order": None}).json()
        vectors = [api.show(answer["assessment_id"]).json()["features"] for answer in (first, again)]
        assert [v["order_deliveries_lifetime"] for v in vectors] == [0, 0]  # both are as of the same moment
        later = api.assess(
            body | {"return_id": unique("return-"), "order": None, "requested_at": "2026-05-20T08:30:00.000001Z"}
        ).json()
        assert api.show(later["assessment_id"]).json()["features"]["order_deliveries_lifetime"] == 1

    def test_nor_does_one_about_a_neighbour(self, api: Api) -> None:
        house = unique("house ")
        body = assessment(order={"address_id": house})
        first = api.assess(body).json()
        assert api.send(order_event(address_id=house)).json()["accepted"] == 1  # of 1 May, told after the request
        again = api.assess(body | {"return_id": unique("return-"), "order": None}).json()
        later = body | {"return_id": unique("return-"), "order": None, "requested_at": "2026-05-21T00:00:00Z"}
        answers = (first, again, api.assess(later).json())
        seen = [api.show(answer["assessment_id"]).json()["features"]["address_customers_365d"] for answer in answers]
        assert seen == [1, 1, 2]

    def test_what_others_returned_of_the_item_counts_at_once(self, api: Api) -> None:
        shown = api.show(api.assess(assessment()).json()["assessment_id"]).json()  # sku s1 has been returned before
        assert shown["features"]["request_expected_ppm"] > 0
        assert shown["features"]["customer_expected_returns_ppm_365d"] > 0

    def test_unknown_order(self, api: Api) -> None:
        response = api.assess(assessment() | {"order": None})
        assert response.status_code == 422
        assert fields(response) == ["order_id"]

    def test_inline_order_may_be_known(self, api: Api) -> None:
        body = assessment()
        assert api.assess(body).status_code == 200
        assert api.assess(body | {"return_id": unique("return-")}).status_code == 200

    def test_inline_order_with_other_content(self, api: Api) -> None:
        body = assessment()
        assert api.assess(body).status_code == 200
        order = body["order"] | {"country": "FR"}
        response = api.assess(body | {"return_id": unique("return-"), "order": order})
        assert response.status_code == 409
        assert fields(response) == ["order.order_id"]

    def test_inline_order_with_other_lines(self, api: Api) -> None:
        body = assessment()
        assert api.assess(body).status_code == 200
        lines = [*body["order"]["lines"], {"line_id": "2", "sku": "s2", "quantity": 1, "unit_price": 1}]
        response = api.assess(body | {"return_id": unique("return-"), "order": body["order"] | {"lines": lines}})
        assert response.status_code == 409
        assert fields(response) == ["order.lines"]

    def test_inline_order_of_another_id(self, api: Api) -> None:
        response = api.assess(assessment(order_id="some-other-order"))
        assert response.status_code == 422
        assert fields(response) == ["order.order_id"]

    def test_inline_order_is_not_kept_if_the_request_is_refused(self, api: Api) -> None:
        body = assessment(lines=[{"line_id": "nope", "quantity": 1}])
        assert api.assess(body).status_code == 422
        response = api.assess(body | {"lines": [{"line_id": "1", "quantity": 1}], "order": None})
        assert fields(response) == ["order_id"]

    def test_unknown_line(self, api: Api) -> None:
        lines = [{"line_id": "1", "quantity": 1}, {"line_id": "2", "quantity": 1}]
        response = api.assess(assessment(lines=lines))
        assert response.status_code == 422
        assert fields(response) == ["lines[1].line_id"]

    def test_more_returned_than_bought(self, api: Api) -> None:
        response = api.assess(assessment(lines=[{"line_id": "1", "quantity": 4}]))
        assert response.status_code == 422
        assert fields(response) == ["lines[0].quantity"]

    def test_more_returned_than_bought_over_several_returns(self, api: Api) -> None:
        body = assessment(lines=[{"line_id": "1", "quantity": 2}])
        assert api.assess(body).status_code == 200
        response = api.assess(body | {"return_id": unique("return-")})
        assert response.status_code == 422
        assert fields(response) == ["lines[0].quantity"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"requested_at": "2026-04-30T00:00:00Z"}, "requested_at"),  # before the order
            ({"requested_at": "2999-01-01T00:00:00Z"}, "requested_at"),
            ({"requested_at": "2026-05-20T08:30:00"}, "requested_at"),  # no zone
            ({"requested_at": "2026-02-30T00:00:00Z"}, "requested_at"),
            ({"requested_at": 1_780_000_000}, "requested_at"),
            ({"reason": "because"}, "reason"),
            ({"kind": "gift"}, "kind"),
            ({"resolution": ""}, "resolution"),
            ({"tender": "cash"}, "tender"),
            ({"channel": "fax"}, "channel"),
            ({"proof_of_purchase": "yes"}, "proof_of_purchase"),
            ({"lines": []}, "lines"),
            ({"lines": [{"line_id": "1", "quantity": 0}]}, "lines[0].quantity"),
            ({"lines": [{"line_id": "1", "quantity": -1}]}, "lines[0].quantity"),
            ({"lines": [{"line_id": "1", "quantity": 1.5}]}, "lines[0].quantity"),
            ({"lines": [{"line_id": "1", "quantity": "1"}]}, "lines[0].quantity"),
            ({"lines": [{"line_id": "1", "quantity": True}]}, "lines[0].quantity"),
            ({"lines": [{"line_id": "1", "quantity": 10**30}]}, "lines[0].quantity"),
            ({"lines": [{"line_id": "1", "quantity": 1}, {"line_id": "1", "quantity": 1}]}, "lines[1].line_id"),
            ({"return_id": ""}, "return_id"),
            ({"return_id": "x" * 10_000}, "return_id"),
            ({"return_id": "a\u0000b"}, "return_id"),
            ({"return_id": "a\u202eb"}, "return_id"),
            ({"return_id": None}, "return_id"),
            ({"customer_id": 7}, "customer_id"),
            ({"order": []}, "order"),
        ],
    )
    def test_names_the_field(self, api: Api, changes: dict[str, Any], field: str) -> None:
        response = api.assess(assessment(**changes) if "order" not in changes else assessment() | changes)
        assert response.status_code == 422, response.text
        assert fields(response) == [field]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"ordered_at": None}, "ordered_at"),
            ({"occurred_at": "2026-05-01T12:00:01Z"}, "occurred_at"),
            ({"lines": [inline_order()["lines"][0]] * 2}, "lines[1].line_id"),
            ({"lines": []}, "lines"),
        ],
    )
    def test_names_the_field_of_an_inline_order(self, api: Api, changes: dict[str, Any], field: str) -> None:
        response = api.assess(assessment(order=changes))
        assert response.status_code == 422, response.text
        assert fields(response) == [f"order.{field}"]

    def test_missing_fields_are_all_named(self, api: Api) -> None:
        response = api.assess({})
        assert response.status_code == 422
        assert fields(response) == ["return_id", "customer_id", "order_id", "lines", "reason"]

    def test_fields_that_the_contract_does_not_have_are_ignored(self, api: Api) -> None:
        assert api.assess(assessment(note="the box was wet")).status_code == 200

    def test_ids_are_trimmed_and_composed(self, api: Api) -> None:
        body = assessment(return_id=f"  {unique('ré-')} ")
        assert api.assess(body).json()["return_id"] == body["return_id"].strip()


class TestCustomer:
    def test_unknown_customer_has_no_history(self, api: Api) -> None:
        answer = api.assess(known(8, customer_id="nobody-we-know")).json()
        assert "Nothing is known" in answer["history"].pop("note")
        assert answer["history"] == {"orders": 0, "returns": 0, "since": None, "sufficient": False}
        assert answer["risk"] <= 2 * 0.04 + 1e-12

    def test_the_return_stays_with_the_one_who_asked(self, api: Api) -> None:
        customer = unique("new-customer-")
        api.assess(known(9, 1, customer_id=customer))
        answer = api.assess(known(9, 2, customer_id=customer)).json()
        assert answer["history"]["orders"] == 0
        assert answer["history"]["returns"] == 1

    def test_another_known_customer(self, api: Api) -> None:
        response = api.assess(known(10, customer_id="c11"))
        assert response.status_code == 422
        assert fields(response) == ["customer_id"]

    def test_thin_history_is_near_the_base_rate(self, api: Api) -> None:
        answer = api.assess(assessment()).json()
        assert answer["history"]["orders"] == 1
        assert not answer["history"]["sufficient"]
        assert answer["action"] != "staff_review"
        assert answer["risk"] <= 2 * 0.04 + 1e-12


class TestKnownReturn:
    """A return that came as an event before it was assessed."""

    @pytest.fixture
    def event(self, api: Api) -> dict[str, Any]:
        order = order_event()
        event = {
            "event_id": unique("event-"),
            "type": "return",
            "occurred_at": "2026-05-18T10:00:00Z",
            "return_id": unique("return-"),
            "order_id": order["order_id"],
            "line_id": "1",
            "quantity": 2,
            "reason": "size_fit",
            "resolution": "refund",
        }
        assert api.send(order, event).status_code == 200
        return event | {"customer_id": order["customer_id"]}

    def body(self, event: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return {
            "return_id": event["return_id"],
            "customer_id": event["customer_id"],
            "order_id": event["order_id"],
            "lines": [{"line_id": "1", "quantity": 2}],
            "reason": "size_fit",
        } | changes

    def test_is_assessed_as_of_its_own_time_and_counted_once(self, api: Api, event: dict[str, Any]) -> None:
        answer = api.assess(self.body(event)).json()
        shown = api.show(answer["assessment_id"]).json()
        assert shown["requested_at"] == "2026-05-18T10:00:00.000000Z"
        assert shown["features"]["customer_returns_lifetime"] == 0
        again = api.assess(self.body(event, return_id=unique("return-"), lines=[{"line_id": "1", "quantity": 1}]))
        assert again.json()["history"]["returns"] == 1

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"lines": [{"line_id": "1", "quantity": 1}]}, "lines"),
            ({"requested_at": "2026-05-19T00:00:00Z"}, "requested_at"),
            ({"reason": "defective"}, "reason"),
            ({"resolution": "exchange"}, "resolution"),
            ({"customer_id": "somebody-else"}, "customer_id"),
        ],
    )
    def test_must_not_be_told_otherwise(
        self, api: Api, event: dict[str, Any], changes: dict[str, Any], field: str
    ) -> None:
        response = api.assess(self.body(event, **changes))
        assert response.status_code == 409
        assert fields(response) == [field]

    def test_of_another_order(self, api: Api, event: dict[str, Any]) -> None:
        other = inline_order(customer_id=event["customer_id"])
        response = api.assess(self.body(event, order_id=other["order_id"], order=other))
        assert response.status_code == 409
        assert fields(response) == ["order_id"]


class TestShow:
    def test_shows_the_answer_with_the_whole_vector(self, api: Api) -> None:
        answer = api.assess(known(12)).json()
        response = api.show(answer["assessment_id"])
        shown = response.json()
        StoredAssessmentAnswer.model_validate_json(response.content)
        assert {name: shown[name] for name in answer} == answer
        assert tuple(shown["features"]) == VECTOR
        assert shown["features"]["customer_orders_lifetime"] == answer["history"]["orders"] == 8
        assert not any(value is not None and math.isnan(value) for value in shown["features"].values())

    def test_unknown_id(self, api: Api) -> None:
        response = api.show("nothing")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


class TestBatch:
    def test_each_stands_for_itself(self, api: Api) -> None:
        good, bad = assessment(), assessment(lines=[{"line_id": "9", "quantity": 1}])
        response = api.batch(good, bad, {"return_id": 1}, "text", good, good | {"reason": "gift"})
        assert response.status_code == 200
        BatchAnswer.model_validate_json(response.content)
        results = response.json()["results"]
        assert [result["status"] for result in results] == [200, 422, 422, 422, 200, 409]
        assert results[1]["problem"]["errors"][0]["field"] == "assessments[1].lines[0].line_id"
        assert results[2]["problem"]["errors"][0]["field"] == "assessments[2].return_id"
        assert results[0] == results[4]
        assert api.assess(good).json() == results[0]["assessment"]

    def test_later_requests_see_earlier_ones(self, api: Api) -> None:
        first = assessment()
        second = first | {"return_id": unique("return-"), "requested_at": "2026-05-21T00:00:00Z"}
        results = api.batch(first, second).json()["results"]
        assert [result["assessment"]["history"]["returns"] for result in results] == [0, 1]

    def test_too_many(self, api: Api) -> None:
        response = api.batch(*[{}] * 101)
        assert response.status_code == 422
        assert fields(response) == ["assessments"]

    def test_empty(self, api: Api) -> None:
        assert fields(api.batch()) == ["assessments"]


class TestScopes:
    @pytest.mark.parametrize("path", ["/v1/assessments", "/v1/assessments/batch"])
    def test_writing_needs_its_scope(self, api: Api, shared_home: Any, path: str) -> None:
        key = make_key(shared_home, Scope.ASSESSMENTS_READ, Scope.EVENTS_WRITE)
        response = api.client.post(path, json={}, headers=bearer(key))
        assert response.status_code == 403
        assert 'scope="assessments:write"' in response.headers["www-authenticate"]

    def test_reading_needs_its_scope(self, api: Api, shared_home: Any) -> None:
        key = make_key(shared_home, Scope.ASSESSMENTS_WRITE)
        assert api.client.get("/v1/assessments/x", headers=bearer(key)).status_code == 403

from __future__ import annotations

from typing import Any

import pytest

from features.ledger.sql import rows
from features.ledger.store import Ledger
from serving.keys.scopes import Scope
from tests.support.service import Api, bearer, fields, make_key, order_event, settings_of, unique


def follow_ups(order: dict[str, Any]) -> list[dict[str, Any]]:
    """One valid event of each other type, for the order."""
    return_id = unique("return-")
    common = {"event_id": "", "order_id": order["order_id"]}
    events = [
        common | {"type": "delivery", "occurred_at": "2026-05-03T09:00:00Z", "proof": "photo"},
        common
        | {
            "type": "return",
            "occurred_at": "2026-05-10T09:00:00+02:00",
            "requested_at": "2026-05-10T07:00:00Z",
            "return_id": return_id,
            "line_id": "1",
            "quantity": 1,
            "reason": "defective",
        },
        {
            "event_id": "",
            "type": "inspection",
            "occurred_at": "2026-05-14T09:00:00Z",
            "return_id": return_id,
            "finding": "worn",
            "trigger": "random",
            "propensity": 0.05,
        },
        {
            "event_id": "",
            "type": "verdict",
            "occurred_at": "2026-05-15T09:00:00Z",
            "return_id": return_id,
            "verdict": "inconclusive",
            "basis": "inspection",
        },
    ]
    return [event | {"event_id": unique("event-")} for event in events]


def counts(home: Any) -> dict[str, int]:
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.read() as conn:
            tables = ("orders", "order_lines", "deliveries", "returns", "inspections", "verdicts", "live_events")
            return {table: rows(conn, f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    finally:
        ledger.close()


class TestTaking:
    def test_every_type_in_any_order(self, api: Api) -> None:
        order = order_event()
        events = [*reversed(follow_ups(order)), order]
        response = api.send(*events)
        assert response.status_code == 200, response.text
        assert response.json() == {"accepted": 5, "duplicates": 0}

    def test_again_is_a_duplicate(self, api: Api, shared_home: Any) -> None:
        order = order_event()
        events = [order, *follow_ups(order)]
        api.send(*events)
        before = counts(shared_home)
        assert api.send(*events).json() == {"accepted": 0, "duplicates": 5}
        assert counts(shared_home) == before

    def test_twice_in_one_call(self, api: Api) -> None:
        order = order_event()
        assert api.send(order, order).json() == {"accepted": 1, "duplicates": 1}

    def test_under_another_event_id_is_a_duplicate(self, api: Api, shared_home: Any) -> None:
        order = order_event()
        events = [order, *follow_ups(order)]
        api.send(*events)
        before = counts(shared_home)
        again = [event | {"event_id": unique("again-")} for event in events]
        assert api.send(*again).json() == {"accepted": 0, "duplicates": 5}
        after = counts(shared_home)
        assert after.pop("live_events") == before.pop("live_events") + 5
        assert after == before

    def test_the_same_order_under_two_ids_in_one_call(self, api: Api) -> None:
        order = order_event()
        assert api.send(order, order | {"event_id": unique("again-")}).json() == {"accepted": 1, "duplicates": 1}

    def test_new_and_old_together(self, api: Api) -> None:
        order = order_event()
        api.send(order)
        assert api.send(order, *follow_ups(order)).json() == {"accepted": 4, "duplicates": 1}

    def test_spelling_does_not_matter(self, api: Api) -> None:
        order = order_event()
        api.send(order)
        line = order["lines"][0] | {"unit_price": 19.99, "discount": "0.00"}
        same = order | {"occurred_at": "2026-05-01T14:00:00+02:00", "country": "de", "lines": [line]}
        assert api.send(same).json() == {"accepted": 0, "duplicates": 1}

    def test_money_is_exact(self, api: Api, shared_home: Any) -> None:
        prices = ["19.99", 19.99, 0.1, "1234567.8912", 10_000_000, 0, "0.00005"]
        lines = [{"line_id": str(i), "sku": "s", "quantity": 1, "unit_price": p} for i, p in enumerate(prices)]
        order = order_event(lines=lines)
        assert api.send(order).status_code == 200
        ledger = Ledger.open(settings_of(shared_home))
        with ledger.read() as conn:
            found = rows(
                conn,
                "SELECT unit_price_e4 FROM order_lines JOIN orders USING (order_no) WHERE order_id = ?"
                " ORDER BY line_id",
                (order["order_id"],),
            )
        ledger.close()
        assert [row[0] for row in found] == [199_900, 199_900, 1_000, 12_345_678_912, 100_000_000_000, 0, 0]

    def test_raw_identities_are_not_kept(self, api: Api, shared_home: Any) -> None:
        order = order_event(email_id="Very.Own@Example.com", address_id="1 Main Street")
        api.send(order)
        for file in shared_home.glob("ledger.db*"):
            content = file.read_bytes().lower()
            assert b"very.own@example.com" not in content
            assert b"1 main street" not in content


class TestConflicts:
    def test_event_id_with_another_body(self, api: Api) -> None:
        order = order_event()
        api.send(order)
        response = api.send(order | {"country": "FR"})
        assert response.status_code == 409
        assert fields(response) == ["events[0].event_id"]

    def test_event_id_twice_in_one_call(self, api: Api, shared_home: Any) -> None:
        before = counts(shared_home)
        response = api.send(order_event(event_id="twice"), order_event(event_id="twice"))
        assert response.status_code == 409
        assert fields(response) == ["events[1].event_id"]
        assert counts(shared_home) == before

    def test_order_with_another_body(self, api: Api) -> None:
        order = order_event()
        api.send(order)
        response = api.send(order | {"event_id": unique("again-"), "country": "FR"})
        assert response.status_code == 409
        assert fields(response) == ["events[0].order_id"]

    @pytest.mark.parametrize("lines", [["1", "2"], ["1"], ["1", "2", "3", "4"], ["1", "2", "4"]])
    def test_order_with_other_lines(self, api: Api, lines: list[str]) -> None:
        def with_lines(names: list[str]) -> list[dict[str, Any]]:
            return [{"line_id": name, "sku": "s", "quantity": 1, "unit_price": 5} for name in names]

        order = order_event(lines=with_lines(["1", "2", "3"]))
        api.send(order)
        response = api.send(order | {"event_id": unique("again-"), "lines": with_lines(lines)})
        assert response.status_code == 409
        assert fields(response) == ["events[0].lines"]

    def test_line_with_another_body(self, api: Api) -> None:
        order = order_event()
        api.send(order)
        line = order["lines"][0] | {"quantity": 9}
        response = api.send(order | {"event_id": unique("again-"), "lines": [line]})
        assert response.status_code == 409
        assert fields(response) == ["events[0].lines[0].line_id"]


class TestAllOrNothing:
    def test_one_bad_event_stops_all(self, api: Api, shared_home: Any) -> None:
        before = counts(shared_home)
        order = order_event()
        late = follow_ups(order)[0] | {"order_id": "unheard-of"}
        response = api.send(order, late)
        assert response.status_code == 422
        assert fields(response) == ["events[1].order_id"]
        assert counts(shared_home) == before
        assert api.send(order).json() == {"accepted": 1, "duplicates": 0}

    @pytest.mark.parametrize(
        ("number", "changes", "field"),
        [
            (0, {"delivered_at": "2026-05-04T00:00:00Z"}, "delivered_at"),  # not the same as occurred_at
            (0, {"occurred_at": "2026-04-01T00:00:00Z"}, "occurred_at"),  # before the order
            (0, {"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
            (0, {"proof": "hearsay"}, "proof"),
            (1, {"line_id": "7"}, "line_id"),
            (1, {"quantity": 4}, "quantity"),
            (1, {"quantity": 0}, "quantity"),
            (1, {"occurred_at": "2026-04-30T00:00:00Z", "requested_at": None}, "occurred_at"),
            (2, {"return_id": "unheard-of"}, "return_id"),
            (2, {"occurred_at": "2026-05-09T00:00:00Z"}, "occurred_at"),
            (2, {"propensity": 0}, "propensity"),
            (2, {"propensity": 1.5}, "propensity"),
            (2, {"line_id": "9"}, "line_id"),
            (2, {"finding": "odd"}, "finding"),
            (3, {"occurred_at": "2026-05-09T00:00:00Z"}, "occurred_at"),
            (3, {"verdict": "perhaps"}, "verdict"),
            (3, {"basis": "rumour"}, "basis"),
            (3, {"type": "judgement"}, "type"),
            (3, {"type": None}, "type"),
            (3, {"event_id": ""}, "event_id"),
            (3, {"occurred_at": None}, "occurred_at"),
        ],
    )
    def test_names_the_place(self, api: Api, number: int, changes: dict[str, Any], field: str) -> None:
        order = order_event()
        events = follow_ups(order)
        events[number] |= changes
        response = api.send(order, *events)
        assert response.status_code == 422, response.text
        assert fields(response)[0] == f"events[{number + 1}].{field}"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"quantity": 0}, "quantity"),
            ({"quantity": 100_001}, "quantity"),
            ({"unit_price": -0.01}, "unit_price"),
            ({"unit_price": "-1"}, "unit_price"),
            ({"unit_price": 10_000_000.01}, "unit_price"),
            ({"unit_price": "1e3"}, "unit_price"),
            ({"unit_price": "1_000"}, "unit_price"),
            ({"unit_price": "٣"}, "unit_price"),
            ({"unit_price": True}, "unit_price"),
            ({"unit_price": None}, "unit_price"),
            ({"unit_price": 10**400}, "unit_price"),
            ({"discount": "much"}, "discount"),
            ({"sku": "\u200b"}, "sku"),
            ({"category": "a\nb"}, "category"),
            ({"line_id": "x" * 201}, "line_id"),
        ],
    )
    def test_names_the_line(self, api: Api, changes: dict[str, Any], field: str) -> None:
        good = {"line_id": "2", "sku": "s1", "quantity": 3, "unit_price": "19.99"}
        order = order_event()
        order["lines"].append(good | changes)
        response = api.send(order_event(), order)
        assert response.status_code == 422, response.text
        assert fields(response) == [f"events[1].lines[1].{field}"]

    def test_names_a_line_that_stands_twice(self, api: Api) -> None:
        order = order_event()
        order["lines"] *= 2
        response = api.send(order)
        assert response.status_code == 422
        assert fields(response) == ["events[0].lines[1].line_id"]

    @pytest.mark.parametrize("field", ["country", "currency"])
    @pytest.mark.parametrize("value", ["XXXX", "1", 5, ""])
    def test_codes(self, api: Api, field: str, value: Any) -> None:
        assert fields(api.send(order_event(**{field: value}))) == [f"events[0].{field}"]

    def test_too_many(self, api: Api) -> None:
        response = api.send(*[{"event_id": str(i), "type": "nothing"} for i in range(1001)])
        assert response.status_code == 422

    def test_none(self, api: Api) -> None:
        assert fields(api.send()) == ["events"]


def test_needs_its_scope(api: Api, shared_home: Any) -> None:
    key = make_key(shared_home, Scope.ASSESSMENTS_WRITE)
    response = api.client.post("/v1/events", json={"events": [order_event()]}, headers=bearer(key))
    assert response.status_code == 403

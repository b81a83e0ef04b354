"""Corrections: the right customer, the right finding, noted with both, and known to the sender."""

from __future__ import annotations

import pytest

from features.clock import DAY
from features.ledger.append import append_rows
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.online import fetch
from features.repo import feature_store
from features.request import Stated, build_request_row
from features.service import SERVICE
from serving.audit import trail
from serving.audit.trail import Actor
from serving.privacy.correction import correct_finding, reassign_order
from serving.problems import Forbidden, Invalid
from tests.serving.privacy.conftest import LEAD, NOW, WHO
from tests.support.history import made_up_history

HISTORY = made_up_history(12, 8)


def orders_seen(ledger: Ledger, order_id: str) -> float:
    """How many orders of its customer an assessment of that order counts now."""
    store = feature_store(ledger._settings)
    with ledger.write() as conn:
        row = build_request_row(conn, order_id, {"1": 1}, Stated(NOW, "gift", "return"))
        return fetch(store, store.get_feature_service(SERVICE), conn, row)["customer_orders_lifetime"]


def test_an_order_goes_to_whose_it_is_with_its_returns_and_cases(ledger: Ledger) -> None:
    with ledger.read() as conn:
        ((order_id,),) = rows(conn, "SELECT order_id FROM cases")
    before = orders_seen(ledger, "o1-0")
    with ledger.write() as conn:
        assert reassign_order(conn, LEAD, order_id, "c1", hasher=ledger.hasher, now=NOW) == WHO
        assert rows(conn, "SELECT customer_id FROM cases") == [("c1",)]
        for who, direction in ((WHO, "from"), ("c1", "to")):
            entry = trail.of_subject(conn, trail.customer_subject(ledger.hasher, who))[0]
            assert (entry.operation, entry.content["direction"]) == ("customer.correct", direction)
            assert f'"{who}"' not in str(entry)
        assert rows(conn, "SELECT count(*) FROM requests_of_people WHERE kind = 'correction'") == [(2,)]
    assert orders_seen(ledger, "o1-0") == before + 1

    event = next(row for row in HISTORY["orders"] if row["order_id"] == order_id)
    with ledger.write() as conn:
        for row, outcome in ((event, (0, 1)), (event | {"customer_id": "c1"}, (1, 0))):
            done = append_rows(conn, "orders", [row], live=True, now_us=NOW, hasher=ledger.hasher)
            assert (done.duplicates, len(done.rejects)) == outcome


def test_who_brought_back_what_turns_out_to_be_theirs_is_the_buyer(ledger: Ledger) -> None:
    line = {"order_id": "o2-0", "line_id": "2", "sku": "s1", "quantity": 1, "unit_price_e4": 10_000}
    back = {
        "return_id": "gift-1",
        "order_id": "o2-0",
        "line_id": "2",
        "customer_id": "c1",
        "requested_at": NOW - DAY,
        "quantity": 1,
        "reason": "gift",
    }
    with ledger.write() as conn:
        for table, row in (("order_lines", line), ("returns", back)):
            assert append_rows(conn, table, [row], live=True, now_us=NOW, hasher=ledger.hasher).accepted == 1
        reassign_order(conn, LEAD, "o2-0", "c1", hasher=ledger.hasher, now=NOW)
        assert rows(conn, "SELECT customer_id FROM returns WHERE return_id = 'gift-1'") == [(None,)]
        again = append_rows(conn, "returns", [back], live=True, now_us=NOW, hasher=ledger.hasher)
        assert again.duplicates == 1


def test_a_finding_is_put_right_and_counts_from_then_on(ledger: Ledger) -> None:
    with ledger.write() as conn:
        return_id, at, customer_id, order_id = rows(
            conn,
            "SELECT i.return_id, i.inspected_at, o.customer_id, o.order_id FROM inspections i"
            " JOIN orders o ON o.order_no = i.order_no WHERE i.finding = 'worn' LIMIT 1",
        )[0]
        given = {"inspected_at": at, "line_id": "", "hasher": ledger.hasher, "now": NOW}
        assert correct_finding(conn, LEAD, customer_id, return_id, finding="as_described", **given) == "worn"
        assert rows(conn, "SELECT finding FROM inspections WHERE return_id = ?", (return_id,)) == [("as_described",)]
        with pytest.raises(Invalid, match="already"):
            correct_finding(conn, LEAD, customer_id, return_id, finding="as_described", **given)
        with pytest.raises(Invalid, match="of this customer"):
            correct_finding(conn, LEAD, "nobody", return_id, finding="worn", **given)
        with pytest.raises(Invalid, match="must be one of"):
            correct_finding(conn, LEAD, customer_id, return_id, finding="odd", **given)
        with pytest.raises(Invalid, match="no such inspection"):
            correct_finding(conn, LEAD, customer_id, return_id, finding="worn", **(given | {"inspected_at": 1}))
    assert order_id


def test_what_cannot_be_corrected_says_why(ledger: Ledger) -> None:
    with ledger.write() as conn:
        for order_id, customer_id, field in (("none", "c1", "order_id"), ("o1-0", "c1", "customer_id")):
            with pytest.raises(Invalid) as told:
                reassign_order(conn, LEAD, order_id, customer_id, hasher=ledger.hasher, now=NOW)
            assert told.value.errors[0].field == field
        with pytest.raises(Invalid, match="erased"):
            reassign_order(conn, LEAD, "o1-0", f"erased-{'0' * 24}", hasher=ledger.hasher, now=NOW)
        with pytest.raises(Forbidden):
            reassign_order(conn, Actor("staff", "r", "reviewer"), "o1-0", "c2", hasher=ledger.hasher, now=NOW)

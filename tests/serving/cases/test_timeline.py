"""The timeline of an order and the places of its picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.clock import DAY
from features.ledger.append import append_rows
from features.ledger.sql import execute
from features.ledger.store import Ledger
from features.settings import Settings
from serving.cases import timeline
from serving.cases.claim import Delivery, read
from serving.cases.pictures import timeline_picture
from serving.cases.timeline import Moment, Timeline, Window, windows_of

ORDERED = 20_600 * DAY
NOW = ORDERED + 30 * DAY


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(Settings(home=tmp_path, database_url="", hash_key="a key for tests"))
    line = {"order_id": "o1", "sku": "s", "quantity": 3, "unit_price_e4": 199_900, "category": "shoes"}
    asked = {"order_id": "o1", "quantity": 1, "reason": "size_fit"}
    tables = {
        "orders": [{"order_id": "o1", "customer_id": "c1", "ordered_at": ORDERED, "currency": "EUR", "channel": "web"}],
        "order_lines": [
            line | {"line_id": "1"},
            line | {"line_id": "2", "discount_e4": 90_000},
            line | {"line_id": "3"},
        ],
        "deliveries": [{"order_id": "o1", "delivered_at": ORDERED + 2 * DAY, "proof": "photo"}],
        "returns": [
            asked | {"return_id": "r1", "line_id": "1", "requested_at": ORDERED + 6 * DAY, "quantity": 2},
            asked | {"return_id": "r1", "line_id": "2", "requested_at": ORDERED + 6 * DAY, "customer_id": "c9"},
            asked | {"return_id": "r2", "line_id": "3", "requested_at": ORDERED + 5 * DAY, "kind": "claim"},
        ],
        "inspections": [
            {"return_id": "r1", "inspected_at": ORDERED + 9 * DAY, "finding": "worn"},
            {"return_id": "r2", "inspected_at": ORDERED + 9 * DAY, "finding": "as_described"},
        ],
        "verdicts": [
            {"return_id": "r1", "decided_at": ORDERED + 9 * DAY, "verdict": "inconclusive", "basis": "opinion"},
            {"return_id": "r2", "decided_at": ORDERED + 9 * DAY, "verdict": "cleared"},
        ],
    }
    tables["returns"][0]["customer_id"] = "c9"
    with ledger.write() as conn:
        for table, made in tables.items():
            done = append_rows(conn, table, made, live=False, now_us=NOW, hasher=ledger.hasher)
            assert not done.rejects, done.rejects
        execute(
            conn,
            "INSERT INTO cases (case_no, case_id, return_id, order_no, order_id, customer_id, opened_at,"
            " opened_because, kind, reason, value_minor, expected_loss_minor, state, state_since,"
            " rests_in, due_at, due_day, revision)"
            " VALUES (1, 'x', 'r1', 1, 'o1', 'c9', ?, 'action', 'return', 'size_fit', 1, 1, 'open', 0,"
            " 'open', 0, 0, 1)",
            (ORDERED + 6 * DAY,),
        )
        execute(
            conn,
            "INSERT INTO case_findings (case_no, at, line_id, finding, withdrawn_at)"
            " VALUES (1, ?, '', 'damaged', NULL), (1, ?, '', 'wrong_item', 5)",
            (ORDERED + 8 * DAY, ORDERED + 8 * DAY),
        )
        execute(
            conn,
            "INSERT INTO disputes (dispute_id, case_no, received_at, words, digest, due_at)"
            " VALUES ('d', 1, ?, '', '', 0)",
            (ORDERED + 20 * DAY,),
        )
    yield ledger
    ledger.close()


def test_what_is_claimed(ledger: Ledger) -> None:
    with ledger.read() as conn:
        claim = read(conn, "r1")
        with pytest.raises(LookupError, match="unknown return r7"):
            read(conn, "r7")
    assert [(line.line_id, line.quantity, line.bought, line.value_minor) for line in claim.lines] == [
        ("1", 2, 3, 3998),
        ("2", 1, 3, 1699),
    ]
    assert [line.discounted for line in claim.lines] == [False, True]
    assert (claim.value_minor, claim.items, claim.lines_kept, claim.main.line_id) == (5697, 3, 1, "1")
    assert (claim.customer_id, claim.bought_by_other, claim.currency) == ("c9", True, "EUR")
    assert claim.delivery == Delivery(ORDERED + 2 * DAY, "photo")
    assert not claim.delivered_after_request


def test_what_happened_in_its_order(ledger: Ledger) -> None:
    with ledger.read() as conn:
        found = timeline.read(conn, order_no=1, return_id="r1", now=NOW)
    assert [((moment.at - ORDERED) // DAY, moment.kind, moment.words) for moment in found.moments] == [
        (0, "ordered", ()),
        (2, "delivered", ("photo",)),
        (5, "other_requested", ("claim", "size_fit")),
        (6, "requested", ("return", "size_fit")),
        (6, "opened", ("action",)),
        (8, "found", ("damaged",)),
        (9, "other_found", ("as_described",)),
        (9, "found", ("worn",)),
        (9, "decided", ("inconclusive", "opinion")),
        (20, "disputed", ()),
    ]
    assert found.until == NOW


def test_windows_end_with_their_last_day() -> None:
    delivery = Delivery(ORDERED + 5, "none")
    rights = {"basis": "withdrawal", "until": "2026-06-10", "may_refuse": False}
    assert windows_of(rights, delivery) == (Window("withdrawal", ORDERED + 5, ORDERED + 15 * DAY),)
    assert windows_of(rights, None) == ()
    assert windows_of({"basis": "policy", "until": None}, delivery) == ()
    assert windows_of({"basis": "policy", "until": "2026-01-01"}, delivery) == ()


class TestPicture:
    @given(st.lists(st.integers(0, 900 * DAY), min_size=1, max_size=12), st.integers(0, 800), st.integers(1, 40))
    def test_labels_of_a_lane_do_not_touch_and_everything_is_inside(
        self, times: list[int], days: int, length: int
    ) -> None:
        moments = tuple(Moment(ORDERED + at, "ordered") for at in sorted(times))
        window = Window("warranty", moments[0].at, moments[0].at + (days + 1) * DAY)
        made = timeline_picture(Timeline(moments, (window,), moments[-1].at), ["x" * length] * len(moments))
        for dot in made.dots:
            assert 14 <= dot.x <= 706
            assert 0 <= dot.label_x <= 720 - 7 * length + 1e-6
        for lane in range(made.lanes):
            lefts = sorted(dot.label_x for dot in made.dots if dot.lane == lane)
            assert all(b - a >= 7 * length + 10 - 1e-6 for a, b in pairwise(lefts))
        (bar,) = made.bars
        assert bar.x >= 14
        assert bar.x + bar.width <= 706 + 1e-6
        assert len(made.ticks) <= 9
        assert all(14 <= tick.x <= 706 for tick in made.ticks)
        assert all(tick.at % DAY == 0 for tick in made.ticks)

    def test_a_long_window_does_not_squeeze_the_rest(self) -> None:
        moments = (Moment(ORDERED, "ordered"), Moment(ORDERED + 10 * DAY, "requested"))
        window = Window("warranty", ORDERED, ORDERED + 730 * DAY)
        made = timeline_picture(Timeline(moments, (window,), ORDERED + 10 * DAY), ["a", "b"])
        assert made.dots[1].x > 350
        assert made.bars[0].open

    def test_nothing_happened(self) -> None:
        assert timeline_picture(Timeline((), (), NOW), []).dots == ()

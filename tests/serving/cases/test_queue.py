from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.audit import trail
from serving.cases import queue, work
from serving.cases.queue import CLOSED, Filters, Page
from serving.cases.repository import Case
from tests.support.cases import ANN, BEN, HOUR, NOW, Desk

#: So many cases of one table: all columns from the numbers 1, 2, ...
_MANY = """
INSERT INTO cases (case_id, return_id, order_no, order_id, customer_id, opened_at, opened_because, action, kind, reason,
  country, channel, category, currency, value_minor, expected_loss_minor, risk, state, state_since, rests_in, due_at,
  due_day, closed_at, verdict, revision)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT 'RW-' || printf('%05d', i / 100000) || '-' || printf('%05d', i % 100000), 'many-' || i, i, 'order-' || i,
  'customer-' || (i % 997), ?1000, 'action',
  'staff_review', CASE i % 5 WHEN 0 THEN 'claim' ELSE 'return' END, 'size_fit',
  CASE i % 3 WHEN 0 THEN 'DE' ELSE 'NL' END, 'web', 'k' || (i % 4), 'EUR', 1000 + i % 9000, i * 7919 % 5000, 0.4,
  CASE WHEN i % 20 = 0 THEN 'open' ELSE 'closed' END, 0, 'open', due, due / 86400000000,
  CASE WHEN i % 20 = 0 THEN NULL ELSE due END, CASE WHEN i % 20 = 0 THEN NULL ELSE 'cleared' END, 1
FROM (SELECT i, ?2000 + (i * 104729 % 2592000) * 1000000 AS due FROM n)
"""


def make_many(conn: Connection, count: int) -> None:
    execute(conn, _MANY.replace("?1000", str(NOW)).replace("?2000", str(NOW)), (count,))


@pytest.fixture
def many(desk: Desk) -> Desk:
    desk.write(lambda conn: make_many(conn, 2_000))
    return desk


def read_all(desk: Desk, filters: Filters, size: int = 7) -> list[Case]:
    found: list[Case] = []
    after = None
    while True:
        page = desk.read(lambda conn, after=after: queue.page(conn, filters, desk.now, after=after, size=size))
        assert len(page.rows) <= size
        found += [row.case for row in page.rows]
        after = page.after
        if after is None:
            return found


class TestOrder:
    def test_is_by_day_of_the_deadline_then_by_what_would_be_lost(self, many: Desk) -> None:
        found = read_all(many, Filters())
        assert len(found) == 100
        assert found == sorted(found, key=lambda case: (case.due_at // DAY, -case.expected_loss_minor, case.case_no))

    @pytest.mark.parametrize("size", [1, 3, 50, 100, 101])
    def test_pages_lose_none_and_repeat_none(self, many: Desk, size: int) -> None:
        found = [case.case_no for case in read_all(many, Filters(), size)]
        assert len(set(found)) == len(found) == 100

    def test_pages_go_on_where_they_were_whatever_is_closed(self, many: Desk) -> None:
        whole = read_all(many, Filters())
        first = many.read(lambda conn: queue.page(conn, Filters(), many.now, size=10))
        for row in first.rows:
            many.put(row.case, state="closed", closed_at=many.now)
        second = many.read(lambda conn: queue.page(conn, Filters(), many.now, after=first.after, size=10))
        assert [row.case for row in second.rows] == whole[10:20]

    def test_closed_ones_come_latest_first(self, many: Desk) -> None:
        found = read_all(many, Filters(state=CLOSED), 90)
        assert len(found) == 1_900
        assert found == sorted(found, key=lambda case: (-(case.closed_at or 0), -case.case_no))


class TestFilters:
    def test_take_what_fits(self, many: Desk) -> None:
        everything = read_all(many, Filters())
        rng = random.Random(3)
        chosen = [
            Filters(kind="claim"),
            Filters(country="DE", category="k0"),
            Filters(value_from=3_000, value_to=5_000),
            Filters(because="hand"),
            Filters(channel="web", state="open"),
            Filters(state="disputed"),
            *(replace(Filters(), country=rng.choice(["DE", "NL"]), value_from=rng.randrange(9_000)) for _ in range(5)),
        ]
        for filters in chosen:
            expected = [
                case
                for case in everything
                if filters.kind in (None, case.kind)
                and filters.country in (None, case.country)
                and filters.category in (None, case.category)
                and filters.channel in (None, case.channel)
                and filters.because in (None, case.opened_because)
                and filters.state in ("active", case.state)
                and (filters.value_from or 0) <= case.value_minor <= (filters.value_to or 10**9)
            ]
            assert read_all(many, filters) == expected, filters

    def test_what_is_mine_ends_with_my_claim(self, many: Desk) -> None:
        first = read_all(many, Filters())[0]
        many.do(work.claim, ANN, first, revision=1)
        assert [case.case_no for case in read_all(many, Filters(mine="ann"))] == [first.case_no]
        assert first.case_no not in {case.case_no for case in read_all(many, Filters(free=True))}
        many.pass_time(HOUR)
        assert read_all(many, Filters(mine="ann")) == []
        assert first.case_no in {case.case_no for case in read_all(many, Filters(free=True))}
        assert many.read(lambda conn: queue.page(conn, Filters(), many.now, size=1)).rows[0].case.state == "open"

    def test_overdue(self, many: Desk) -> None:
        many.pass_time(3 * DAY)
        found = read_all(many, Filters(overdue=True))
        assert found
        assert all(case.due_at <= many.now for case in found)
        assert many.read(lambda conn: queue.counts(conn, many.now)).overdue == len(found)


class TestSearch:
    def search(self, desk: Desk, text: str, size: int = 50) -> Page:
        return desk.read(lambda conn: queue.page(conn, Filters(search=text, kind="claim"), desk.now, size=size))

    def test_finds_by_any_of_the_ids_whatever_the_state(self, many: Desk) -> None:
        (case,) = (row.case for row in self.search(many, "many-33").rows)
        assert (case.return_id, case.state) == ("many-33", "closed")
        for text in (case.case_id, case.case_id.lower().replace("-", " "), case.order_id, f" {case.return_id} "):
            assert [row.case for row in self.search(many, text).rows] == [case], text
        assert {row.case.customer_id for row in self.search(many, "customer-33").rows} == {"customer-33"}

    def test_finds_by_how_they_begin_if_there_is_nothing_else(self, many: Desk) -> None:
        assert len(self.search(many, "order-199").rows) == 1
        found, after = set(), None
        for _ in range(3):
            page = many.read(
                lambda conn, after=after: queue.page(
                    conn, Filters(search="rw-00000-01"), many.now, after=after, size=400
                )
            )
            found |= {row.case.case_no for row in page.rows}
            after = page.after
        assert found == set(range(1_000, 2_000))
        assert after is None

    @pytest.mark.parametrize("text", ["%", "___", "many-33'", "many-%", "\x00", "x" * 5_000, "\\", "R%", " "])
    def test_takes_nothing_for_more_than_text(self, many: Desk, text: str) -> None:
        assert self.search(many, text).rows == () or not text.strip("\x00 ")


class TestCounts:
    def test_say_how_much_there_is(self, many: Desk) -> None:
        first, second, third = read_all(many, Filters())[:3]
        many.do(work.claim, ANN, first, revision=1)
        many.do(work.wait_for_customer, BEN, second, revision=1)
        many.do(work.dispute, trail.CUSTOMER, third)
        counts = many.read(lambda conn: queue.counts(conn, many.now, staff_id="ann"))
        assert (counts.active, counts.mine, counts.overdue, counts.escalated) == (100, 1, 0, 0)
        assert counts.by_state == {
            "open": 97,
            "claimed": 1,
            "waiting_customer": 1,
            "waiting_inspection": 0,
            "second_opinion": 0,
            "disputed": 1,
        }

    def test_and_what_there_is_to_choose_from(self, many: Desk) -> None:
        choices = many.read(queue.choices)
        assert choices == (("DE", "NL"), ("web",), ("k0",))


class TestNext:
    def next(self, desk: Desk, actor: trail.Actor, but: Case | None = None) -> Case | None:
        return desk.read(
            lambda conn: queue.next_case(conn, Filters(), desk.now, staff_id=actor.staff_id or "", but=but)
        )

    def test_is_the_first_that_is_free(self, many: Desk) -> None:
        first, second, third, fourth, *_ = read_all(many, Filters())
        many.do(work.claim, BEN, first, revision=1)
        many.do(work.wait_for_customer, BEN, second, revision=1)
        many.do(work.view, BEN, third)
        assert self.next(many, ANN) == fourth
        assert self.next(many, ANN, but=fourth) not in (None, first, second, third, fourth)

    def test_is_none_that_another_person_must_conclude(self, many: Desk) -> None:
        first, second, *_ = read_all(many, Filters())
        many.do(work.ask_second_opinion, ANN, first, revision=1)
        assert self.next(many, ANN) == second

    def test_is_nothing_at_the_end(self, desk: Desk) -> None:
        only = desk.open()
        assert self.next(desk, ANN, but=only) is None

    def test_one_that_others_look_at_is_better_than_none(self, desk: Desk) -> None:
        only = desk.open()
        desk.do(work.view, BEN, only)
        found = self.next(desk, ANN)
        assert found is not None
        assert found.case_no == only.case_no


class TestSpeed:
    """The statements use the indexes that are there for them; the times themselves depend on the machine."""

    @pytest.mark.parametrize(
        ("filters", "index"),
        [
            (Filters(), "ix_cases_queue"),
            (Filters(country="DE", kind="claim"), "ix_cases_queue"),
            (Filters(mine="ann"), "ix_cases_"),
            (Filters(state=CLOSED), "ix_cases_closed_at"),
            (Filters(overdue=True), "ix_cases_queue"),
        ],
    )
    def test_a_page_needs_no_sorting(self, ledger: Ledger, filters: Filters, index: str) -> None:
        with ledger.write() as conn:
            make_many(conn, 5_000)
            execute(conn, "ANALYZE")
        seen: list[str] = []
        with ledger.read() as conn:
            raw = conn.connection.driver_connection
            assert raw is not None
            raw.set_trace_callback(seen.append)
            first = queue.page(conn, filters, NOW, size=50)
            if first.after:
                queue.page(conn, filters, NOW, after=first.after, size=50)
            raw.set_trace_callback(None)
            for statement in (each for each in seen if each.startswith("SELECT case_no, case_id")):
                plan = " ".join(str(row[3]) for row in rows(conn, f"EXPLAIN QUERY PLAN {statement}"))
                assert index in plan, plan
                if not filters.mine:
                    assert "TEMP B-TREE" not in plan, plan

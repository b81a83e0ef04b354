"""From when a row is known: in bulk and live."""

from __future__ import annotations

from typing import Any

import pytest

from features.clock import DAY
from features.ledger.append import TABLES
from features.ledger.watermarks import raise_watermarks

TIME_COLUMNS = {
    "orders": "ordered_at",
    "deliveries": "delivered_at",
    "returns": "requested_at",
    "inspections": "inspected_at",
    "verdicts": "decided_at",
}


class TestTimesInBulk:
    def test_are_those_of_the_events(self, book: Any) -> None:
        book.fill()
        for table, column in TIME_COLUMNS.items():
            (row,) = book.table(table)
            assert row[column] == row["recorded_at"] == row["pooled_at"]
        (order,), (line,) = book.table("orders"), book.table("order_lines")
        assert order["ordered_at"] == line["recorded_at"] == line["pooled_at"]

    @pytest.mark.parametrize("table", TABLES)
    def test_are_those_stated_but_never_before_the_event(self, book: Any, table: str) -> None:
        stated = book.rows.now - 50 * DAY
        for name, rows in book.rows.history().items():
            if name == table:
                outcome = book.ok(name, rows[0] | {"recorded_at": stated})
                (row,) = book.table(name)
                assert row["recorded_at"] == row["pooled_at"] == outcome.earliest_recorded_us == stated
                return
            book.ok(name, rows[0] | {"recorded_at": 0})
            assert book.table(name)[0]["recorded_at"] == rows[0].get(
                TIME_COLUMNS.get(name, ""), book.rows.now - 100 * DAY
            )

    def test_do_not_heed_watermarks_nor_the_open_day(self, book: Any) -> None:
        with book.ledger.write() as conn:
            raise_watermarks(conn, [("customer", "C1")], book.rows.now)
        book.execute("INSERT INTO ledger_meta VALUES ('open_day', 19999)")
        book.ok("orders", book.rows.order())
        (row,) = book.table("orders")
        assert row["ordered_at"] == row["recorded_at"] == row["pooled_at"]


KEYS = ("customer", "email", "address", "payment", "device")
RAW = {"email_id": "e", "address_id": "a", "payment_id": "p", "device_id": "d"}


class TestTimesLive:
    def read_up_to(self, book: Any, entity: str, until: int, *, raw: str | None = None) -> None:
        """An assessment has read the history of the order's key of this entity."""
        hashed = "C1" if entity == "customer" else book.ledger.hasher.hashed(entity, raw or RAW[f"{entity}_id"])
        with book.ledger.write() as conn:
            raise_watermarks(conn, [(entity, hashed)], until)

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("entity", KEYS)
    def test_are_not_before_an_assessment_that_read_a_key_of_the_order(
        self, book: Any, table: str, entity: str
    ) -> None:
        read = book.rows.now - 10 * DAY
        history = book.rows.history()
        history["orders"] = [book.rows.order(**RAW)]
        for name, rows in history.items():
            if name == table:
                self.read_up_to(book, entity, read)
                outcome = book.ok(name, *rows, live=True)
                (row,) = book.table(name)
                assert row["recorded_at"] == row["pooled_at"] == outcome.earliest_recorded_us == read
                return
            book.ok(name, *rows, live=True)

    @pytest.mark.parametrize("table", TABLES)
    def test_are_those_of_the_event_otherwise(self, book: Any, table: str) -> None:
        for entity in KEYS[1:]:  # keys of the same name, but of somebody else
            self.read_up_to(book, entity, book.rows.now, raw="other")
        history = book.rows.history()
        history["orders"] = [book.rows.order(**RAW)]
        for name, rows in history.items():
            if name == "verdicts":
                self.read_up_to(book, "customer", rows[0]["decided_at"] - 1)  # before it happened: no matter
            book.ok(name, *(row | {"recorded_at": book.rows.now} for row in rows), live=True)  # not asked, live
            if name == table:
                (row,) = book.table(name)
                assert row["recorded_at"] == row.get(TIME_COLUMNS.get(name, ""), book.rows.now - 100 * DAY)
                return

    @pytest.mark.parametrize("table", TABLES)
    def test_do_not_mix_up_a_key_with_the_same_text_of_another_kind(self, book: Any, table: str) -> None:
        own = dict(
            zip(KEYS, ["C1", *(book.ledger.hasher.hashed(key, RAW[f"{key}_id"]) for key in KEYS[1:])], strict=True)
        )
        with book.ledger.write() as conn:
            mixed = [(entity, key) for entity in KEYS for other, key in own.items() if other != entity]
            raise_watermarks(conn, mixed, book.rows.now)
        history = book.rows.history() | {"orders": [book.rows.order(**RAW)]}
        for name, rows in history.items():
            book.ok(name, *rows, live=True)
            if name == table:
                assert book.table(name)[0]["recorded_at"] < book.rows.now
                return

    def test_heed_the_customer_who_returns(self, book: Any) -> None:
        book.ok("orders", book.rows.order(), live=True)
        book.ok("order_lines", book.rows.line(line_id="1"), book.rows.line(line_id="2"), live=True)
        read = book.rows.now - 10 * DAY
        with book.ledger.write() as conn:
            raise_watermarks(conn, [("customer", "C2"), ("email", "C3")], read)
        book.ok("returns", book.rows.returned("R1", customer_id="C2"), live=True)
        book.ok("returns", book.rows.returned("R2", line_id="2", customer_id="C3"), live=True)
        assert [row["recorded_at"] for row in book.table("returns")] == [read, book.rows.now - 90 * DAY]
        with book.ledger.write() as conn:
            raise_watermarks(conn, [("customer", "C2")], read + 5)
        book.ok("inspections", book.rows.inspection("R1"), live=True)
        book.ok("verdicts", book.rows.verdict("R1"), live=True)
        assert book.table("inspections")[0]["recorded_at"] == read + 5
        assert book.table("verdicts")[0]["recorded_at"] == read + 5
        book.ok("verdicts", book.rows.verdict("R2"), live=True)
        assert book.table("verdicts")[1]["recorded_at"] == book.rows.verdict()["decided_at"]

    def test_are_not_before_what_they_belong_to(self, book: Any) -> None:
        known = book.rows.now - 5 * DAY
        book.ok("orders", book.rows.order(recorded_at=known))
        for table, rows in list(book.rows.history().items())[1:]:
            book.ok(table, *rows, live=True)
            assert book.table(table)[0]["recorded_at"] == known

    @pytest.mark.parametrize("table", TABLES)
    def test_a_closed_day_gets_nothing_more(self, book: Any, table: str) -> None:
        open_day = 19_990
        for name, rows in book.rows.history().items():
            if name == table:
                book.execute("INSERT INTO ledger_meta VALUES ('open_day', ?)", open_day)
                book.ok(name, *rows, live=True)
                (row,) = book.table(name)
                assert row["pooled_at"] == open_day * DAY
                assert row["recorded_at"] < row["pooled_at"]
                return
            book.ok(name, *rows, live=True)

    def test_an_open_day_is_pooled_as_recorded(self, book: Any) -> None:
        book.execute("INSERT INTO ledger_meta VALUES ('open_day', ?)", 19_000)
        book.ok("orders", book.rows.order(), live=True)
        (row,) = book.table("orders")
        assert row["pooled_at"] == row["recorded_at"] == row["ordered_at"]

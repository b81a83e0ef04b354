from __future__ import annotations

from typing import Any

import pytest

from features.clock import DAY, SECOND
from features.ledger.append import TABLES, Outcome, Reject, append_rows
from features.ledger.append.purchases import line_value_minor
from features.settings import Settings

TIME_COLUMNS = {
    "orders": "ordered_at",
    "deliveries": "delivered_at",
    "returns": "requested_at",
    "inspections": "inspected_at",
    "verdicts": "decided_at",
}
KEY_COLUMNS = {
    "orders": "order_id",
    "order_lines": "line_id",
    "deliveries": "delivered_at",
    "returns": "return_id",
    "inspections": "return_id",
    "verdicts": "return_id",
}
OTHER_CONTENT = {
    "orders": {"country": "FR"},
    "order_lines": {"quantity": 2},
    "deliveries": {"proof": "photo"},
    "returns": {"reason": "gift"},
    "inspections": {"finding": "worn"},
    "verdicts": {"verdict": "inconclusive"},
}


class TestEveryTable:
    @pytest.mark.parametrize("live", [False, True])
    def test_takes_a_row_once(self, book: Any, *, live: bool) -> None:
        for table, rows in book.rows.history().items():
            first = book.append(table, *rows, live=live)
            assert (first.accepted, first.duplicates, first.rejects, first.order_nos) == (1, 0, [], [1])
            assert first.earliest_recorded_us == book.table(table)[0]["recorded_at"]
        before = book.content()
        for table, rows in book.rows.history().items():
            again = book.append(table, *rows, *rows, live=not live)
            assert again == Outcome(accepted=0, duplicates=2)
        assert book.content() == before

    @pytest.mark.parametrize("table", TABLES)
    def test_takes_a_row_once_within_a_batch(self, book: Any, table: str) -> None:
        for name, rows in book.rows.history().items():
            times = 3 if name == table else 1
            outcome = book.append(name, *(rows * times))
            assert (outcome.accepted, outcome.duplicates) == (1, times - 1)

    @pytest.mark.parametrize("table", TABLES)
    def test_refuses_other_content_under_the_same_key(self, book: Any, table: str) -> None:
        book.fill()
        (row,) = book.rows.history()[table]
        column, reason = book.refused(table, row | OTHER_CONTENT[table])
        assert column == KEY_COLUMNS[table]
        assert "known with other content" in reason

    @pytest.mark.parametrize("table", TABLES)
    def test_refuses_other_content_within_a_batch(self, book: Any, table: str) -> None:
        for name, rows in book.rows.history().items():
            if name == table:
                outcome = book.append(name, rows[0], rows[0] | OTHER_CONTENT[table], rows[0])
                assert (outcome.accepted, outcome.duplicates) == (1, 1)
                (reject,) = outcome.rejects
                assert (reject.index, reject.column, reject.conflict) == (1, KEY_COLUMNS[table], True)
            else:
                book.ok(name, *rows)

    @pytest.mark.parametrize("table", TIME_COLUMNS)
    @pytest.mark.parametrize("live", [False, True])
    def test_refuses_the_future(self, book: Any, table: str, *, live: bool) -> None:
        column = TIME_COLUMNS[table]
        for name, rows in book.rows.history().items():
            if name == table:
                late = rows[0] | {column: book.rows.now + 61 * SECOND}
                assert book.refused(name, late, live=live) == (column, "lies in the future: 2024-10-04T00:01:01Z")
                book.ok(name, rows[0] | {column: book.rows.now + 60 * SECOND}, live=live)
                return
            book.ok(name, *rows)

    @pytest.mark.parametrize("table", TABLES)
    def test_refuses_to_have_been_recorded_in_the_future(self, book: Any, table: str) -> None:
        for name, rows in book.rows.history().items():
            if name == table:
                column, reason = book.refused(name, rows[0] | {"recorded_at": book.rows.now + DAY})
                assert (column, reason) == ("recorded_at", "lies in the future: 2024-10-05T00:00:00Z")
                return
            book.ok(name, *rows)

    @pytest.mark.parametrize("table", ["order_lines", "deliveries", "returns"])
    @pytest.mark.parametrize("live", [False, True])
    def test_refuses_an_unknown_order(self, book: Any, table: str, *, live: bool) -> None:
        (row,) = book.rows.history()[table]
        assert book.refused(table, row, live=live) == ("order_id", "unknown order 'O1'")

    @pytest.mark.parametrize("table", ["inspections", "verdicts"])
    @pytest.mark.parametrize("live", [False, True])
    def test_refuses_an_unknown_return(self, book: Any, table: str, *, live: bool) -> None:
        (row,) = book.rows.history()[table]
        assert book.refused(table, row, live=live) == ("return_id", "unknown return 'R1'")

    @pytest.mark.parametrize("table", ["deliveries", "returns", "inspections", "verdicts"])
    def test_refuses_what_is_before_its_cause(self, book: Any, table: str) -> None:
        column = TIME_COLUMNS[table]
        cause = book.rows.now - (100 if table in ("deliveries", "returns") else 90) * DAY
        for name, rows in book.rows.history().items():
            if name == table:
                refused, reason = book.refused(name, rows[0] | {column: cause - 1})
                assert refused == column
                assert reason.startswith("lies before its ")
                book.ok(name, rows[0] | {column: cause})
                return
            book.ok(name, *rows)

    @pytest.mark.parametrize("table", TABLES)
    def test_rejects_do_not_stop_the_others(self, book: Any, table: str) -> None:
        for name, rows in book.rows.history().items():
            if name == table:
                bad = rows[0] | {"recorded_at": book.rows.now + DAY}
                outcome = book.append(name, bad, rows[0], bad | OTHER_CONTENT[table])
                assert outcome.accepted == 1
                assert [reject.index for reject in outcome.rejects] == [0, 2]
                return
            book.ok(name, *rows)

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("live", [False, True])
    def test_no_rows_are_no_trouble(self, book: Any, table: str, *, live: bool) -> None:
        assert book.append(table, live=live) == Outcome()

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("live", [False, True])
    def test_text_that_cannot_be_stored_is_refused(self, book: Any, table: str, *, live: bool) -> None:
        book.fill()
        (row,) = book.rows.history()[table]
        for column in (name for name, value in row.items() if isinstance(value, str)):
            refused, reason = book.refused(table, row | {column: "a\ud800"}, live=live)
            assert refused == column
            assert "not valid Unicode" in reason or reason.startswith("unknown ")

    def test_odd_text_is_kept_as_it_is(self, book: Any) -> None:
        odd = "'; DROP TABLE orders; -- %s ? \u202e\U0001f4e6 \x00"
        book.ok("orders", book.rows.order(odd, customer_id=odd))
        book.ok("order_lines", book.rows.line(odd, odd))
        book.ok("returns", book.rows.returned(odd, odd, odd))
        book.ok("inspections", book.rows.inspection(odd, line_id=odd))
        assert book.table("returns")[0]["return_id"] == odd
        assert book.append("orders", book.rows.order(odd, customer_id=odd)).duplicates == 1

    def test_a_long_id_is_cut_in_the_reason(self, book: Any) -> None:
        _, reason = book.refused("deliveries", book.rows.delivery("x" * 10_000))
        assert len(reason) < 80

    def test_an_unknown_table_is_a_mistake_of_the_caller(self, book: Any) -> None:
        with pytest.raises(KeyError), book.ledger.write() as conn:
            append_rows(conn, "watermarks", [{}], live=False, now_us=0, hasher=book.ledger.hasher)

    @pytest.mark.parametrize("table", TABLES)
    def test_batches_of_more_than_one_chunk(self, book: Any, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("features.ledger.append.lookups.CHUNK", 3)
        rows = book.rows
        made = {
            "orders": [rows.order(f"O{n}") for n in range(10)],
            "order_lines": [rows.line(f"O{n}") for n in range(10)],
            "deliveries": [rows.delivery(f"O{n}") for n in range(10)],
            "returns": [rows.returned(f"R{n}", f"O{n}") for n in range(10)],
            "inspections": [rows.inspection(f"R{n}") for n in range(10)],
            "verdicts": [rows.verdict(f"R{n}") for n in range(10)],
        }
        for name, batch in made.items():
            outcome = book.append(name, *batch, *batch)
            assert (outcome.accepted, outcome.duplicates) == (10, 10)
            assert outcome.order_nos == list(range(1, 11))
            assert book.append(name, *batch, live=True).duplicates == 10
            if name == table:
                return


class TestOrders:
    def test_raw_identities_are_hashed(self, book: Any) -> None:
        raw = {
            "email_id": " Ann@Example.com ",
            "address_id": "1 High Street",
            "payment_id": "4111",
            "device_id": "phone-1",
        }
        book.ok("orders", book.rows.order(**raw))
        (row,) = book.table("orders")
        hasher = book.ledger.hasher
        assert row["email_id"] == hasher.email("ann@example.com")
        assert row["address_id"] == hasher.address("1 High Street")
        assert row["payment_id"] == hasher.payment("4111")
        assert row["device_id"] == hasher.device("phone-1")

    def test_raw_identities_are_nowhere_on_the_disk(self, book: Any, settings: Settings) -> None:
        book.ok("orders", book.rows.order(email_id="ann@example.com", address_id="1 High Street", country="XK"))
        written = b"".join(file.read_bytes() for file in settings.home.iterdir())
        assert b"XK" in written
        assert b"example.com" not in written
        assert b"High Street" not in written

    def test_an_email_written_otherwise_is_the_same_content(self, book: Any) -> None:
        book.ok("orders", book.rows.order(email_id="Ann@Example.com"))
        assert book.append("orders", book.rows.order(email_id="ann@example.com ")).duplicates == 1

    def test_optional_columns_may_be_absent_or_empty(self, book: Any) -> None:
        book.ok("orders", book.rows.order())
        assert book.append("orders", book.rows.order(channel=None, email_id=None, courier=None)).duplicates == 1

    def test_when_it_was_recorded_is_no_content(self, book: Any) -> None:
        book.ok("orders", book.rows.order())
        assert book.append("orders", book.rows.order(recorded_at=book.rows.now)).duplicates == 1

    def test_numbers_go_on(self, book: Any) -> None:
        assert book.ok("orders", book.rows.order("O1"), book.rows.order("O2")).order_nos == [1, 2]
        assert book.append("orders", book.rows.order("O2"), book.rows.order("O3")).order_nos == [3]

    def test_a_number_too_large_to_store_is_refused(self, book: Any) -> None:
        column, reason = book.refused("orders", book.rows.order(ordered_at=2**70))
        assert (column, reason) == ("ordered_at", "is too large a number")


class TestOrderLines:
    @pytest.mark.parametrize(
        ("quantity", "price", "discount", "value"),
        [
            (1, 199_500, 0, 1995),
            (3, 19_950, 10_000, 499),  # 49,850: half rounds up
            (3, 19_949, 9_998, 498),  # 49,849: below the half
            (1, 100, 500, 0),  # never below nothing
            (1, 0, 0, 0),
            (1, 50, 0, 1),
            (1, 49, 0, 0),
            (100_000, 100_000_000_000, 0, 100_000_000_000_000),
        ],
    )
    def test_value(self, book: Any, quantity: int, price: int, discount: int, value: int) -> None:
        assert line_value_minor(quantity, price, discount) == value
        book.ok("orders", book.rows.order())
        book.ok("order_lines", book.rows.line(quantity=quantity, unit_price_e4=price, discount_e4=discount))
        assert book.table("order_lines")[0]["value_minor"] == value

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_a_quantity_below_one_is_refused(self, book: Any, quantity: int) -> None:
        book.ok("orders", book.rows.order())
        assert book.refused("order_lines", book.rows.line(quantity=quantity))[0] == "quantity"

    def test_may_come_later_than_their_order(self, book: Any) -> None:
        book.ok("orders", book.rows.order())
        book.ok("order_lines", book.rows.line(line_id="1"))
        book.ok("order_lines", book.rows.line(line_id="2"))
        assert [row["line_id"] for row in book.table("order_lines")] == ["1", "2"]

    def test_happen_with_their_order(self, book: Any) -> None:
        book.ok("orders", book.rows.order(recorded_at=book.rows.now - DAY))
        book.ok("order_lines", book.rows.line())
        assert book.table("order_lines")[0]["recorded_at"] == book.rows.now - DAY

    def test_expected_returns_are_left_to_the_population(self, book: Any) -> None:
        book.ok("orders", book.rows.order())
        book.ok("order_lines", book.rows.line())
        assert book.table("order_lines")[0]["expected_ppm"] is None


class TestDeliveries:
    def test_an_order_may_have_several(self, book: Any) -> None:
        book.ok("orders", book.rows.order())
        later = book.rows.now - 97 * DAY
        book.ok("deliveries", book.rows.delivery(), book.rows.delivery(delivered_at=later, proof=None))
        assert [row["proof"] for row in book.table("deliveries")] == ["scan", "none"]


class TestReturns:
    @pytest.fixture(autouse=True)
    def bought(self, book: Any) -> None:
        book.ok("orders", book.rows.order("O1"), book.rows.order("O2"))
        book.ok("order_lines", *(book.rows.line(order, line) for order in ("O1", "O2") for line in "12"))

    def test_an_unknown_line_is_refused(self, book: Any) -> None:
        refused = book.refused("returns", book.rows.returned(line_id="9"))
        assert refused == ("line_id", "unknown line: order 'O1', line '9'")

    def test_more_than_bought_is_refused_at_once(self, book: Any) -> None:
        refused = book.refused("returns", book.rows.returned(quantity=4))
        assert refused == (
            "quantity",
            "more returned than bought: 4 now and 0 before, of 3 (order 'O1', line '1')",
        )

    def test_more_than_bought_is_refused_over_several_returns(self, book: Any) -> None:
        book.ok("returns", book.rows.returned("R1", quantity=2))
        outcome = book.append(
            "returns",
            book.rows.returned("R2", quantity=2),
            book.rows.returned("R3", quantity=1),
            book.rows.returned("R4", quantity=1),
            book.rows.returned("R5", line_id="2", quantity=3),
        )
        assert outcome.accepted == 2
        assert [(reject.index, reject.column) for reject in outcome.rejects] == [(0, "quantity"), (2, "quantity")]
        assert outcome.rejects[0].reason.startswith("more returned than bought: 2 now and 2 before, of 3")

    def test_a_return_sent_again_does_not_count_twice(self, book: Any) -> None:
        for _ in range(3):
            book.append("returns", book.rows.returned("R1", quantity=2))
        book.ok("returns", book.rows.returned("R2", quantity=1))

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_a_quantity_below_one_is_refused(self, book: Any, quantity: int) -> None:
        assert book.refused("returns", book.rows.returned(quantity=quantity))[0] == "quantity"

    def test_the_first_line_leads(self, book: Any) -> None:
        rows = book.rows
        book.ok("returns", rows.returned("R1", line_id="2"), rows.returned("R1"), rows.returned("R2", "O2"))
        book.ok("returns", rows.returned("R2", "O2", "2"))
        leads = [(row["return_id"], row["line_id"], row["leads"]) for row in book.table("returns")]
        assert leads == [("R1", "2", 1), ("R1", "1", 0), ("R2", "1", 1), ("R2", "2", 0)]

    def test_a_refused_line_does_not_lead(self, book: Any) -> None:
        book.append("returns", book.rows.returned(line_id="9"), book.rows.returned(line_id="2"))
        assert [(row["line_id"], row["leads"]) for row in book.table("returns")] == [("2", 1)]

    @pytest.mark.parametrize(
        ("change", "column"),
        [
            ({"order_id": "O2"}, "order_id"),
            ({"requested_at": 20_000 * DAY - 89 * DAY}, "requested_at"),
            ({"customer_id": "C9"}, "customer_id"),
        ],
    )
    @pytest.mark.parametrize("together", [False, True])
    def test_lines_of_a_return_share_what_makes_it_one(
        self, book: Any, change: dict[str, Any], column: str, *, together: bool
    ) -> None:
        first, second = book.rows.returned(), book.rows.returned(line_id="2") | change
        if together:
            outcome = book.append("returns", first, second)
            assert [(reject.index, reject.column, reject.conflict) for reject in outcome.rejects] == [(1, column, True)]
        else:
            book.ok("returns", first)
            assert book.refused("returns", second)[0] == column

    def test_the_buyer_is_not_kept_again(self, book: Any) -> None:
        book.ok("returns", book.rows.returned(customer_id="C1"), live=True)
        assert book.table("returns")[0]["customer_id"] is None
        assert book.append("returns", book.rows.returned()).duplicates == 1

    def test_somebody_else_who_returns_is_kept(self, book: Any) -> None:
        book.ok("returns", book.rows.returned(customer_id="C2"), live=True)
        assert book.table("returns")[0]["customer_id"] == "C2"

    def test_an_absent_kind_is_a_return(self, book: Any) -> None:
        book.ok("returns", book.rows.returned())
        assert book.table("returns")[0]["kind"] == "return"
        assert book.append("returns", book.rows.returned(kind="return")).duplicates == 1

    @pytest.mark.parametrize(("proof", "stored"), [(True, 1), (False, 0), (None, None)])
    def test_proof_of_purchase(self, book: Any, *, proof: bool | None, stored: int | None) -> None:
        book.ok("returns", book.rows.returned(proof_of_purchase=proof))
        assert book.table("returns")[0]["proof_of_purchase"] == stored


class TestInspectionsAndVerdicts:
    @pytest.fixture(autouse=True)
    def returned(self, book: Any) -> None:
        book.ok("orders", book.rows.order())
        book.ok("order_lines", book.rows.line(line_id="1"), book.rows.line(line_id="2"), book.rows.line(line_id="3"))
        book.ok("returns", book.rows.returned(line_id="1"), book.rows.returned(line_id="2"))

    def test_a_line_of_the_return_may_be_named(self, book: Any) -> None:
        book.ok("inspections", book.rows.inspection(line_id="2"), book.rows.inspection())
        assert [row["line_id"] for row in book.table("inspections")] == ["2", ""]

    @pytest.mark.parametrize("live", [False, True])
    def test_a_line_that_was_not_returned_is_refused(self, book: Any, *, live: bool) -> None:
        refused = book.refused("inspections", book.rows.inspection(line_id="3"), live=live)
        assert refused == ("line_id", "line '3' is not part of return 'R1'")

    def test_several_at_different_times(self, book: Any) -> None:
        later = book.rows.now - DAY
        book.ok("verdicts", book.rows.verdict(), book.rows.verdict(decided_at=later, verdict="abuse_confirmed"))
        book.ok("inspections", book.rows.inspection(), book.rows.inspection(inspected_at=later))

    def test_odds_are_content(self, book: Any) -> None:
        book.ok("inspections", book.rows.inspection(trigger="random", propensity=0.02))
        again = book.append("inspections", book.rows.inspection(trigger="random", propensity=0.02))
        assert again.duplicates == 1
        assert book.refused("inspections", book.rows.inspection(trigger="random", propensity=0.03))[0] == "return_id"


def test_rejects_come_by_position(book: Any) -> None:
    book.ok("orders", book.rows.order())
    rows = [book.rows.line("none"), book.rows.line(quantity=0), book.rows.line("nor this"), book.rows.line()]
    outcome = book.append("order_lines", *rows)
    assert outcome.rejects == [
        Reject(0, "order_id", "unknown order 'none'"),
        Reject(1, "quantity", "must be at least 1, is 0"),
        Reject(2, "order_id", "unknown order 'nor this'"),
    ]

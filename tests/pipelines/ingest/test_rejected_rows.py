"""Rows that are refused: each with its place and the cause, and the others get in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tables = dict[str, list[dict[str, str]]]

LONG = "x" * 10_000
BAD_VALUES = [
    ("orders", "order_id", "", "missing"),
    ("orders", "order_id", "   ", "missing"),
    ("orders", "order_id", LONG, "longer than 200 characters"),
    ("orders", "order_id", "O\x001", "control or invisible character"),
    ("orders", "order_id", "O\x1b[31m", "control or invisible character"),
    ("orders", "customer_id", "C\u202e1", "control or invisible character"),
    ("orders", "customer_id", "C\u200b1", "control or invisible character"),
    ("orders", "customer_id", "C\n1", "control or invisible character"),
    ("orders", "ordered_at", "2026-01-01T10:00:00", "time without zone"),
    ("orders", "ordered_at", "2026-01-01", "time without zone"),
    ("orders", "ordered_at", "yesterday", "not an ISO 8601 time"),
    ("orders", "ordered_at", "2026-02-30T10:00:00Z", "not an ISO 8601 time"),
    ("orders", "ordered_at", "1767261600", "not an ISO 8601 time"),
    ("orders", "ordered_at", "1066-10-14T10:00:00Z", "before 1970"),
    ("orders", "ordered_at", "2999-01-01T10:00:00Z", "future"),
    ("orders", "recorded_at", "2999-01-01T10:00:00Z", "future"),
    ("orders", "ordered_at", "", "missing"),
    ("orders", "channel", "pigeon", "not one of web, app, store, marketplace, phone"),
    ("orders", "channel", "WEB", "not one of web"),
    ("orders", "country", "Germany", "ISO 3166-1"),
    ("orders", "country", "de", "ISO 3166-1"),
    ("orders", "currency", "EURO", "ISO 4217"),
    ("orders", "email_id", "ann\x07@example.com", "control or invisible character"),
    ("orders", "courier", LONG, "longer than 200 characters"),
    ("order_lines", "order_id", "O9", "unknown order"),
    ("order_lines", "quantity", "-1", "not between 1 and 100,000"),
    ("order_lines", "quantity", "0", "not between 1 and 100,000"),
    ("order_lines", "quantity", "100001", "not between 1 and 100,000"),
    ("order_lines", "quantity", "1.5", "not a whole number"),
    ("order_lines", "quantity", "two", "not a number"),
    ("order_lines", "quantity", "nan", "not"),
    ("order_lines", "quantity", "", "missing"),
    ("order_lines", "quantity", "9" * 400, "not between 1 and 100,000"),
    ("order_lines", "unit_price", "-0.01", "not between 0 and 10,000,000"),
    ("order_lines", "unit_price", "1e400", "not between 0 and 10,000,000"),
    ("order_lines", "unit_price", "inf", "not between 0 and 10,000,000"),
    ("order_lines", "unit_price", "NaN", "not between 0 and 10,000,000"),
    ("order_lines", "unit_price", "10000000.01", "not between 0 and 10,000,000"),
    ("order_lines", "unit_price", "9,99", "not a number"),
    ("order_lines", "unit_price", "0x10", "not a number"),
    ("order_lines", "discount", "-5", "not between 0 and 10,000,000"),
    ("deliveries", "delivered_at", "2025-12-31T10:00:00Z", "before its order"),
    ("deliveries", "proof", "pigeon", "not one of none, scan, photo, signature"),
    ("returns", "requested_at", "2025-12-31T10:00:00Z", "before its order"),
    ("returns", "quantity", "3", "bought"),
    ("returns", "line_id", "9", "unknown line"),
    ("returns", "reason", "bored", "not one of changed_mind"),
    ("returns", "kind", "gift", "not one of return, claim"),
    ("returns", "proof_of_purchase", "perhaps", "neither true nor false"),
    ("inspections", "return_id", "R9", "unknown return"),
    ("inspections", "finding", "odd", "not one of as_described"),
    ("inspections", "propensity", "0", "not above 0 and at most 1"),
    ("inspections", "propensity", "1.01", "not above 0 and at most 1"),
    ("inspections", "inspected_at", "2026-01-02T10:00:00Z", "before its return"),
    ("verdicts", "verdict", "abusive", "not one of cleared"),
    ("verdicts", "abuse_type", "bad", "not one of wardrobing"),
    ("verdicts", "decided_at", "2026-01-02T10:00:00Z", "before its return"),
]


class TestRejectedRows:
    @pytest.mark.parametrize("form", ["csv", "parquet"])
    @pytest.mark.parametrize(("table", "column", "value", "reason"), BAD_VALUES)
    def test_one_bad_value(
        self,
        shop: Any,
        good: Tables,
        rejected: Callable[..., list[dict[str, Any]]],
        form: str,
        table: str,
        column: str,
        value: str,
        reason: str,
    ) -> None:
        """The row is refused with its place and cause; the rest of the table gets in."""
        bad = {"order_id": "O1", "line_id": "7", "return_id": "R1"}
        row = {**good[table][0], **{k: v for k, v in bad.items() if k in good[table][0] and table == "order_lines"}}
        if table == "orders":
            row["order_id"] = "O7"
        if table == "returns":
            row["return_id"] = "R7"
        row[column] = value
        good[table].insert(0, row)
        shop.write(good, form)
        report = shop.ingest()
        assert report.exit_status == 1
        assert report.tables[table].rejected == 1
        assert report.tables[table].accepted == len(good[table]) - 1
        assert all(count.rejected == 0 for name, count in report.tables.items() if name != table)
        ((reject),) = rejected(report)
        assert (reject["file"], reject["line"]) == (f"{table}.{form}", "2" if form == "csv" else "1")
        assert reject["column"] == column
        assert reason in reject["reason"]
        assert set(reject["row"]) == {name for other in good[table] for name in other}
        assert len(str(reject)) < 3_000

    def test_several_faults_are_one_line_naming_the_first(self, shop: Any, good: Tables) -> None:
        good["orders"].append({"order_id": "O3", "customer_id": "", "ordered_at": "x", "channel": "y"})
        shop.write(good)
        assert shop.rejects(shop.ingest()) == [("orders.csv", 4, "customer_id", "missing")]

    def test_missing_and_impossible_values_in_one_batch(self, shop: Any, good: Tables) -> None:
        good["inspections"] += [
            {"return_id": "", "inspected_at": "2026-01-12T10:00:00Z", "finding": "worn"},
            {"return_id": "R1", "inspected_at": "2026-01-12T11:00:00Z", "finding": "", "propensity": "nan"},
            {"return_id": "R1", "inspected_at": "2026-01-12T12:00:00Z", "finding": "worn", "propensity": "2"},
        ]
        shop.write(good)
        reasons = [(line, column) for _, line, column, _ in shop.rejects(shop.ingest())]
        assert reasons == [(3, "return_id"), (4, "finding"), (5, "propensity")]

    def test_same_id_with_other_content(self, shop: Any, good: Tables) -> None:
        good["orders"].append(dict(good["orders"][0], country="AT"))
        good["order_lines"].append(dict(good["order_lines"][0], quantity="1"))
        good["returns"].append(dict(good["returns"][0], reason="gift"))
        good["verdicts"].append(dict(good["verdicts"][0], verdict="inconclusive"))
        shop.write(good)
        rejects = shop.rejects(shop.ingest())
        assert [(file, line) for file, line, _, _ in rejects] == [
            ("orders.csv", 4),
            ("order_lines.csv", 5),
            ("returns.csv", 3),
            ("verdicts.csv", 3),
        ]
        assert all("known with other content" in reason for *_, reason in rejects)

    def test_more_returned_than_bought_over_several_returns(self, shop: Any, good: Tables) -> None:
        good["returns"].append(dict(good["returns"][0], return_id="R2", quantity="1"))
        good["returns"].append(dict(good["returns"][0], return_id="R3", quantity="1"))
        shop.write(good)
        ((file, line, column, reason),) = shop.rejects(shop.ingest())
        assert (file, line, column) == ("returns.csv", 4, "quantity")
        assert "bought" in reason

    def test_an_order_that_is_refused_takes_what_hangs_on_it_along(self, shop: Any, good: Tables) -> None:
        good["orders"][0]["ordered_at"] = "soon"
        shop.write(good)
        report = shop.ingest()
        assert [(file, line, column) for file, line, column, _ in shop.rejects(report)] == [
            ("orders.csv", 2, "ordered_at"),
            ("order_lines.csv", 2, "order_id"),
            ("order_lines.csv", 3, "order_id"),
            ("deliveries.csv", 2, "order_id"),
            ("returns.csv", 2, "order_id"),
            ("inspections.csv", 2, "return_id"),
            ("verdicts.csv", 2, "return_id"),
        ]
        assert report.rejected == 7
        assert "2 rejected: order_lines.csv, order_id: unknown order ..." in report.lines()

    def test_look_alike_spellings_of_one_id_are_one_id(self, shop: Any, good: Tables) -> None:
        good["orders"][0]["order_id"] = "caf\u00e9"
        for table in ("order_lines", "deliveries", "returns"):
            for row in good[table]:
                row["order_id"] = "  cafe\u0301 " if row["order_id"] == "O1" else row["order_id"]
        shop.write(good)
        assert shop.ingest().complete

    def test_good_unicode_is_kept(self, shop: Any, good: Tables) -> None:
        name = unicodedata.normalize("NFC", "靴・ブーツ 👟 می‌خواهم")
        good["order_lines"][0]["category"] = name
        shop.write(good)
        assert shop.ingest().complete
        assert shop.rows("order_lines")[0]["category"] == name

    def test_nothing_rejected_leaves_no_file(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        shop.ingest()
        assert not (shop.settings.home / "rejects").exists()

    def test_rejects_go_where_asked(self, shop: Any, good: Tables, tmp_path: Path) -> None:
        good["orders"][0]["channel"] = "?"
        shop.write(good)
        report = shop.ingest(rejects=tmp_path / "deep" / "bad.csv")
        assert report.rejects_file == tmp_path / "deep" / "bad.csv"
        assert shop.rejects(report)[0][:3] == ("orders.csv", 2, "channel")

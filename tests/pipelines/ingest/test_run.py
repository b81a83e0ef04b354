"""Whole ingests: what gets into the ledger, what is refused and how that is told, and running it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from rich.progress import Progress

from features.ledger.identity import KeyHasher
from features.ledger.store import Ledger
from features.ledger.tables import ledger_meta
from features.settings import Settings
from pipelines.ingest import loading
from pipelines.ingest.errors import IngestError
from pipelines.ingest.run import ingest

Tables = dict[str, list[dict[str, str]]]
DAY = 86_400_000_000


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 1_000_000


class TestGoodTables:
    @pytest.mark.parametrize("form", ["csv", "parquet"])
    def test_every_table_gets_in(self, shop: Any, good: Tables, form: str) -> None:
        shop.write(good, form)
        report = shop.ingest()
        assert report.exit_status == 0
        assert report.rejects_file is None
        assert {name: (c.read, c.accepted) for name, c in report.tables.items()} == {
            name: (len(rows), len(rows)) for name, rows in good.items()
        }
        assert {name: len(shop.rows(name)) for name in good} == {name: len(rows) for name, rows in good.items()}

    def test_values_are_normalised(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        shop.ingest()
        first, second = shop.rows("orders")
        assert (first["ordered_at"], second["ordered_at"]) == (us("2026-01-01T10:00:00Z"), us("2026-01-02T08:00:00Z"))
        assert (first["channel"], first["country"], first["currency"], first["courier"]) == (
            "web",
            "DE",
            "EUR",
            "swift",
        )
        assert second["email_id"] is None
        lines = shop.rows("order_lines")
        assert [line["unit_price_e4"] for line in lines] == [99_900, 1_000_000, 99_999]
        assert [line["discount_e4"] for line in lines] == [0, 105_000, 0]
        assert [line["value_minor"] for line in lines] == [1998, 8950, 3000]
        assert [line["category"] for line in lines] == ["shoes", None, None]
        (returned,) = shop.rows("returns")
        assert (returned["quantity"], returned["reason"], returned["proof_of_purchase"]) == (1, "size_fit", 1)
        (inspection,) = shop.rows("inspections")
        assert (inspection["propensity"], inspection["trigger"]) == (0.05, "random")

    def test_raw_identities_never_reach_the_disk(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        shop.ingest()
        (first, _) = shop.rows("orders")
        assert first["email_id"] == KeyHasher(b"a key for tests only").email("ANN@example.com ")
        for file in shop.settings.home.rglob("*"):
            if file.is_file():
                assert b"ann@example.com" not in file.read_bytes()

    def test_recorded_at_is_kept_and_never_before_the_event(self, shop: Any, good: Tables) -> None:
        good["orders"][0]["recorded_at"] = "2026-01-05T00:00:00Z"
        good["orders"][1]["recorded_at"] = "2025-01-05T00:00:00Z"
        shop.write(good)
        shop.ingest()
        recorded = [row["recorded_at"] for row in shop.rows("orders")]
        assert recorded == [us("2026-01-05T00:00:00Z"), us("2026-01-02T08:00:00Z")]

    def test_only_orders_are_needed(self, shop: Any, good: Tables) -> None:
        shop.write({"orders": good["orders"]})
        assert list(shop.ingest().tables) == ["orders"]

    def test_tables_are_ingested_parents_first_whatever_the_files_order(self, shop: Any, good: Tables) -> None:
        shop.write(dict(reversed(good.items())))
        report = shop.ingest()
        assert list(report.tables) == ["orders", "order_lines", "deliveries", "returns", "inspections", "verdicts"]
        assert report.complete

    def test_unknown_columns_are_reported_and_ignored(self, shop: Any, good: Tables) -> None:
        good["orders"][0]["loyalty"] = "gold"
        shop.write(good)
        report = shop.ingest()
        assert report.complete
        assert report.unknown_columns == {"orders.csv": ("loyalty",)}
        assert any("orders.csv" in line and "loyalty" in line for line in report.lines())

    def test_parquet_types(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        (shop.folder / "orders.csv").unlink()
        when = datetime(2026, 1, 1, 10, tzinfo=UTC)
        orders = pa.table(
            {
                "order_id": pa.array(["O1", "O2"]).dictionary_encode(),
                "customer_id": pa.array([1, 2], pa.int64()),
                "ordered_at": pa.array([when, when], pa.timestamp("ns", "Europe/Berlin")),
                "channel": pa.array(["web", None], pa.large_string()),
                "country": pa.nulls(2),
            }
        )
        pq.write_table(orders, shop.folder / "orders.parquet")
        assert shop.ingest().complete
        rows = shop.rows("orders")
        assert [(r["customer_id"], r["ordered_at"], r["channel"], r["country"]) for r in rows] == [
            ("1", us("2026-01-01T10:00:00Z"), "web", None),
            ("2", us("2026-01-01T10:00:00Z"), None, None),
        ]

    def test_progress_reaches_the_end(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        with Progress(disable=True) as progress:
            shop.ingest(progress=progress)
            assert [task.description for task in progress.tasks] == list(good)
            assert all(task.finished for task in progress.tasks)


class TestRunningAgain:
    @pytest.mark.parametrize("again", ["csv", "parquet"])
    def test_changes_nothing(
        self, shop: Any, good: Tables, dumped: Callable[[Settings], dict[str, Any]], again: str
    ) -> None:
        shop.write(good)
        shop.ingest()
        before = dumped(shop.settings)
        for table in good:
            (shop.folder / f"{table}.csv").unlink()
        shop.write(good, again)
        report = shop.ingest()
        assert report.exit_status == 0
        assert {name: (c.accepted, c.duplicates) for name, c in report.tables.items()} == {
            name: (0, len(rows)) for name, rows in good.items()
        }
        assert dumped(shop.settings) == before

    def test_what_is_new_is_added(self, shop: Any, good: Tables) -> None:
        shop.write({"orders": good["orders"][:1]})
        shop.ingest()
        shop.write(good)
        report = shop.ingest()
        assert (report.tables["orders"].accepted, report.tables["orders"].duplicates) == (1, 1)

    def test_any_size_of_batch_gives_the_same_ledger_and_rejects(
        self, shop: Any, good: Tables, tmp_path: Path, dumped: Callable[[Settings], dict[str, Any]]
    ) -> None:
        good["orders"] += [
            {"order_id": f"O{n}", "customer_id": "C9", "ordered_at": f"2026-02-0{n}T00:00:00Z", "channel": "web"}
            for n in range(3, 9)
        ]
        good["orders"][4]["channel"] = "pigeon"
        good["orders"].append(dict(good["orders"][0]))
        good["orders"].append(dict(good["orders"][0], customer_id="C7"))
        good["returns"] += [dict(good["returns"][0], return_id=f"R{n}") for n in range(2, 5)]
        shop.write(good)
        seen = []
        for rows in (1, 2, 3, 1000):
            settings = Settings(home=tmp_path / f"home{rows}", hash_key="k")
            report = ingest(shop.folder, settings=settings, batch_rows=rows)
            counts = {name: vars(count) for name, count in report.tables.items()}
            seen.append((dumped(settings), shop.rejects(report), counts))
        assert all(outcome == seen[0] for outcome in seen)
        assert [(line, column) for _, line, column, _ in seen[0][1]] == [
            (6, "channel"),
            (11, "order_id"),
            (4, "quantity"),
            (5, "quantity"),
        ]

    def test_a_batch_that_fails_leaves_the_earlier_ones(
        self,
        shop: Any,
        good: Tables,
        monkeypatch: pytest.MonkeyPatch,
        dumped: Callable[[Settings], dict[str, Any]],
    ) -> None:
        shop.write(good)
        append_rows = loading.append_rows
        calls = []

        def interrupted(*args: Any, **options: Any) -> Any:
            calls.append(args[1])
            outcome = append_rows(*args, **options)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return outcome

        monkeypatch.setattr(loading, "append_rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            shop.ingest(batch_rows=1)
        assert (len(shop.rows("orders")), len(shop.rows("order_lines"))) == (2, 1)
        monkeypatch.undo()
        assert shop.ingest(batch_rows=1).complete
        whole = dumped(shop.settings)
        other = Settings(home=shop.settings.home.with_name("other"), hash_key=shop.settings.hash_key)
        ingest(shop.folder, settings=other)
        assert dumped(other) == whole

    def test_killed_at_any_moment_it_goes_on(self, shop: Any, dumped: Callable[[Settings], dict[str, Any]]) -> None:
        orders = [
            {"order_id": f"O{n}", "customer_id": f"C{n % 7}", "ordered_at": "2026-01-01T00:00:00Z", "channel": "web"}
            for n in range(4000)
        ]
        lines = [
            {"order_id": f"O{n}", "line_id": "1", "sku": "S", "quantity": "1", "unit_price": "5"} for n in range(4000)
        ]
        shop.write({"orders": orders, "order_lines": lines})
        code = (
            "import sys; from pathlib import Path; from features.settings import Settings\n"
            "from pipelines.ingest.run import ingest; print('ready', flush=True)\n"
            "ingest(Path(sys.argv[1]), settings=Settings(home=Path(sys.argv[2]), hash_key='k'), batch_rows=50)\n"
        )
        home = shop.settings.home
        command = [sys.executable, "-c", code, str(shop.folder), str(home)]
        kept = []
        settings = Settings(home=home, hash_key="k")
        for pause in (0.3, 0.6):
            with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}) as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(pause)
                process.send_signal(signal.SIGKILL)
            state = dumped(settings)
            kept.append(len(state["orders"]) + len(state["order_lines"]))
        assert kept == sorted(kept)
        assert all(count % 50 == 0 for count in kept)
        ingest(shop.folder, settings=settings)
        state = dumped(settings)
        assert (len(state["orders"]), len(state["order_lines"])) == (4000, 4000)
        assert len({row["order_id"] for row in state["orders"]}) == 4000


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


class TestInputThatCannotBeIngested:
    def refused(self, shop: Any, match: str) -> None:
        with pytest.raises(IngestError, match=match) as caught:
            shop.ingest()
        assert "\n" not in caught.value.message
        assert len(caught.value.message) < 600
        assert not (shop.settings.home / "ledger.db").exists(), "nothing may be written before all headers are checked"

    def test_no_folder(self, shop: Any) -> None:
        shop.folder.rmdir()
        self.refused(shop, "no such folder")

    def test_a_file_in_place_of_the_folder(self, shop: Any) -> None:
        shop.folder.rmdir()
        shop.folder.write_text("x")
        self.refused(shop, "not a folder")

    def test_no_orders(self, shop: Any, good: Tables) -> None:
        del good["orders"]
        shop.write(good)
        self.refused(shop, r"no orders\.csv or orders\.parquet")

    def test_both_forms_of_one_table(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        shop.write({"returns": good["returns"]}, "parquet")
        self.refused(shop, r"both returns\.csv and returns\.parquet")

    def test_required_column_missing(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        shop.text("returns", "return_id,order_id,line_id,requested_at,quantity\nR1,O1,1,2026-01-09T10:00:00Z,1\n")
        self.refused(shop, r"returns\.csv: required column missing: reason")

    def test_another_separator(self, shop: Any) -> None:
        shop.text("orders", "order_id;customer_id;ordered_at\nO1;C1;2026-01-01T10:00:00Z\n")
        self.refused(shop, "separator must be a comma")

    def test_a_column_twice(self, shop: Any) -> None:
        shop.text("orders", "order_id,customer_id,ordered_at,order_id\nO1,C1,2026-01-01T10:00:00Z,O2\n")
        self.refused(shop, "column order_id is there twice")

    @pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"   "])
    def test_empty_file(self, shop: Any, content: bytes) -> None:
        shop.text("orders", content)
        self.refused(shop, "orders.csv: the file is empty")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
    def test_another_encoding(self, shop: Any, encoding: str) -> None:
        shop.text("orders", "order_id,customer_id,ordered_at\n".encode(encoding))
        self.refused(shop, "not a CSV file in UTF-8")

    def test_quotation_mark_left_open_in_the_header(self, shop: Any) -> None:
        shop.text("orders", '"order_id,customer_id,ordered_at\nO1,C1,2026-01-01T10:00:00Z\n')
        self.refused(shop, "header cannot be read")

    def test_header_of_odd_characters_is_shown_in_plain_ones(self, shop: Any) -> None:
        shop.text("orders", "\x1b[31mid,\u202eb\n1,2\n")
        with pytest.raises(IngestError) as caught:
            shop.ingest()
        assert caught.value.message.isascii()
        assert caught.value.message.isprintable()

    def test_damaged_parquet(self, shop: Any) -> None:
        (shop.folder / "orders.parquet").write_bytes(b"PAR1 and then something else")
        self.refused(shop, "not a Parquet file, or damaged")

    @pytest.mark.parametrize(
        ("column", "values", "reason"),
        [
            ("ordered_at", pa.array([datetime(2026, 1, 1, tzinfo=UTC)], pa.timestamp("us")), "times without zone"),
            ("ordered_at", pa.array([0], pa.date32()), "times are timestamps with a zone"),
            ("ordered_at", pa.array([0], pa.int64()), "times are timestamps with a zone"),
            ("customer_id", pa.array([1.5], pa.float64()), "not text"),
            ("customer_id", pa.array([["a"]]), "not text"),
            ("channel", pa.array([b"web"], pa.binary()), "not text"),
        ],
    )
    def test_unfit_parquet_type(self, shop: Any, column: str, values: pa.Array, reason: str) -> None:
        columns = {
            "order_id": pa.array(["O1"]),
            "customer_id": pa.array(["C1"]),
            "ordered_at": pa.array(["2026-01-01T10:00:00Z"]),
            column: values,
        }
        pq.write_table(pa.table(columns), shop.folder / "orders.parquet")
        self.refused(shop, f"column {column} .*{reason}")

    def test_unknown_format(self, shop: Any) -> None:
        with pytest.raises(IngestError, match="no such format: excel; there are tables, uci-online-retail"):
            shop.ingest(format="excel")

    def test_rejects_never_replace_another_file(self, shop: Any, good: Tables) -> None:
        good["orders"][0]["channel"] = "?"
        shop.write(good)
        before = (shop.folder / "orders.csv").read_bytes()
        with pytest.raises(IngestError, match="no rejects file; it is left as it is"):
            shop.ingest(rejects=shop.folder / "orders.csv")
        assert (shop.folder / "orders.csv").read_bytes() == before

    def test_a_folder_for_rejects_that_cannot_be_written(self, shop: Any, good: Tables, tmp_path: Path) -> None:
        good["orders"][0]["channel"] = "?"
        shop.write(good)
        (tmp_path / "file").write_text("x")
        with pytest.raises(IngestError, match="rejects file cannot be written"):
            shop.ingest(rejects=tmp_path / "file" / "bad.csv")

    def test_a_header_alone_is_no_rows(self, shop: Any) -> None:
        shop.text("orders", "order_id,customer_id,ordered_at\n")
        report = shop.ingest()
        assert (report.exit_status, report.tables["orders"].read) == (0, 0)


class TestReopening:
    def meta(self, settings: Settings) -> dict[str, int]:
        ledger = Ledger.open(settings)
        with ledger.read() as conn:
            found = {row.name: row.value for row in conn.execute(sa.select(ledger_meta))}
        ledger.close()
        return found

    def close_day(self, settings: Settings, day: int) -> None:
        ledger = Ledger.open(settings)
        with ledger.write() as conn:
            conn.execute(sa.insert(ledger_meta).values(name="open_day", value=day))
        ledger.close()

    def test_rows_of_a_settled_day_take_it_back(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        self.close_day(shop.settings, us("2026-06-01T00:00:00Z") // DAY)
        shop.ingest()
        meta = self.meta(shop.settings)
        assert meta["open_day"] == us("2026-01-01T00:00:00Z") // DAY
        epoch = meta["epoch"]
        assert epoch >= 1
        shop.ingest()
        assert self.meta(shop.settings)["epoch"] == epoch, "what was known already changes nothing"

    def test_later_rows_leave_settled_days_alone(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        day = us("2026-01-01T00:00:00Z") // DAY
        self.close_day(shop.settings, day)
        shop.ingest()
        meta = self.meta(shop.settings)
        assert (meta["open_day"], meta.get("epoch", 0)) == (day, 0)

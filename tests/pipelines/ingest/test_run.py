"""Whole ingests: what gets into the ledger, and running it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from rich.progress import Progress
from sqlalchemy.exc import OperationalError

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

    def test_columns_without_name_are_ignored(self, shop: Any) -> None:
        shop.text("orders", "order_id,customer_id,ordered_at,,\nO1,C1,2026-01-01T10:00:00Z,,\n")
        report = shop.ingest()
        assert report.complete
        assert report.unknown_columns == {"orders.csv": ("(without name)",)}
        assert len(shop.rows("orders")) == 1

    def test_files_that_are_no_table_are_named(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        (shop.folder / "return.csv").write_text("a slip in the name")
        (shop.folder / "orders.CSV.gz").write_bytes(b"")
        (shop.folder / ".hidden").write_text("")
        (shop.folder / "truth").mkdir()
        report = shop.ingest()
        assert report.complete
        assert report.notes == ["not the name of a table, ignored: orders.CSV.gz, return.csv"]
        assert report.notes[0] in report.lines()

    def test_a_nul_in_the_first_rows_costs_its_row_only(self, shop: Any) -> None:
        shop.text(
            "orders", b"order_id,customer_id,ordered_at\nO\x001,C1,2026-01-01T10:00:00Z\nO2,C1,2026-01-01T10:00:00Z\n"
        )
        report = shop.ingest()
        assert shop.rejects(report) == [("orders.csv", 2, "order_id", "control or invisible character")]
        assert [row["order_id"] for row in shop.rows("orders")] == ["O2"]

    def test_numbers_that_are_not_there_and_text_views_in_parquet(self, shop: Any, good: Tables) -> None:
        shop.write(good)
        (shop.folder / "order_lines.csv").unlink()
        lines = pa.table(
            {
                "order_id": pa.array(["O1", "O1"], pa.string_view()),
                "line_id": pa.array(["1", "2"]),
                "sku": pa.array(["S1", "S2"], pa.string_view()),
                "quantity": pa.array([2.0, float("nan")]),
                "unit_price": pa.array([9.99, 100.0]),
                "discount": pa.array([float("nan"), 1.0]),
            }
        )
        pq.write_table(lines, shop.folder / "order_lines.parquet")
        assert shop.rejects(shop.ingest()) == [("order_lines.parquet", 2, "quantity", "missing")]
        [line] = shop.rows("order_lines")
        assert (line["sku"], line["quantity"], line["discount_e4"]) == ("S1", 2, 0)

    @pytest.mark.parametrize("unit", ["ms", "us"])
    def test_times_beyond_all_calendars_cost_their_row_only(self, shop: Any, unit: str) -> None:
        furthest = 2**63 - 1
        moments = pa.array([furthest, -furthest, 0], pa.int64()).cast(pa.timestamp(unit, "UTC"))
        orders = pa.table({"order_id": ["O1", "O2", "O3"], "customer_id": ["C"] * 3, "ordered_at": moments})
        pq.write_table(orders, shop.folder / "orders.parquet")
        report = shop.ingest()
        reason = "not a time up to the year 9999"
        assert shop.rejects(report) == [("orders.parquet", line, "ordered_at", reason) for line in (1, 2)]
        assert [row["order_id"] for row in shop.rows("orders")] == ["O3"]

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

    def test_a_ledger_that_cannot_be_written_says_so(
        self, shop: Any, good: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.write(good)

        def full(*args: Any, **options: Any) -> Any:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))

        monkeypatch.setattr(loading, "append_rows", full)
        with pytest.raises(IngestError, match="database or disk is full; what was appended before stays"):
            shop.ingest()

    def test_memory_does_not_grow_with_the_file(self, shop: Any, tmp_path: Path) -> None:
        peaks = []
        for count in (1_000, 2_000, 8_000):  # the first also pays for what is made once
            names = "order_id,customer_id,ordered_at,email_id\n"
            lines = (f"O{n},C{n % 7},2026-01-01T00:00:00Z,{'x' * 150}{n}\n" for n in range(count))
            shop.text("orders", names + "".join(lines))
            settings = Settings(home=tmp_path / str(count), hash_key="k")
            tracemalloc.start()
            try:
                ingest(shop.folder, settings=settings, batch_rows=500)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
        assert peaks[2] < 1.3 * peaks[1]

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

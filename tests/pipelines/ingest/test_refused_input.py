"""Input that cannot be ingested at all: one line that says why, and nothing written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.ingest.errors import IngestError

Tables = dict[str, list[dict[str, str]]]


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

    def test_a_link_that_leads_nowhere(self, shop: Any, good: Tables) -> None:
        shop.write({"orders": good["orders"]})
        (shop.folder / "returns.csv").symlink_to(shop.folder / "elsewhere.csv")
        self.refused(shop, "returns.csv: No such file or directory")

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

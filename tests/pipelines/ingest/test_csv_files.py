"""CSV files: line numbers, and what is set aside when a row cannot be read."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest import csv_files
from pipelines.ingest.contract import ORDERS
from pipelines.ingest.csv_files import CsvRows, CsvSource

HEADER = "order_id,customer_id,ordered_at\n"
T = "2026-01-01T10:00:00Z"


def rows_of(text: str, width: int = 2, limit: int = 1000) -> tuple[list[int], list[list[str]], list[tuple[int, str]]]:
    reader = CsvRows(io.StringIO(text, newline=""))
    lines: list[int] = []
    records: list[list[str]] = []
    broken: list[tuple[int, str]] = []
    while True:
        more_lines, more = reader.read(width, limit)
        set_aside = reader.take_broken()
        if not more and not set_aside:
            return lines, records, broken
        lines += more_lines
        records += more
        broken += [(row.line, row.reason) for row in set_aside]


class TestLineNumbers:
    def test_quoted_newlines_and_blank_lines_count(self) -> None:
        lines, records, broken = rows_of('a,1\n"b\nb\nb",2\n\n\nc,3\n')
        assert lines == [1, 2, 7]
        assert [record[1] for record in records] == ["1", "2", "3"]
        assert broken == []

    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    def test_any_line_ending(self, ending: str) -> None:
        lines, records, _ = rows_of(ending.join(["a,1", '"b', 'b",2', "c,3"]))
        assert lines == [1, 2, 4]
        assert len(records) == 3

    @given(
        st.lists(
            st.tuples(st.text("ab\n ,", max_size=4), st.text("cd\n\r,", max_size=3)).filter(lambda row: any(row)),
            max_size=30,
        ),
        st.integers(1, 7),
    )
    def test_what_the_csv_module_writes_is_read_back_in_any_batches(self, rows: list[Any], limit: int) -> None:
        out = io.StringIO(newline="")
        starts = []
        for row in rows:
            starts.append(len(io.StringIO(out.getvalue(), newline="").readlines()) + 1)
            csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(row)
        lines, records, broken = rows_of(out.getvalue(), limit=limit)
        assert broken == []
        assert [tuple(record) for record in records] == rows
        assert lines == starts


class TestBrokenRows:
    def test_ragged_rows(self) -> None:
        lines, _, broken = rows_of("a,1\nb\nc,3,4\nd,4\n")
        assert lines == [1, 4]
        assert broken == [(2, "has 1 fields, the header 2"), (3, "has 3 fields, the header 2")]

    def test_quotation_mark_never_closed_costs_one_row(self) -> None:
        lines, _, broken = rows_of('a,1\n"b,2\nc,3\nd,4\n')
        assert lines == [1, 3, 4]
        assert broken == [(2, "quotation mark without its pair")]

    def test_quotation_mark_closed_by_a_later_row(self) -> None:
        lines, records, broken = rows_of('a,1\n"b,2\n"c",3\nd,4\n')
        assert (lines, [r[0] for r in records]) == ([1, 3, 4], ["a", "c", "d"])
        assert [line for line, _ in broken] == [2]

    def test_open_quotation_mark_before_more_than_a_field_may_hold(self) -> None:
        count = csv.field_size_limit() // 4
        text = 'a,1\n"b,2\n' + "c,3\n" * count + "d,4\n"
        lines, _, broken = rows_of(text)
        assert [line for line, _ in broken] == [2]
        assert lines == [1, *range(3, count + 4)]

    def test_text_after_a_closing_mark(self) -> None:
        lines, _, broken = rows_of('a,1\n"b"b,2\nc,3\n')
        assert lines == [1, 3]
        assert broken[0][0] == 2
        assert "cannot be read as CSV" in broken[0][1]

    def test_overlong_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_files, "LONGEST_LINE", 1000)
        lines, _, broken = rows_of("a,1\n" + "x" * 5000 + ",y\nc,3\n" + "z" * 999 + "\n")
        assert lines == [1, 3]
        assert broken == [(2, "line longer than 1,000 characters"), (4, "has 1 fields, the header 2")]

    def test_overlong_line_is_never_held_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_files, "LONGEST_LINE", 1000)
        longest = []

        class Counting(io.StringIO):
            def readline(self, size: int | None = -1) -> str:
                text = super().readline(size)
                longest.append(len(text))
                return text

        reader = CsvRows(Counting("x" * 1_000_000 + "\nb,2\n"))
        assert reader.read(2, 10) == ([2], [["b", "2"]])
        assert max(longest) <= 1000

    def test_set_aside_rows_count_towards_the_batch(self) -> None:
        reader = CsvRows(io.StringIO("a\n" * 1000 + "b,2\n"))
        assert reader.read(2, 10) == ([], [])
        assert len(reader.take_broken()) == 10


class TestSource:
    def batches(self, path: Path, content: bytes, rows: int = 100) -> Any:
        path.write_bytes(content)
        source = CsvSource(path, ORDERS)
        try:
            return list(source.batches(rows)), source
        finally:
            source.close()

    def test_byte_order_mark_and_blanks_in_the_header(self, tmp_path: Path) -> None:
        content = f"\ufefforder_id, customer_id ,ordered_at\nO1,C1,{T}\n".encode()
        (batch,), source = self.batches(tmp_path / "orders.csv", content)
        assert list(batch.columns) == ["order_id", "customer_id", "ordered_at"]
        assert list(batch.lines) == [2]
        assert batch.done == source.size == len(content)

    def test_bytes_that_are_not_utf8_cost_their_row_only(self, tmp_path: Path) -> None:
        content = HEADER.encode() + f"O1,C\xe9,{T}\nO2,C2,{T}\n\xff,C3,{T}\n".encode("latin-1")
        (batch,), _ = self.batches(tmp_path / "orders.csv", content)
        assert list(batch.lines) == [3]
        assert batch.columns["order_id"].to_pylist() == ["O2"]
        assert [(row.line, row.column, row.reason) for row in batch.broken] == [
            (2, "customer_id", "not valid UTF-8"),
            (4, "order_id", "not valid UTF-8"),
        ]

    def test_encoded_surrogates_are_not_utf8(self, tmp_path: Path) -> None:
        content = HEADER.encode() + b"O\xed\xa0\x80,C1," + T.encode() + b"\n"
        (batch,), _ = self.batches(tmp_path / "orders.csv", content)
        assert [row.reason for row in batch.broken] == ["not valid UTF-8"]

    def test_bad_bytes_in_a_column_that_is_ignored_do_no_harm(self, tmp_path: Path) -> None:
        content = b"order_id,customer_id,ordered_at,note\nO1,C1," + T.encode() + b",\xff\n"
        (batch,), source = self.batches(tmp_path / "orders.csv", content)
        assert (batch.broken, source.unknown) == ([], ("note",))

    def test_batches_are_as_small_as_asked(self, tmp_path: Path) -> None:
        content = HEADER + "".join(f"O{n},C1,{T}\n" for n in range(10))
        batches, _ = self.batches(tmp_path / "orders.csv", content.encode(), rows=4)
        assert [list(batch.lines) for batch in batches] == [[2, 3, 4, 5], [6, 7, 8, 9], [10, 11]]

    def test_no_newline_at_the_end(self, tmp_path: Path) -> None:
        (batch,), _ = self.batches(tmp_path / "orders.csv", (HEADER + f"O1,C1,{T}").encode())
        assert batch.columns["ordered_at"].to_pylist() == [T]

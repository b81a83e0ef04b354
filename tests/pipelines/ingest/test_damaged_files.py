"""Files with random damage: every row is taken or refused, or the file is refused; never anything else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.ingest.batches import Source
from pipelines.ingest.checking import check
from pipelines.ingest.contract import ORDER_LINES
from pipelines.ingest.csv_files import CsvSource
from pipelines.ingest.errors import IngestError
from pipelines.ingest.parquet_files import ParquetSource

ROWS = [(f"O{n}", str(n), f"S{n % 3}", str(n + 1), f"{n}.99", "shoes", "") for n in range(20)]
NAMES = [column.name for column in ORDER_LINES.columns[:7]]
CSV = "\n".join([",".join(NAMES), *(",".join(row) for row in ROWS), ""]).encode()
ODD = ['"', ",", "\n", "\r", "\0", '""', "\t", "é\u202e", "\ufeff", "1e400", "nan", "-", "9" * 400, "x" * 300]
PIECES = [*(piece.encode() for piece in ODD), b"\xff", b"\xed\xa0\x80", b"\xe2\x80", b""]

damage = st.lists(
    st.tuples(st.integers(0, 2_000), st.sampled_from(PIECES) | st.binary(max_size=3), st.integers(0, 20)),
    min_size=1,
    max_size=10,
)


def damaged(content: bytes, places: list[tuple[int, bytes, int]]) -> bytes:
    for place, piece, length in places:
        at = place % (len(content) + 1)
        content = content[:at] + piece + content[at + length :]
    return content


def count(kind: type[CsvSource] | type[ParquetSource], path: Path) -> None:
    """Reads the file; what comes out must add up."""
    try:
        source: Source = kind(path, ORDER_LINES)
        try:
            for raw in source.batches(7):
                batch = check(ORDER_LINES, path.name, raw)
                assert len(batch.rows) + len(batch.rejected) == len(raw.lines) + len(raw.broken)
                assert all(reject.reason for reject in batch.rejected)
        finally:
            source.close()
    except IngestError:
        return


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A Parquet file of the same rows."""
    path = tmp_path_factory.mktemp("whole") / "order_lines.parquet"
    pq.write_table(pa.table(dict(zip(NAMES, zip(*ROWS, strict=True), strict=True))), path)
    return path.read_bytes()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage)
def test_damaged_csv(tmp_path: Path, places: list[tuple[int, bytes, int]]) -> None:
    path = tmp_path / "order_lines.csv"
    path.write_bytes(damaged(CSV, places))
    count(CsvSource, path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=2), st.just(1)), max_size=6))
def test_damaged_parquet(tmp_path: Path, parquet: bytes, places: list[tuple[int, bytes, int]]) -> None:
    path = tmp_path / "order_lines.parquet"
    path.write_bytes(damaged(parquet, places))
    count(ParquetSource, path)


def test_text_in_parquet_that_is_not_utf8_costs_its_row_only(tmp_path: Path) -> None:
    columns = dict(zip(NAMES, zip(*ROWS, strict=True), strict=True))
    skus = pa.array([b"S\xff" if n == 4 else b"S1" for n in range(len(ROWS))], pa.binary())
    text = pa.StringArray.from_buffers(len(skus), *skus.buffers()[1:])  # Arrow does not look at what it is given
    path = tmp_path / "order_lines.parquet"
    pq.write_table(pa.table({**columns, "sku": text}), path)
    source = ParquetSource(path, ORDER_LINES)
    (raw,) = source.batches(100)
    source.close()
    batch = check(ORDER_LINES, path.name, raw)
    assert [(r.line, r.column, r.reason) for r in batch.rejected] == [(5, "sku", "not valid UTF-8")]
    assert len(batch.rows) == len(ROWS) - 1

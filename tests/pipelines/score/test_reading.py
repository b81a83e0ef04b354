"""From a file to returns and refused rows, without a ledger."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.clock import DAY
from pipelines.score.reading import Returns, open_returns, read_returns

NOW = 20_600 * DAY
HEADER = "note,return_id,order_id,line_id,requested_at,quantity,reason"
GOOD = [f",r{n},o{n},{line},2026-01-0{n}T00:00:00Z,1,gift" for n in (1, 2, 3) for line in "ab"]  # lines 2 to 7


def read(file: Path, latest: int = NOW) -> tuple[Returns, list[tuple[int, str, str]]]:
    """The returns that are left, and the refused rows."""
    source = open_returns(file)
    try:
        returns = read_returns(source, latest, None)
    finally:
        source.close()
    returns.drop_refused()
    rejected = [reject for batch in returns.refusals.batches() for reject in batch]
    assert len(rejected) == len(returns.refusals)
    return returns, [(reject.line, reject.column, reject.reason) for reject in rejected]


def table(folder: Path, *lines: str | bytes, encoding: str = "utf-8") -> Path:
    file = folder / "returns.csv"
    file.write_bytes(b"\n".join(line.encode(encoding) if isinstance(line, str) else line for line in (HEADER, *lines)))
    return file


def companion(line: int, of: int) -> tuple[int, str, str]:
    return line, "", f"line {of} of the same return is refused"


def test_returns_keep_the_order_of_the_file(tmp_path: Path) -> None:
    returns, refused = read(table(tmp_path, *GOOD[::-1]))
    assert {name: [row.line for row in rows] for name, rows in returns.rows.items()} == {
        "r3": [2, 3],
        "r2": [4, 5],
        "r1": [6, 7],
    }
    assert (refused, returns.not_assessed) == ([], 0)


def test_rows_of_a_return_need_not_stand_together(tmp_path: Path) -> None:
    bad = ",r1,o1,c,2026-01-01T00:00:00Z,none,gift"
    returns, refused = read(table(tmp_path, *GOOD, bad))
    assert list(returns.rows) == ["r2", "r3"]
    assert refused == [companion(2, 8), companion(3, 8), (8, "quantity", "not a number")]
    assert returns.not_assessed == 1


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b",r2,o2,c,2026-01-02T00:00:00Z,1,gift,and more", "has 8 fields, the header 7"),
        (b",r2,o2,c", "has 4 fields, the header 7"),
        (b',r2,o2,c,2026-01-02T00:00:00Z,1,"gift', "cannot be read as CSV: unexpected end of data"),
        (b',"r2",o2,c,2026-01-02T00:00:00Z,1,"gift', "cannot be read as CSV: unexpected end of data"),
        (b", r2 ,o2,\xff,2026-01-02T00:00:00Z,1,gift", "not valid UTF-8"),
        (b"\xff, r2 ,o2,\xff", "has 4 fields, the header 7"),
    ],
)
def test_a_row_that_cannot_be_read_costs_the_return_whose_id_it_shows(
    tmp_path: Path, written: bytes, reason: str
) -> None:
    returns, refused = read(table(tmp_path, *GOOD, written, b""))
    assert list(returns.rows) == ["r1", "r3"]
    assert [refused[0], refused[1]] == [companion(4, 8), companion(5, 8)]
    assert (refused[2][0], refused[2][2]) == (8, reason)
    assert len(refused) == 3


@pytest.mark.parametrize(
    "written",
    [b",r9,o2,c", b"r2", b",", b",r\xff2,o2,c,2026-01-02T00:00:00Z,1,gift", b",,o2,c,2026-01-02T00:00:00Z,1,gift"],
)
def test_a_row_whose_return_cannot_be_told_is_refused_alone(tmp_path: Path, written: bytes) -> None:
    returns, refused = read(table(tmp_path, *GOOD, written))
    assert list(returns.rows) == ["r1", "r2", "r3"]
    assert [line for line, _, _ in refused] == [8]
    assert returns.not_assessed == 0


def test_ids_that_differ_in_blanks_and_form_only_are_the_same(tmp_path: Path) -> None:
    composed, apart = "caf\u00e9", "  cafe\u0301 "
    lines = [f",{composed},o1,a,2026-01-01T00:00:00Z,1,gift", f",{apart},o1,b,2026-01-01T00:00:00Z,0,gift"]
    returns, refused = read(table(tmp_path, *lines))
    assert returns.rows == {}
    assert [line for line, _, _ in refused] == [2, 3]
    assert returns.not_assessed == 1


def test_text_in_parquet_that_is_not_utf8_costs_its_return(tmp_path: Path) -> None:
    columns = dict(zip(HEADER.split(","), zip(*(row.split(",") for row in GOOD), strict=True), strict=True))
    lines = pa.array([b"\xff" if at == 2 else b"ab"[at % 2 : at % 2 + 1] for at in range(6)], pa.binary())
    text = pa.StringArray.from_buffers(6, *lines.buffers()[1:])  # Arrow does not look at what it is given
    pq.write_table(pa.table({**columns, "line_id": text}), tmp_path / "returns.parquet")
    returns, refused = read(tmp_path / "returns.parquet")
    assert list(returns.rows) == ["r1", "r3"]
    assert refused == [(3, "line_id", "not valid UTF-8"), companion(4, 3)]


def test_each_row_in_the_future_is_told_so(tmp_path: Path) -> None:
    returns, refused = read(table(tmp_path, *GOOD), latest=20_455 * DAY)
    assert list(returns.rows) == ["r1", "r2"]
    assert refused == [(line, "requested_at", "lies in the future") for line in (6, 7)]


def test_a_row_that_is_there_again_is_refused_with_its_return(tmp_path: Path) -> None:
    returns, refused = read(table(tmp_path, *GOOD, GOOD[0], GOOD[1].replace("gift", "other")))
    assert list(returns.rows) == ["r2", "r3"]
    assert [line for line, _, _ in refused] == [2, 3, 8, 9]
    assert refused[3][1:] == ("line_id", "is that of line 3, which has the same return_id and other content")

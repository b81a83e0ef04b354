"""A wrong row costs its return and nothing else; files, report and exit status say so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from features.settings import get_settings
from pipelines.cli import app
from pipelines.score import COLUMNS, score
from tests.support.scoring import HEADER, ORDER, RETURNS, Scoring, place, read, rows, write
from tests.support.service import HASH_KEY, settings_of


class TestRefusedRows:
    """A wrong row costs its return and nothing else."""

    @pytest.mark.parametrize(
        ("column", "value", "cause"),
        [
            ("quantity", "0", "line 3, quantity: not between 1 and 100,000"),
            ("quantity", "99", "line 3, quantity: more returned than the"),
            ("order_id", "nothing", "line 3, order_id: the ledger has no order 'nothing'"),
            ("line_id", "7", "line 3, line_id: order '{order}' has no line '7'"),
            ("requested_at", "2024-01-01T00:00:00Z", "line 3, requested_at: lies before the order"),
            ("requested_at", "2999-01-01T00:00:00Z", "line 3, requested_at: lies in the future"),
            ("requested_at", "2025-01-01T00:00:00", "line 3, requested_at: time without zone"),
            ("reason", "because", "line 3, reason: not one of"),
            ("return_id", "", "line 3, return_id: missing"),
        ],
    )
    def test_one_among_good_ones(self, scoring: Scoring, column: str, value: str, cause: str) -> None:
        content = rows(RETURNS[:4])
        before = scoring(content)
        assert (before.report.exit_status, before.rejects, len(before.results)) == (0, [], 4)
        order = content[1][HEADER.index("order_id")]
        content[1][HEADER.index(column)] = value
        scored = scoring(content)
        assert scored.results == [before.results[0], *before.results[2:]]
        (reject,) = scored.rejects
        assert reject["file"] == "returns.csv"
        assert place(reject).startswith(cause.format(order=order))
        assert json.loads(reject["row"]) == {name: str(value) for name, value in zip(HEADER, content[1], strict=True)}
        assert (scored.report.exit_status, scored.report.rejected) == (1, 1)
        assert any(line.startswith(f"1 rejected: returns.csv, {column}: ") for line in scored.report.lines())
        assert f"refused rows, with line and reason: {scored.report.rejects_file}" in scored.report.lines()

    def test_rows_that_contradict_each_other(self, scoring: Scoring) -> None:
        content = rows(RETURNS[:3])
        content[1][0] = content[0][0]
        scored = scoring(content)
        assert [row["return_id"] for row in scored.results] == [RETURNS[2]["return_id"]]
        assert [place(reject) for reject in scored.rejects] == [
            "line 2: line 3 of the same return is refused",
            "line 3, order_id: is not that of line 2, which has the same return_id",
        ]

    def test_a_line_twice_with_other_content(self, scoring: Scoring) -> None:
        content = rows(RETURNS[:3])
        other = [*content[0][:5], "other" if content[0][5] != "other" else "gift", content[0][6]]
        scored = scoring([*content, other])
        assert [place(reject) for reject in scored.rejects] == [
            "line 2: line 5 of the same return is refused",
            "line 5, line_id: is that of line 2, which has the same return_id and other content",
        ]
        assert len(scored.results) == 2

    @pytest.mark.parametrize(
        ("change", "cause"),
        [
            ({"quantity": "x"}, "line 4, quantity: not a number"),
            ({"line_id": "d"}, f"line 4, line_id: order '{ORDER}' has no line 'd'"),
            ({"quantity": "3"}, "line 4, quantity: more returned than the 2 bought"),
            ({"requested_at": "2026-05-21T08:30:00Z"}, "line 4, requested_at: is not that of line 2"),
        ],
    )
    def test_a_return_of_several_lines_with_a_bad_one(
        self, scoring: Scoring, change: dict[str, str], cause: str
    ) -> None:
        """Its other lines are refused with it, also those before and after, and none is lost."""
        good = rows(RETURNS[:2])
        wide = [["wide", ORDER, line, "2026-05-20T08:30:00Z", "1", "gift", "return"] for line in "abc"]
        whole = scoring([wide[0], good[0], wide[1], wide[2], good[1]])
        assert [row["return_id"] for row in whole.results] == ["wide", good[0][0], good[1][0]]
        for name, value in change.items():
            wide[1][HEADER.index(name)] = value
        scored = scoring([wide[0], good[0], wide[1], wide[2], good[1]])
        assert scored.results == whole.results[1:]
        assert [reject["line"] for reject in scored.rejects] == ["2", "4", "5"]
        assert place(scored.rejects[1]).startswith(cause)
        assert {place(reject).partition(": ")[2] for reject in scored.rejects[::2]} == {
            "line 4 of the same return is refused"
        }
        assert "returns not assessed: 1; rows refused: 3" in scored.report.lines()
        assert "2 rejected: returns.csv: line ... of the same return is refused" in scored.report.lines()

    def test_every_fault_of_a_return_is_told(self, scoring: Scoring) -> None:
        wide = [["wide", ORDER, line, "2026-05-20T08:30:00Z", "1", "gift", "return"] for line in "abc"]
        wide[0][HEADER.index("reason")] = "because"
        wide[2][HEADER.index("quantity")] = "9"
        scored = scoring(wide)
        assert [place(reject)[:16] for reject in scored.rejects] == [
            "line 2, reason: ",
            "line 3: line 2 o",
            "line 4, quantity",
        ]

    def test_all_bad(self, scoring: Scoring) -> None:
        content = [[*row[:4], 99, *row[5:]] for row in rows(RETURNS[:3])]
        scored = scoring(content)
        assert scored.out.read_text().strip() == ",".join(COLUMNS)
        assert (scored.report.exit_status, len(scored.rejects)) == (1, 3)
        assert scored.report.bands.total() == 0

    def test_put_right_and_run_again(self, scoring: Scoring) -> None:
        """The rejects file of the run before goes, also if nothing is refused any more."""
        content = rows(RETURNS[:3])
        wrong = [content[0], [*content[1][:4], 99, *content[1][5:]], content[2]]
        first = scoring(wrong)
        again = scoring(wrong)
        assert again.results == first.results
        assert again.rejects == first.rejects
        right = scoring(content)
        assert right.report.exit_status == 0
        assert [row for row in right.results if row["return_id"] != content[1][0]] == first.results
        assert not scoring.rejects_path.exists()

    def test_parquet(self, home: Path, tmp_path: Path) -> None:
        content = rows(RETURNS[:3])
        content[1][HEADER.index("reason")] = "because"
        columns = [[str(value) for value in column] for column in zip(*content, strict=True)]
        pq.write_table(pa.table(dict(zip(HEADER, columns, strict=True))), tmp_path / "a.parquet")
        report = score(settings_of(home), tmp_path / "a.parquet", tmp_path / "out.parquet", rejects=tmp_path / "r.csv")
        assert pq.read_table(tmp_path / "out.parquet").num_rows == 2
        assert [(reject["file"], reject["line"]) for reject in read(tmp_path / "r.csv")] == [("a.parquet", "2")]
        assert report.exit_status == 1

    def test_the_rejects_file_is_in_the_home_unless_told_otherwise(self, home: Path, tmp_path: Path) -> None:
        content = rows(RETURNS[:2])
        content[1][HEADER.index("quantity")] = "0"
        report = score(settings_of(home), write(tmp_path / "a.csv", content), tmp_path / "out.csv")
        assert report.rejects_file is not None
        assert report.rejects_file.parent == home / "rejects"
        assert len(read(report.rejects_file)) == 1


class TestCommand:
    """Exit statuses, and what is said."""

    @pytest.fixture
    def command(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
        monkeypatch.setenv("RETURNWISE_HOME", str(home))
        monkeypatch.setenv("RETURNWISE_HASH_KEY", HASH_KEY)
        get_settings.cache_clear()
        yield lambda *arguments: CliRunner().invoke(app, ["score", *map(str, arguments)])
        get_settings.cache_clear()

    def test_statuses(self, command: Callable[..., Result], tmp_path: Path) -> None:
        content = rows(RETURNS[:2])
        out, refused = tmp_path / "out.csv", tmp_path / "refused.csv"
        good = command(write(tmp_path / "a.csv", content), "--out", out, "--rejects", refused)
        assert (good.exit_code, refused.exists()) == (0, False)
        assert "2 returns assessed with version 1" in good.stdout
        content[0][HEADER.index("quantity")] = "99"
        bad = command(write(tmp_path / "a.csv", content), "--out", out, "--rejects", refused)
        assert bad.exit_code == 1
        assert "1 returns assessed" in bad.stdout
        assert f"refused rows, with line and reason: {refused}" in bad.stdout
        assert [len(read(out)), len(read(refused))] == [1, 1]
        before = out.read_bytes()
        none = command(tmp_path / "nothing.csv", "--out", out, "--rejects", refused)
        assert (none.exit_code, none.stdout) == (1, "")
        assert none.stderr.splitlines()[-1].startswith("returnwise: ")
        assert (out.read_bytes(), len(read(refused))) == (before, 1)

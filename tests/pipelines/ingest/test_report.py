"""The report in words, and the rejects file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from features.settings import Settings
from pipelines.ingest.errors import IngestError
from pipelines.ingest.rejects import Rejected, RejectsFile, default_path
from pipelines.ingest.report import Accounting, IngestReport, TableCounts


class TestReport:
    def test_nothing_refused(self) -> None:
        report = IngestReport(tables={"orders": TableCounts(3, 2, 1, 0)}, seconds=0.5)
        assert (report.exit_status, report.rejected, report.rows) == (0, 0, 3)
        assert report.lines()[1].split() == ["orders", "3", "2", "1", "0"]
        assert report.lines()[-1] == "3 rows in 0.5 s (6 rows/s)"

    def test_refusals_are_counted_by_cause(self) -> None:
        report = IngestReport(rejects_file=Path("r.csv"))
        report.causes["orders.csv", "channel", "not one of web"] = 1_200
        report.causes["orders.csv", "", "has 2 fields, the header 3"] = 1
        assert (report.exit_status, report.rejected) == (1, 1_201)
        assert "1,200 rejected: orders.csv, channel: not one of web" in report.lines()
        assert "1 rejected: orders.csv: has 2 fields, the header 3" in report.lines()
        assert any(line.endswith("r.csv") for line in report.lines())

    def test_many_causes_are_cut(self) -> None:
        report = IngestReport()
        for number in range(30):
            report.causes["f", "c", f"reason {number}"] = 1
        assert "... and 10 other causes" in report.lines()

    def test_accounting(self) -> None:
        report = IngestReport(accounting=Accounting(3, 1, 1, {"no customer": 1}, {"parts of credit lines": 2}))
        words = [line.split() for line in report.lines()]
        assert ["refused:", "no", "customer", "1"] in words
        assert ["parts", "of", "credit", "lines", "2"] in words


class TestRejectsFile:
    def test_comes_into_being_with_the_first_row(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "r.csv"
        file = RejectsFile(path)
        file.write([])
        assert not path.exists()
        file.write([Rejected("f.csv", 7, "c", "why", {"a": 'x"\n\u202e', "b": None, "n": 1.5})])
        file.close()
        with path.open(newline="") as opened:
            (row,) = csv.DictReader(opened)
        assert (row["file"], row["line"], row["column"], row["reason"]) == ("f.csv", "7", "c", "why")
        assert json.loads(row["row"]) == {"a": 'x"\n\u202e', "b": None, "n": 1.5}
        assert path.read_bytes().isascii(), "what a row holds must not play tricks on who reads the file"

    def test_rows_are_there_as_soon_as_written(self, tmp_path: Path) -> None:
        file = RejectsFile(tmp_path / "r.csv")
        file.write([Rejected("f", 1, "", "why", ["\udcff"])])
        assert len((tmp_path / "r.csv").read_text().splitlines()) == 2
        file.close()

    def test_long_values_are_cut(self, tmp_path: Path) -> None:
        file = RejectsFile(tmp_path / "r.csv")
        file.write([Rejected("f", 1, "", "why", ["x" * 10_000])])
        file.close()
        text = (tmp_path / "r.csv").read_text()
        assert "(10,000 characters)" in text
        assert len(text) < 500

    def test_an_older_one_goes(self, tmp_path: Path) -> None:
        for _ in range(2):
            file = RejectsFile(tmp_path / "r.csv")
            file.write([Rejected("f", 1, "", "why", [])])
            file.close()
        assert len((tmp_path / "r.csv").read_text().splitlines()) == 2
        RejectsFile(tmp_path / "r.csv")
        assert not (tmp_path / "r.csv").exists()

    def test_any_other_file_stays(self, tmp_path: Path) -> None:
        (tmp_path / "r.csv").write_text("dear diary\n")
        with pytest.raises(IngestError, match="no rejects file"):
            RejectsFile(tmp_path / "r.csv")
        with pytest.raises(IngestError, match="cannot be written"):
            RejectsFile(tmp_path)

    def test_a_new_one_each_time(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path)
        first = default_path(settings)
        first.parent.mkdir()
        first.write_text("")
        assert default_path(settings) != first

"""What is written is what the service would have said; what is wrong with a file as a whole writes nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from features.clock import DAY
from features.errors import ReturnwiseError
from features.ledger.store import Ledger
from pipelines.score import COLUMNS, ScoreError, score
from serving.app import create_app
from serving.settings import ServingSettings
from tests.support.history import FIRST_DAY
from tests.support.scoring import HEADER, RETURNS, read, rows, write
from tests.support.service import Api, assessment, make_key, running, settings_of, unique


def test_gives_the_risks_of_the_service(home: Path, tmp_path: Path) -> None:
    """Assessed over HTTP one by one, each at its own time, and from a file all at once: the same to the last bit."""
    answers: dict[str, dict[str, Any]] = {}
    content: list[list[Any]] = []
    app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600))
    with running(app) as client:
        api = Api(client, make_key(home))
        for known in RETURNS[:40]:
            customer = known["order_id"].split("-")[0].replace("o", "c")
            body = {name: known[name] for name in ("return_id", "order_id", "reason", "kind")}
            body |= {"customer_id": customer, "lines": [{"line_id": "1", "quantity": known["quantity"]}]}
            answers[known["return_id"]] = api.assess(body).json()
            content += rows([known])
        lines = [{"line_id": n, "sku": f"s{n}", "quantity": 2, "unit_price": 30, "category": "k1"} for n in "abc"]
        for n in range(20):
            body = assessment(order={"lines": lines, "customer_id": f"new-{n % 4}", "address_id": f"house {n % 3}"})
            body |= {"lines": [{"line_id": "c", "quantity": 1}, {"line_id": "a", "quantity": 2}]}
            if n % 5 == 0:
                body["customer_id"] = unique("somebody-else-")
            answers[body["return_id"]] = api.assess(body).json()
            for line in body["lines"]:
                place = (body["return_id"], body["order_id"], line["line_id"], body["requested_at"], line["quantity"])
                content.append([*place, body["reason"], body["kind"], "refund", "web", "original"])
            api.send(  # what becomes known later changes nothing
                {
                    "event_id": unique("e"),
                    "type": "delivery",
                    "occurred_at": "2026-05-04T00:00:00Z",
                    "order_id": body["order_id"],
                }
            )
    content = [row + [""] * (10 - len(row)) for row in content]
    file = write(tmp_path / "returns.csv", content, [*HEADER, "resolution", "channel", "tender"])
    out = tmp_path / "out.csv"
    report = score(settings_of(home), file, out)
    found = read(out)
    assert [row["return_id"] for row in found] == list(answers)
    assert report.bands.total() == 60
    for row in found:
        answer = answers[row["return_id"]]
        assert float(row["risk"]) == answer["risk"]
        assert row["risk_band"] == answer["risk_band"]
        assert row["action"] == answer["action"]
        assert row["reasons"] == ";".join(reason["code"] for reason in answer["reasons"])
        assert row["model_version"] == answer["model"]["version"]


def test_parquet_in_and_out(home: Path, tmp_path: Path) -> None:
    content = rows(RETURNS[:10])
    table = pa_csv.read_csv(io.BytesIO(write(tmp_path / "a.csv", content).read_bytes()))
    requested = pa.array([r["requested_at"] for r in RETURNS[:10]], pa.timestamp("us", "UTC"))
    table = table.set_column(3, "requested_at", requested).set_column(2, "line_id", table["line_id"].cast(pa.string()))
    pq.write_table(table, tmp_path / "a.parquet")
    score(settings_of(home), tmp_path / "a.csv", tmp_path / "from-csv.parquet")
    score(settings_of(home), tmp_path / "a.parquet", tmp_path / "from-parquet.parquet")
    first, second = (pq.read_table(tmp_path / f"from-{kind}.parquet") for kind in ("csv", "parquet"))
    assert first.column_names == list(COLUMNS)
    assert first.equals(second)
    assert first["risk"].type == pa.float64()
    assert first.num_rows == 10


def test_nothing_to_score(home: Path, tmp_path: Path) -> None:
    report = score(settings_of(home), write(tmp_path / "a.csv", []), tmp_path / "out.csv")
    assert report.bands.total() == 0
    assert (tmp_path / "out.csv").read_text().strip() == ",".join(COLUMNS)


def test_a_row_that_is_there_again_changes_nothing(home: Path, tmp_path: Path) -> None:
    content = rows(RETURNS[:3])
    score(settings_of(home), write(tmp_path / "once.csv", content), tmp_path / "once-out.csv")
    score(settings_of(home), write(tmp_path / "twice.csv", [*content, content[0]]), tmp_path / "twice-out.csv")
    assert read(tmp_path / "twice-out.csv") == read(tmp_path / "once-out.csv")


def test_leaves_no_trace_in_the_ledger(home: Path, tmp_path: Path) -> None:
    def counts() -> list[int]:
        ledger = Ledger.open(settings_of(home))
        with ledger.read() as conn:
            tables = ("returns", "assessments", "watermarks", "live_events")
            found = [conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables]
        ledger.close()
        return found

    before = counts()
    new = dict(RETURNS[0], return_id="unheard-of", requested_at=(FIRST_DAY + 400) * DAY)
    score(settings_of(home), write(tmp_path / "a.csv", rows([new])), tmp_path / "out.csv")
    assert counts() == before
    assert len(read(tmp_path / "out.csv")) == 1


class TestErrors:
    """What is wrong with the file as a whole: nothing is written."""

    @pytest.fixture
    def good(self) -> list[list[Any]]:
        return rows(RETURNS[:3])

    @pytest.mark.parametrize("name", ["out.csv", "a.csv"])
    def test_refused_rows_go_to_a_file_of_their_own(
        self, home: Path, tmp_path: Path, good: list[list[Any]], name: str
    ) -> None:
        file = write(tmp_path / "a.csv", good)
        with pytest.raises(ScoreError, match="name another one for refused rows"):
            score(settings_of(home), file, tmp_path / "out.csv", rejects=tmp_path / name)
        assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]

    def test_any_other_file_is_not_taken_for_a_rejects_file(
        self, home: Path, tmp_path: Path, good: list[list[Any]]
    ) -> None:
        (tmp_path / "r.csv").write_text("dear diary\n")
        with pytest.raises(ReturnwiseError, match="no rejects file"):
            score(settings_of(home), write(tmp_path / "a.csv", good), tmp_path / "out.csv", rejects=tmp_path / "r.csv")
        assert (tmp_path / "r.csv").read_text() == "dear diary\n"
        assert not (tmp_path / "out.csv").exists()

    def test_a_damaged_file_leaves_what_was_there(self, home: Path, tmp_path: Path, good: list[list[Any]]) -> None:
        columns = [[str(value) for value in column] for column in zip(*good, strict=True)]
        file, out = tmp_path / "a.parquet", tmp_path / "out.csv"
        pq.write_table(pa.table(dict(zip(HEADER, columns, strict=True))), file, compression="none")
        content = file.read_bytes()
        file.write_bytes(content[:4] + b"\xff" * 40 + content[44:])
        out.write_text("from before")
        with pytest.raises(ReturnwiseError, match="damaged"):
            score(settings_of(home), file, out, rejects=tmp_path / "r.csv")
        assert out.read_text() == "from before"
        assert not (tmp_path / "r.csv").exists()

    def test_the_file_to_read_is_not_written(self, home: Path, tmp_path: Path, good: list[list[Any]]) -> None:
        file = write(tmp_path / "a.csv", good)
        before = file.read_bytes()
        with pytest.raises(ScoreError, match="is the file to read"):
            score(settings_of(home), file, tmp_path / "." / "a.csv")
        assert file.read_bytes() == before

    def test_a_folder_in_place_of_the_file(self, home: Path, tmp_path: Path, good: list[list[Any]]) -> None:
        (tmp_path / "out.csv").mkdir()
        with pytest.raises(ScoreError, match="cannot be written: is a folder"):
            score(settings_of(home), write(tmp_path / "a.csv", good), tmp_path / "out.csv")

    @pytest.mark.parametrize("name", ["out.txt", "out", "out.CSVX"])
    def test_endings(self, home: Path, tmp_path: Path, good: list[list[Any]], name: str) -> None:
        with pytest.raises(ScoreError, match=r"\.csv or \.parquet"):
            score(settings_of(home), write(tmp_path / "a.csv", good), tmp_path / name)

    def test_a_missing_column(self, home: Path, tmp_path: Path, good: list[list[Any]]) -> None:
        file = write(tmp_path / "a.csv", [row[1:] for row in good], HEADER[1:])
        with pytest.raises(ReturnwiseError, match="return_id"):
            score(settings_of(home), file, tmp_path / "out.csv")

    def test_a_missing_file(self, home: Path, tmp_path: Path) -> None:
        with pytest.raises(ReturnwiseError, match=r"nothing\.csv"):
            score(settings_of(home), tmp_path / "nothing.csv", tmp_path / "out.csv")

    def test_a_folder_that_cannot_be_written(self, home: Path, tmp_path: Path, good: list[list[Any]]) -> None:
        file = write(tmp_path / "a.csv", good)
        with pytest.raises(ScoreError, match="cannot be written"):
            score(settings_of(home), file, file / "out.csv")

    def test_without_a_model(self, tmp_path: Path, good: list[list[Any]]) -> None:
        with pytest.raises(ReturnwiseError, match="returnwise train"):
            score(settings_of(tmp_path), write(tmp_path / "a.csv", good), tmp_path / "out.csv")

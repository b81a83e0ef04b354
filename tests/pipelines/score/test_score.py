from __future__ import annotations

import csv
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
from serving.clock import iso
from serving.settings import ServingSettings
from tests.support.history import FIRST_DAY, made_up_history
from tests.support.service import (
    CUSTOMERS,
    ORDERS_EACH,
    Api,
    assessment,
    make_home,
    make_key,
    running,
    settings_of,
    unique,
)

RETURNS = made_up_history(CUSTOMERS, ORDERS_EACH)["returns"]
HEADER = ["return_id", "order_id", "line_id", "requested_at", "quantity", "reason", "kind"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("score")
    make_home(home)
    return home


def rows(returns: list[dict[str, Any]]) -> list[list[Any]]:
    return [
        [r["return_id"], r["order_id"], r["line_id"], iso(r["requested_at"]), r["quantity"], r["reason"], r["kind"]]
        for r in returns
    ]


def write(path: Path, content: list[list[Any]], header: list[str] = HEADER) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *content])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


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


class TestRefusals:
    @pytest.fixture
    def good(self) -> list[list[Any]]:
        return rows(RETURNS[:3])

    @pytest.mark.parametrize(
        ("column", "value", "cause"),
        [
            ("quantity", "0", "line 3, quantity"),
            ("quantity", "99", "line 3, quantity: more returned"),
            ("order_id", "nothing", "line 3, order_id: the ledger has no order nothing"),
            ("line_id", "7", "line 3, line_id"),
            ("requested_at", "2024-01-01T00:00:00Z", "line 3, requested_at: lies before the order"),
            ("requested_at", "2999-01-01T00:00:00Z", "line 3, requested_at: lies in the future"),
            ("requested_at", "2025-01-01T00:00:00", "line 3, requested_at: time without zone"),
            ("reason", "because", "line 3, reason"),
            ("return_id", "", "line 3, return_id"),
            ("return_id", RETURNS[0]["return_id"], "line 3, order_id: is not that of line 2"),
        ],
    )
    def test_names_the_place(
        self, home: Path, tmp_path: Path, good: list[list[Any]], column: str, value: str, cause: str
    ) -> None:
        good[1][HEADER.index(column)] = value
        out = tmp_path / "out.csv"
        out.write_text("from before")
        with pytest.raises(ScoreError, match=cause):
            score(settings_of(home), write(tmp_path / "a.csv", good), out)
        assert out.read_text() == "from before"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "out.csv"]

    def test_a_line_twice_with_other_content(self, home: Path, tmp_path: Path, good: list[list[Any]]) -> None:
        other = [*good[0][:5], "other" if good[0][5] != "other" else "gift", good[0][6]]
        with pytest.raises(ScoreError, match="line 5, line_id: is that of line 2"):
            score(settings_of(home), write(tmp_path / "a.csv", [*good, other]), tmp_path / "out.csv")

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

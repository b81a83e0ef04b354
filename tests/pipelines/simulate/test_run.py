from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pandas as pd
import pytest
from rich.progress import Progress

from features.settings import Settings
from pipelines.ingest.run import ingest
from pipelines.simulate import write
from pipelines.simulate.run import LAST_DAY, simulate
from pipelines.simulate.settings import SimulationError, SimulationSettings
from pipelines.simulate.tables import NAMES

TIMES = ("ordered_at", "delivered_at", "requested_at", "inspected_at", "decided_at", "recorded_at")


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_same_arguments_give_the_same_bytes(tmp_path: Path, kind: str) -> None:
    for name in ("a", "b"):
        simulate(tmp_path / name, customers=250, days=400, seed=3, format=kind)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert set(digests(tmp_path / "a")) == {f"{name}.{kind}" for name in NAMES}


def test_another_seed_gives_another_shop(tmp_path: Path) -> None:
    for seed in (1, 2):
        simulate(tmp_path / str(seed), customers=150, days=200, seed=seed)
    one, two = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert all(one[name] != two[name] for name in one)


def test_rows_written_in_pieces_are_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(tmp_path / "whole", customers=150, days=300, seed=1)
    monkeypatch.setattr(write, "ROWS_AT_A_TIME", 97)
    simulate(tmp_path / "pieces", customers=150, days=300, seed=1)
    assert digests(tmp_path / "whole") == digests(tmp_path / "pieces")


def test_csv_and_parquet_hold_the_same(tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        simulate(tmp_path / kind, customers=400, days=400, seed=4, format=kind)
    for name in NAMES:
        parquet = pd.read_parquet(tmp_path / "parquet" / f"{name}.parquet")
        ids = {column: str for column in parquet if column.endswith("_id")}
        csv = pd.read_csv(tmp_path / "csv" / f"{name}.csv", dtype=ids)
        assert list(csv) == list(parquet)
        for column in set(csv) & set(TIMES):
            assert csv[column].dropna().str.endswith("Z").all()
            csv[column] = pd.to_datetime(csv[column], utc=True)
        one, other = (frame.astype(object).where(frame.notna(), None) for frame in (csv, parquet))
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_ingest_takes_every_row_once(tmp_path: Path, kind: str) -> None:
    report = simulate(tmp_path / "tables", customers=800, days=420, seed=6, format=kind)
    settings = Settings(home=tmp_path / "home", database_url="", hash_key="test")
    first = ingest(tmp_path / "tables", settings=settings)
    assert not first.causes
    assert not first.unknown_columns
    contract = {name: rows for name, rows in report.counts.items() if not name.startswith("truth/")}
    assert {name: counts.accepted for name, counts in first.tables.items()} == contract
    assert min(contract.values()) > 50
    again = ingest(tmp_path / "tables", settings=settings)
    assert {name: counts.duplicates for name, counts in again.tables.items()} == contract
    assert not again.causes


def test_the_report_counts_what_was_written(tmp_path: Path) -> None:
    report = simulate(tmp_path, customers=400, days=365, seed=8, format="parquet")
    for name, rows in report.counts.items():
        assert rows == len(pd.read_parquet(tmp_path / f"{name}.parquet"))
    truth = pd.read_parquet(tmp_path / "truth" / "returns_truth.parquet")
    assert (report.requests, report.abusive) == (len(truth), truth["abusive"].sum())
    returns = pd.read_parquet(tmp_path / "returns.parquet")
    assert report.returned_lines == len(returns.drop_duplicates(["order_id", "line_id"]))
    text = "\n".join(report.lines())
    assert f"{report.counts['orders']:,}" in text
    assert str(tmp_path) in text


@pytest.mark.parametrize(("customers", "days"), [(1, 1), (1, 2_500), (3, 2), (30, 40), (400, 3)])
def test_any_size_can_be_made(tmp_path: Path, customers: int, days: int) -> None:
    report = simulate(tmp_path, customers=customers, days=days, seed=1)
    assert report.counts["truth/customers_truth"] == customers
    assert len(list(tmp_path.rglob("*.csv"))) == len(NAMES)


def test_the_history_ends_when_it_should(tmp_path: Path) -> None:
    end = dt.date(2025, 1, 15)
    simulate(tmp_path, customers=500, days=200, seed=2, end=end, format="parquet")
    first = pd.Timestamp(end, tz="UTC") - pd.Timedelta(days=199)
    latest = []
    for name in NAMES:
        frame = pd.read_parquet(tmp_path / f"{name}.parquet")
        for column in set(frame) & set(TIMES):
            given = frame[column].dropna()
            assert (given >= first).all()
            assert (given < pd.Timestamp(end, tz="UTC") + pd.Timedelta(days=1)).all()
            latest += [given.max()] if len(given) else []
    assert len(latest) >= 6
    assert max(latest) >= pd.Timestamp(end, tz="UTC")


def test_it_ends_on_the_documented_day_unless_told_otherwise() -> None:
    assert dt.date(2026, 9, 30) == LAST_DAY


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"customers": 0}, "at least 1"),
        ({"days": 0}, "at least 1"),
        ({"seed": -1}, "at least 0"),
        ({"format": "xlsx"}, "csv or parquet"),
        ({"days": 10**9}, "would begin before 1970-01-01"),
        ({"customers": 10**12}, "make up to 1,000,000,000,000 orders"),
        ({"customers": 10**7, "days": 3_650}, "make up to 900,000,000 orders"),
        ({"end": dt.date(2999, 1, 1)}, "2999-01-01 is not over yet"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, arguments: dict[str, object], words: str) -> None:
    usual: dict[str, object] = {"customers": 10, "days": 10, "seed": 1}
    with pytest.raises(SimulationError, match=words):
        simulate(tmp_path / "out", **(usual | arguments))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_history_may_not_end_later_than_yesterday(tmp_path: Path) -> None:
    tomorrow = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(
        days=1
    )  # still not over when midnight falls in the test
    with pytest.raises(SimulationError, match="is not over yet"):
        simulate(tmp_path / "out", customers=10, days=10, seed=1, end=tomorrow)


def test_a_history_may_end_yesterday(tmp_path: Path) -> None:
    yesterday = dt.datetime.now(tz=dt.UTC).date() - dt.timedelta(days=1)
    assert simulate(tmp_path, customers=5, days=5, seed=1, end=yesterday).counts["truth/customers_truth"] == 5


def test_two_formats_do_not_mix_in_a_folder(tmp_path: Path) -> None:
    simulate(tmp_path, customers=20, days=50, seed=1, format="csv")
    before = digests(tmp_path)
    with pytest.raises(SimulationError, match=r"holds orders\.csv already"):
        simulate(tmp_path, customers=20, days=50, seed=1, format="parquet")
    assert digests(tmp_path) == before


def test_tables_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a shop's own orders")
    with pytest.raises(SimulationError, match=r"holds orders\.csv already"):
        simulate(tmp_path, customers=20, days=50, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]
    assert (tmp_path / "orders.csv").read_text() == "a shop's own orders"


def test_a_simulation_replaces_an_earlier_one(tmp_path: Path) -> None:
    simulate(tmp_path / "twice", customers=20, days=50, seed=1)
    simulate(tmp_path / "twice", customers=20, days=50, seed=2)
    simulate(tmp_path / "once", customers=20, days=50, seed=2)
    assert digests(tmp_path / "twice") == digests(tmp_path / "once")


def test_a_failure_between_tables_leaves_the_earlier_simulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(tmp_path, customers=100, days=100, seed=1)
    before = digests(tmp_path)
    written: list[Path] = []
    usual = write._write

    def fail(path: Path, *arguments: object) -> None:
        if len(written) == 3:
            raise OSError("disk full")
        written.append(path)
        usual(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "_write", fail)
    with pytest.raises(OSError, match="disk full"):
        simulate(tmp_path, customers=100, days=100, seed=2)
    assert digests(tmp_path) == before


def test_a_failure_leaves_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(tmp_path, customers=100, days=100, seed=1)
    before = digests(tmp_path)
    monkeypatch.setattr(write, "ROWS_AT_A_TIME", 50)
    calls = 0

    def fail(done: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError("disk full")

    output = next(iter(_outputs()))
    with pytest.raises(OSError, match="disk full"):
        write.write_tables(tmp_path, [output], "csv", fail)
    assert digests(tmp_path) == before


def _outputs() -> list[write.Output]:
    from pipelines.simulate.run import tell
    from pipelines.simulate.tables import outputs

    return outputs(tell(100, 100, 2, LAST_DAY, SimulationSettings()), text_times=True)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    with Progress(disable=True) as progress:
        simulate(tmp_path, customers=50, days=60, seed=1, progress=progress)
        assert [task.description for task in progress.tasks] == ["simulating", "writing"]
        assert all(task.completed == task.total for task in progress.tasks)

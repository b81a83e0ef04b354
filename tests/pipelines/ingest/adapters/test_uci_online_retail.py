"""UCI Online Retail in small: every form and spelling of it, and what becomes of every line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.settings import Settings
from pipelines.ingest.adapters.online_retail_words import COUNTRIES
from pipelines.ingest.adapters.uci_online_retail import Cause
from pipelines.ingest.errors import IngestError
from pipelines.ingest.report import IngestReport
from pipelines.ingest.run import ingest

FIRST = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
SECOND = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
UK, DE = "United Kingdom", "Germany"

Line = tuple[str, str, str | None, int, datetime, float, int | None, str]


def at(month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2011, month, day, hour, minute)  # noqa: DTZ001 - the set's times are local and say no zone


#: Lines and what becomes of each: ordered, returned or the cause.
LINES: list[tuple[Line, str]] = [
    (("536365", "85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 6, at(1, 4), 2.55, 17850, UK), "ordered"),
    (("536365", "71053", "WHITE METAL LANTERN", 4, at(1, 4, 10, 1), 3.39, 17850, UK), "ordered"),
    (("536365", "85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 6, at(1, 4), 2.55, 17850, UK), Cause.DUPLICATE),
    (("536365", "85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 2, at(1, 4), 2.55, 17850, UK), "ordered"),
    (("536365", "POST", "POSTAGE", 1, at(1, 4), 18.0, 17850, UK), Cause.NO_PRODUCT),
    (("536370", "85123a", "WHITE HANGING HEART T-LIGHT HOLDER", 3, at(2, 1), 2.95, 17850, UK), "ordered"),
    (("536371", "22633", "CAFÉ MUG £5", 5, at(7, 1), 0.0305, 12583, DE), "ordered"),
    (("536372", "22633", None, 5, at(7, 2), 1.25, None, UK), Cause.NO_CUSTOMER),
    (("536373", "22633", "CAFÉ MUG £5", 5, at(7, 2), 0.0, 12583, DE), Cause.NO_PRICE),
    (("536374", "22633", "lost", -5, at(7, 2), 1.0, 12583, DE), Cause.NOTHING_SOLD),
    (("536375", "gift_0001_20", "Dotcomgiftshop Gift Voucher £20.00", 1, at(7, 2), 16.67, 12583, DE), Cause.NO_PRODUCT),
    (("A563186", "B", "Adjust bad debt", 1, at(7, 2), -11062.06, None, UK), Cause.ADJUSTMENT),
    (("536376", "M", "Manual", 1, at(7, 2), 10.0, 12583, DE), Cause.NO_PRODUCT),
    (("536377", "22633", "CAFÉ MUG £5", 1, at(7, 3), 1.0, 12583, DE), "ordered"),
    (("536377", "71053", "WHITE METAL LANTERN", 1, at(7, 3), 1.0, 17850, DE), Cause.OTHER_CUSTOMER),
    # one credit over three lines of two orders; the whole of the first order's lines and one of the second
    (("C536379", "85123A", "WHITE HANGING HEART T-LIGHT HOLDER", -9, at(3, 1), 2.55, 17850, UK), "returned"),
    # two lines of one note that take back the same line: one row of returns
    (("C536380", "71053", "WHITE METAL LANTERN", -1, at(3, 1), 3.39, 17850, UK), "returned"),
    (("C536380", "71053", "WHITE METAL LANTERN", -2, at(3, 1), 3.39, 17850, UK), "returned"),
    # more credited than is left: one unit of three
    (("C536381", "71053", "WHITE METAL LANTERN", -3, at(3, 2), 3.39, 17850, UK), "returned"),
    (("C536382", "71053", "WHITE METAL LANTERN", -1, at(3, 3), 3.39, 17850, UK), Cause.NOTHING_LEFT),
    (("C536383", "22633", "CAFÉ MUG £5", -1, at(6, 30), 0.03, 12583, DE), Cause.NEVER_BOUGHT),
    (("C536384", "22633", "CAFÉ MUG £5", -1, at(8, 1), 0.03, None, DE), Cause.NO_CUSTOMER),
    (("C536385", "D", "Discount", -1, at(8, 1), 27.5, 12583, DE), Cause.NO_PRODUCT),
    (("C536386", "22633", "CAFÉ MUG £5", 1, at(8, 1), 0.03, 12583, DE), Cause.NOTHING_CREDITED),
]


def write(path: Path, header: tuple[str, ...], lines: list[Line], encoding: str = "utf-8") -> Path:
    """Writes lines as the public files have them: Parquet typed, CSV month first and customers as decimals, Excel."""
    if path.suffix == ".parquet":
        columns = list(zip(*lines, strict=True))
        types = (pa.string(),) * 3 + (pa.int32(), pa.timestamp("us"), pa.float64(), pa.int32(), pa.string())
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        pq.write_table(pa.table(arrays, names=list(header)), path)
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding=encoding) as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for invoice, item, text, quantity, moment, price, customer, country in lines:
                when = f"{moment.month}/{moment.day}/{moment.year} {moment.hour}:{moment:%M}"
                who = f"{customer}.0" if customer else ""
                writer.writerow([invoice, item, text or "", quantity, when, price, who, country])
    else:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        notes = book.create_sheet("Notes")
        notes.append(["About this file"])
        for name, some in (("Year 2009-2010", lines[:10]), ("Year 2010-2011", lines[10:])):
            sheet = book.create_sheet(name)
            sheet.append(header)
            for line in some:
                as_number = int(line[0]) if line[0].isdigit() else line[0]
                sheet.append([as_number, int(line[1]) if line[1].isdigit() else line[1], *line[2:]])
        book.save(path)
    return path


def retail(path: Path, settings: Settings, **options: Any) -> IngestReport:
    return ingest(path, settings=settings, format="uci-online-retail", **options)


def expected() -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, fate in LINES:
        counts[fate] = counts.get(fate, 0) + 1
    return counts


def assert_adds_up(report: IngestReport) -> None:
    accounting = report.accounting
    assert accounting is not None
    assert accounting.lines == accounting.ordered + accounting.returned + sum(accounting.refused.values())


@pytest.fixture
def ingested(tmp_path: Path, settings: Settings) -> tuple[IngestReport, Settings]:
    """The lines above, from Parquet."""
    return retail(write(tmp_path / "retail.parquet", FIRST, [line for line, _ in LINES]), settings), settings


Dump = Callable[[Settings], dict[str, list[dict[str, Any]]]]


class TestEveryForm:
    @pytest.mark.parametrize("header", [FIRST, SECOND], ids=["first spelling", "second spelling"])
    @pytest.mark.parametrize("form", ["parquet", "csv", "latin.csv", "xlsx"])
    def test_the_same_ledger_and_accounts(
        self,
        tmp_path: Path,
        ingested: tuple[IngestReport, Settings],
        dumped: Dump,
        header: tuple[str, ...],
        form: str,
    ) -> None:
        encoding = "iso-8859-1" if form.startswith("latin") else "utf-8"
        file = write(tmp_path / f"set.{form}", header, [line for line, _ in LINES], encoding)
        settings = Settings(home=tmp_path / "another", hash_key="a key for tests only")
        report = retail(file, settings)
        assert report.accounting == ingested[0].accounting
        assert_adds_up(report)
        assert dumped(settings) == dumped(ingested[1])
        assert report.exit_status == 0

    def test_days_first(self, tmp_path: Path, settings: Settings, dumped: Dump) -> None:
        file = tmp_path / "set.csv"
        rows = ["1,S1,TOY,1,01-12-2010 08:26,1.5,7,France", "2,S1,TOY,1,13-12-2010 08:26:30,1.5,7,France"]
        file.write_text("\n".join([",".join(FIRST), *rows]))
        retail(file, settings)
        moments = [datetime.fromtimestamp(row["ordered_at"] / 1e6, UTC) for row in dumped(settings)["orders"]]
        assert moments == [datetime(2010, 12, 1, 8, 26, tzinfo=UTC), datetime(2010, 12, 13, 8, 26, 30, tzinfo=UTC)]

    def test_iso_times(self, tmp_path: Path, settings: Settings, dumped: Dump) -> None:
        file = tmp_path / "set.csv"
        file.write_text(",".join(FIRST) + "\n1,S1,TOY,1,2010-06-01 08:26:00,1.5,7,France\n")
        retail(file, settings)
        (order,) = dumped(settings)["orders"]
        assert order["ordered_at"] == int(datetime(2010, 6, 1, 7, 26, tzinfo=UTC).timestamp()) * 1_000_000


class TestLines:
    def test_every_line_is_accounted_for(self, ingested: tuple[IngestReport, Settings]) -> None:
        report, _ = ingested
        accounting = report.accounting
        assert accounting is not None
        assert_adds_up(report)
        assert {"ordered": accounting.ordered, "returned": accounting.returned, **accounting.refused} == expected()
        assert accounting.lines == len(LINES)

    def test_every_cause_but_breaches_is_seen_here(self) -> None:
        assert set(Cause) - {fate for _, fate in LINES} == {Cause.UNREADABLE, Cause.REFUSED}

    def test_refused_lines_are_listed_with_place_and_cause(
        self, ingested: tuple[IngestReport, Settings], rejected: Callable[[IngestReport], list[dict[str, Any]]]
    ) -> None:
        listed = {(row["file"], int(row["line"]), row["reason"]) for row in rejected(ingested[0])}
        fates = enumerate((fate for _, fate in LINES), 1)
        assert listed == {("retail.parquet", n, str(fate)) for n, fate in fates if isinstance(fate, Cause)}
        assert ingested[0].rejected == 0

    def test_split_and_merged_credits_are_explained(
        self, ingested: tuple[IngestReport, Settings], dumped: Dump
    ) -> None:
        accounting = ingested[0].accounting
        assert accounting is not None
        counts = list(accounting.details.values())
        spread, partly, beyond, parts, rows, returns = counts
        assert (spread, partly, beyond, parts, rows, returns) == (1, 1, 2, 6, 5, 4)
        assert len(dumped(ingested[1])["returns"]) == rows
        assert ingested[0].tables["returns"].accepted == rows


class TestRows:
    def test_orders(self, ingested: tuple[IngestReport, Settings], dumped: Dump) -> None:
        orders = dumped(ingested[1])["orders"]
        assert [(o["order_id"], o["customer_id"], o["country"]) for o in orders] == [
            ("536365", "17850", "GB"),
            ("536370", "17850", "GB"),
            ("536371", "12583", "DE"),
            ("536377", "12583", "DE"),
        ]
        assert {(o["channel"], o["currency"], o["email_id"]) for o in orders} == {("web", "GBP", None)}

    def test_times_are_uk_local(self, ingested: tuple[IngestReport, Settings], dumped: Dump) -> None:
        moments = {o["order_id"]: o["ordered_at"] for o in dumped(ingested[1])["orders"]}
        winter, summer = datetime(2011, 1, 4, 10, tzinfo=UTC), datetime(2011, 7, 1, 9, tzinfo=UTC)
        assert moments["536365"] == winter.timestamp() * 1_000_000, "the earliest of its lines"
        assert moments["536371"] == summer.timestamp() * 1_000_000

    def test_order_lines(self, ingested: tuple[IngestReport, Settings], dumped: Dump) -> None:
        state = dumped(ingested[1])
        numbers = {order["order_no"]: order["order_id"] for order in state["orders"]}
        lines = [
            (numbers[x["order_no"]], x["line_id"], x["sku"], x["quantity"], x["unit_price_e4"], x["category"])
            for x in state["order_lines"]
        ]
        assert sorted(lines) == [
            ("536365", "1", "85123A", 6, 25_500, "lighting"),
            ("536365", "2", "71053", 4, 33_900, "lighting"),
            ("536365", "3", "85123A", 2, 25_500, "lighting"),
            ("536370", "1", "85123A", 3, 29_500, "lighting"),
            ("536371", "1", "22633", 5, 305, "kitchen"),
            ("536377", "1", "22633", 1, 10_000, "kitchen"),
        ]
        assert state["deliveries"] == state["verdicts"] == []

    def test_returns(self, ingested: tuple[IngestReport, Settings], dumped: Dump) -> None:
        returns = dumped(ingested[1])["returns"]
        assert sorted((r["return_id"], r["line_id"], r["quantity"]) for r in returns) == [
            ("C536379/536365", "1", 6),
            ("C536379/536365", "3", 2),
            ("C536379/536370", "1", 1),
            ("C536380/536365", "2", 3),
            ("C536381/536365", "2", 1),
        ]
        assert {(r["reason"], r["kind"], r["resolution"]) for r in returns} == {("other", "return", "refund")}

    def test_twice_changes_nothing(self, ingested: tuple[IngestReport, Settings], tmp_path: Path, dumped: Dump) -> None:
        before = dumped(ingested[1])
        report = retail(tmp_path / "retail.parquet", ingested[1], batch_rows=2)
        assert dumped(ingested[1]) == before
        assert all(counts.accepted == 0 for counts in report.tables.values())
        assert report.accounting == ingested[0].accounting


class TestBadLines:
    def test_lines_that_cannot_be_read_are_breaches(
        self, tmp_path: Path, settings: Settings, rejected: Callable[[IngestReport], list[dict[str, Any]]]
    ) -> None:
        rows = [
            "1,S1,TOY,1,2010-06-01 08:26:00,1.5,7,France",
            "2,S1,TOY,1,not a time,1.5,7,France",
            "3,S1,TOY,one,2010-06-01 08:26:00,1.5,7,France",
            "4,S1,TOY,1.5,2010-06-01 08:26:00,1.5,7,France",
            "5,S1,TOY,1,2010-06-01 08:26:00,1e400,7,France",
            ",S1,TOY,1,2010-06-01 08:26:00,1.5,7,France",
            "7,,TOY,1,2010-06-01 08:26:00,1.5,7,France",
            "8,S1,TOY,1,2010-06-01 08:26:00",
            '9,S1,"TOY,1,2010-06-01 08:26:00,1.5,7,France',
            "10,S1,TOY,1,2010-06-01 08:26:00,1.5,8,Atlantis",
        ]
        file = tmp_path / "set.csv"
        file.write_text("\n".join([",".join(FIRST), *rows]))
        report = retail(file, settings)
        assert report.accounting is not None
        assert_adds_up(report)
        assert (report.accounting.lines, report.accounting.ordered) == (10, 2)
        assert report.accounting.refused == {Cause.UNREADABLE: 8}
        assert (report.rejected, report.exit_status) == (8, 1)
        assert sorted(int(row["line"]) for row in rejected(report)) == [3, 4, 5, 6, 7, 8, 9, 10]
        assert any("Atlantis" in note for note in report.notes)
        told = {int(row["line"]): (row["column"], row["reason"]) for row in rejected(report)}
        assert told[3] == ("moment", "cannot be read: not a time such as 2010-12-01 08:26 or 12/1/2010 8:26")
        assert told[4] == told[5] == ("quantity", "cannot be read: not a whole number")
        assert told[6] == ("price", "cannot be read: not a number")
        assert told[7] == ("invoice", "cannot be read: missing")
        assert told[8] == ("item", "cannot be read: missing")
        as_read = {int(row["line"]): row["row"] for row in rejected(report)}
        assert (as_read[3]["moment"], as_read[4]["quantity"], as_read[6]["price"]) == ("not a time", "one", "1e400")

    def test_what_the_contract_refuses_is_a_breach_too(
        self, tmp_path: Path, settings: Settings, rejected: Callable[[IngestReport], list[dict[str, Any]]]
    ) -> None:
        lines: list[Line] = [
            ("1" * 201, "S1", "TOY", 1, at(1, 1), 1.0, 7, UK),
            ("2", "S1", "TOY", 200_000, at(1, 1), 1.0, 7, UK),
            ("3", "S\u202e1", "TOY", 1, at(1, 1), 1.0, 7, UK),
            ("4", "S1", "TOY", 1, datetime(2999, 1, 1), 1.0, 7, UK),  # noqa: DTZ001
            ("5", "S1", "TOY", 1, at(1, 1), 1.0, 8, UK),
            ("C2", "S1", "TOY", -5, at(1, 2), 1.0, 7, UK),
            ("C5", "S1", "TOY", -1, at(1, 2), 1.0, 8, UK),
        ]
        report = retail(write(tmp_path / "set.parquet", FIRST, lines), settings)
        assert report.accounting is not None
        assert_adds_up(report)
        assert (report.accounting.ordered, report.accounting.returned) == (1, 1)
        assert report.accounting.refused == {Cause.REFUSED: 5}
        assert report.exit_status == 1
        assert {int(row["line"]) for row in rejected(report)} == {1, 2, 3, 4, 6}
        assert {row["file"] for row in rejected(report)} == {"set.parquet"}


class TestFinding:
    def test_the_one_fitting_file_of_a_folder(self, tmp_path: Path, settings: Settings) -> None:
        folder = tmp_path / "data"
        folder.mkdir()
        write(folder / "set.csv", SECOND, [LINES[0][0]])
        (folder / "other.csv").write_text("a,b\n1,2\n")
        (folder / "broken.xlsx").write_text("no workbook")
        (folder / "broken.parquet").write_text("no parquet")
        (folder / "empty.csv").write_text("")
        pq.write_table(pa.table({"a": [1]}), folder / "other.parquet")
        report = retail(folder, settings)
        assert report.accounting is not None
        assert report.accounting.ordered == 1

    @pytest.mark.parametrize("names", [(), ("one.csv", "two.parquet")])
    def test_none_or_several(self, tmp_path: Path, settings: Settings, names: tuple[str, ...]) -> None:
        folder = tmp_path / "data"
        folder.mkdir()
        for name in names:
            write(folder / name, FIRST, [LINES[0][0]])
        with pytest.raises(IngestError, match="several files" if names else "no Parquet, CSV or Excel file"):
            retail(folder, settings)

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("set.csv", b"a,b\n1,2\n", "no column for country, customer"),
            ("set.csv", b"", "empty"),
            ("set.csv", b'"a,b\n1,2\n', "header cannot be read"),
            ("set.csv", ",".join(FIRST).encode(), "no lines"),
            ("set.xlsx", b"PK", "not an Excel file"),
            ("set.parquet", b"PAR1", "not a Parquet file"),
            ("set.txt", b"a", "is read from .parquet, .csv, .xlsx files"),
        ],
    )
    def test_another_file(self, tmp_path: Path, settings: Settings, name: str, content: bytes, reason: str) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(IngestError, match=reason):
            retail(tmp_path / name, settings)

    def test_a_workbook_without_the_columns(self, tmp_path: Path, settings: Settings) -> None:
        openpyxl.Workbook().save(tmp_path / "set.xlsx")
        with pytest.raises(IngestError, match="no sheet"):
            retail(tmp_path / "set.xlsx", settings)

    def test_nothing_there(self, tmp_path: Path, settings: Settings) -> None:
        with pytest.raises(IngestError, match="no such file or folder"):
            retail(tmp_path / "absent", settings)
        assert not settings.home.exists()


def test_countries_are_codes_of_two_capitals() -> None:
    codes = [code for code in COUNTRIES.values() if code]
    assert all(len(code) == 2 and code.isalpha() and code.isupper() for code in codes)
    assert len(set(codes)) == len(codes)

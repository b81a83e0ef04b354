"""`returnwise ingest`: tables of the contract, or another format through its adapter, into the ledger."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from rich.progress import Progress

from features.ledger.store import Ledger
from features.settings import Settings
from pipelines.ingest import rejects as rejects_file
from pipelines.ingest.adapters import ADAPTERS
from pipelines.ingest.batches import Source
from pipelines.ingest.checking import check
from pipelines.ingest.contract import TABLES, Table
from pipelines.ingest.csv_files import CsvSource
from pipelines.ingest.errors import IngestError
from pipelines.ingest.loading import Loader, collector_paused
from pipelines.ingest.parquet_files import ParquetSource
from pipelines.ingest.progress import advancing
from pipelines.ingest.rejects import RejectsFile
from pipelines.ingest.report import IngestReport, TableCounts

TABLES_FORMAT = "tables"
BATCH_ROWS = 50_000


def ingest(
    path: Path,
    *,
    settings: Settings,
    format: str = TABLES_FORMAT,
    rejects: Path | None = None,
    progress: Progress | None = None,
    batch_rows: int = BATCH_ROWS,
    now_us: int | None = None,
) -> IngestReport:
    """Ingests the tables in the folder `path`, or what an adapter finds there, and reports what became of every row.

    Each batch of `batch_rows` rows is one transaction: interrupted at any moment, it goes on where it was when it is
    run again, as rows that the ledger has already are counted and left alone. `now_us` (microseconds since 1970 UTC)
    stands in for the clock. Rejected rows go to the file `rejects`, by default a new one in the home.

    Raises:
        IngestError: nothing there to ingest, or a file that cannot be read; before anything is written if that shows
            in the files' headers.
        LedgerError: the ledger cannot be opened.
    """
    started = time.perf_counter()
    report = IngestReport()
    with ExitStack() as stack:
        stack.enter_context(collector_paused())
        if format == TABLES_FORMAT:
            sources = open_tables(path)
            for source in sources:
                stack.callback(source.close)
        elif format not in ADAPTERS:
            raise IngestError(f"no such format: {format}; there are {', '.join((TABLES_FORMAT, *ADAPTERS))}")
        elif not path.exists():
            raise IngestError(f"{path}: no such file or folder")
        ledger = Ledger.open(settings)
        stack.callback(ledger.close)
        refused = RejectsFile(rejects or rejects_file.default_path(settings))
        stack.callback(refused.close)
        loader = Loader(ledger, report, refused, now_us if now_us is not None else time.time_ns() // 1_000)
        if format == TABLES_FORMAT:
            for source in sources:
                _ingest_table(source, loader, batch_rows, progress)
        else:
            ADAPTERS[format](path, loader, progress, batch_rows)
    report.seconds = time.perf_counter() - started
    return report


def open_tables(folder: Path) -> list[Source]:
    """The folder's tables, opened and their headers checked, in the order of ingest.

    Raises:
        IngestError: no such folder, no orders, two files of one table, or a header that breaks the contract.
    """
    if not folder.is_dir():
        raise IngestError(f"{folder}: not a folder" if folder.exists() else f"{folder}: no such folder")
    files = [(table, file) for table in TABLES if (file := _file_of(folder, table))]
    if not any(table.name == "orders" for table, _ in files):
        raise IngestError(f"{folder}: no orders.csv or orders.parquet in this folder")
    sources: list[Source] = []
    try:
        for table, file in files:
            sources.append(CsvSource(file, table) if file.suffix == ".csv" else ParquetSource(file, table))
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources


def _file_of(folder: Path, table: Table) -> Path | None:
    found = [file for ending in (".csv", ".parquet") if (file := folder / f"{table.name}{ending}").exists()]
    if len(found) > 1:
        raise IngestError(f"{folder}: both {found[0].name} and {found[1].name} are there; keep one of them")
    return found[0] if found else None


def _ingest_table(source: Source, loader: Loader, batch_rows: int, progress: Progress | None) -> None:
    table = source.table
    loader.report.tables.setdefault(table.name, TableCounts())
    if source.unknown:
        loader.report.unknown_columns[source.path.name] = source.unknown
    with advancing(progress, table.name, source.size) as advance:
        for raw in source.batches(batch_rows):
            batch = check(table, source.path.name, raw)
            loader.append(table.name, batch.rows, batch.reject, batch.rejected)
            advance(raw.done)

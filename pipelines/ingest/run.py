"""`returnwise ingest`: tables of the contract, or another format through its adapter, into the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.progress import Progress

from features.ledger.store import Ledger
from features.settings import Settings
from pipelines.ingest import rejects as rejects_file
from pipelines.ingest.adapters import ADAPTERS
from pipelines.ingest.batches import Source, shown
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
_NAMED = 10  # files in a note


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
            report.notes += _left_aside(path, sources)
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
    files = [folder / f"{table.name}{ending}" for ending in (".csv", ".parquet")]
    found = [file for file in files if file.exists() or file.is_symlink()]  # a broken link is a table that is missing
    if len(found) > 1:
        raise IngestError(f"{folder}: both {found[0].name} and {found[1].name} are there; keep one of them")
    return found[0] if found else None


def _left_aside(folder: Path, sources: Sequence[Source]) -> list[str]:
    """Says which files of the folder are not read: one of them may be a table with a slip in its name."""
    read = {source.path.name for source in sources}
    others = [
        file.name
        for file in sorted(folder.iterdir())
        if file.is_file() and file.name not in read and not file.name.startswith(".")
    ]
    if not others:
        return []
    names = ", ".join(shown(name) for name in others[:_NAMED]) + (", ..." if len(others) > _NAMED else "")
    return [f"not the name of a table, ignored: {names}"]


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

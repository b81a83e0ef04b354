"""`returnwise score`: returns from a file, each assessed as of its own moment with the champion.

Features come from one reading of the ledger instead of one request after the other; model, reasons and policy are the
service's own code, so that risks are the same to the last bit.
"""

from __future__ import annotations

import csv
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress
from sqlalchemy.engine import Connection

from features.clock import SECOND, day_of
from features.errors import ReturnwiseError
from features.history import rows as query
from features.ledger.store import Ledger
from features.offline import Frames
from features.population import close_days
from features.request import FIELD_NAMES, KEYS, RequestRow, Stated, build_request_row
from features.settings import Settings
from pipelines.ingest.batches import Source, shown
from pipelines.ingest.checking import check
from pipelines.ingest.contract import RETURNS
from pipelines.ingest.csv_files import CsvSource
from pipelines.ingest.parquet_files import ParquetSource
from pipelines.ingest.progress import advancing
from serving.assessments.answer import Answerer
from serving.model.holder import champion_now
from serving.model.loaded import LoadedModel
from serving.policy.policy import default_policy
from serving.reasons.catalogue import default_catalogue
from serving.reasons.explain import Explainer

COLUMNS: Final = ("return_id", "risk", "risk_band", "action", "reasons", "model_version")
_READ_ROWS: Final = 50_000
_SKEW_US: Final = 60 * SECOND
_SHARED: Final = ("order_id", "requested_at")  # what all lines of a return must agree in


class ScoreError(ReturnwiseError):
    """The file cannot be scored; the message names the place. Nothing was written."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the file, and its line there."""

    line: int
    values: dict[str, Any]


@dataclass
class ScoreReport:
    """What was scored."""

    out: Path
    model_version: str
    bands: Counter[str] = field(default_factory=Counter)
    unknown_columns: tuple[str, ...] = ()
    seconds: float = 0.0
    exit_status: int = 0

    def lines(self) -> list[str]:
        """The report for people."""
        bands = ", ".join(f"{self.bands[band]:,} {band}" for band in ("low", "elevated", "high"))
        ignored = [f"columns that the contract does not have: {', '.join(self.unknown_columns)}"]
        return [
            f"{self.bands.total():,} returns assessed with version {self.model_version}: {bands}",
            f"written to {self.out} in {self.seconds:.1f} s",
            *(ignored if self.unknown_columns else []),
        ]


def score(settings: Settings, file: Path, out: Path, progress: Progress | None = None) -> ScoreReport:
    """Assess the returns in `file` (CSV or Parquet, in the form of the `returns` table) and write a row for each.

    Nothing is kept of it but `out`, which appears when it is complete.

    Raises:
        ScoreError: a row breaks the contract or does not fit the ledger, or a file cannot be read or written.
        IngestError: the header of the file breaks the contract.
    """
    began = time.perf_counter()
    _check_place(out, file)
    source = _open(file)
    try:
        returns = _read(source, progress)
    finally:
        source.close()
    model = champion_now(settings)
    report = ScoreReport(out, model.version, unknown_columns=source.unknown)
    ledger = Ledger.open(settings)
    try:
        results = _assess(ledger, file, returns, model, progress)
    finally:
        ledger.close()
    report.bands.update(result[2] for result in results)
    _write(out, results)
    report.seconds = time.perf_counter() - began
    return report


def _open(file: Path) -> Source:
    if _ending(file) == ".csv":
        return CsvSource(file, RETURNS)
    return ParquetSource(file, RETURNS)


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise ScoreError(f"{path}: the name must end in .csv or .parquet")
    return ending


def _check_place(out: Path, file: Path) -> None:
    """Before hours of work: whether `out` is a file that can be written and is not the one to read."""
    _ending(out)
    if out.exists() and file.exists() and out.samefile(file):
        raise ScoreError(f"{out}: is the file to read; name another one to write")
    folder = next(above for above in out.absolute().parents if above.exists())
    if out.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        cause = "is a folder" if out.is_dir() else f"{folder} is no folder that can be written to"
        raise ScoreError(f"{out}: cannot be written: {cause}")


def _read(source: Source, progress: Progress | None) -> dict[str, list[_Row]]:
    """The rows of each return, in the order in which returns first appear."""
    returns: dict[str, list[_Row]] = {}
    with advancing(progress, "reading", source.size) as advance:
        for raw in source.batches(_READ_ROWS):
            batch = check(RETURNS, str(source.path), raw)
            if batch.rejected:
                first = batch.rejected[0]
                raise _wrong(source.path, first.line, first.column, first.reason, more=len(batch.rejected) - 1)
            for position, values in zip(batch.positions, batch.rows, strict=True):
                row = _Row(raw.lines[position], values)
                returns.setdefault(values["return_id"], []).append(row)  # type: ignore[arg-type]
            advance(raw.done)
    now = time.time_ns() // 1_000
    return {return_id: _agree(source.path, lines, now) for return_id, lines in returns.items()}


def _agree(path: Path, lines: list[_Row], now: int) -> list[_Row]:
    """The lines of one return, which belong together; each once, as a row that is there again changes nothing."""
    first, kept = lines[0], dict[str, _Row]()
    if first.values["requested_at"] > now + _SKEW_US:
        raise _wrong(path, first.line, "requested_at", "lies in the future")
    for row in lines:
        for column in _SHARED:
            if row.values[column] != first.values[column]:
                raise _wrong(path, row.line, column, f"is not that of line {first.line}, which has the same return_id")
        before = kept.setdefault(str(row.values["line_id"]), row)
        if _content(before) != _content(row):
            place = f"is that of line {before.line}, which has the same return_id and other content"
            raise _wrong(path, row.line, "line_id", place)
    return list(kept.values())


def _content(row: _Row) -> dict[str, Any]:
    """What makes two rows of a line the same for ingest too."""
    usual = {"kind": "return", "recorded_at": None}
    return {
        name: usual.get(name) if value is None or name == "recorded_at" else value for name, value in row.values.items()
    }


def _assess(
    ledger: Ledger, file: Path, returns: dict[str, list[_Row]], model: LoadedModel, progress: Progress | None
) -> list[tuple[Any, ...]]:
    if not returns:
        return []
    latest = max(lines[0].values["requested_at"] for lines in returns.values())
    with ledger.write() as conn:
        close_days(conn, day_of(latest))
    explainer = Explainer(default_catalogue())
    answerer = Answerer(explainer, default_policy())
    with ledger.read() as conn:
        requests = list(_requests(conn, file, returns, progress))
        frame = pd.DataFrame.from_records(
            [(*(row.keys[key] for key in KEYS), *row.values) for row, _ in requests], columns=[*KEYS, *FIELD_NAMES]
        )
        names = list(returns)
        results: list[tuple[Any, ...]] = [()] * len(names)
        with advancing(progress, "assessing", len(names)) as advance:
            done = 0
            for numbers, vectors in Frames(conn).vectors(frame):
                for number, estimate in zip(numbers.tolist(), model.assess_many(vectors), strict=True):
                    row, stated = requests[number]
                    codes = ";".join(explainer.codes(estimate.contributions))
                    action = answerer.action(estimate, row, stated)
                    results[number] = (names[number], estimate.risk, estimate.band, action, codes, model.version)
                done += len(numbers)
                advance(done)
    return results


def _requests(
    conn: Connection, file: Path, returns: dict[str, list[_Row]], progress: Progress | None
) -> Iterator[tuple[RequestRow, Stated]]:
    with advancing(progress, "orders", len(returns)) as advance:
        for done, (return_id, lines) in enumerate(returns.items(), 1):
            yield _request(conn, file, return_id, lines)
            if done % 1_000 == 0:
                advance(done)


def _request(conn: Connection, file: Path, return_id: str, lines: list[_Row]) -> tuple[RequestRow, Stated]:
    """A return as the feature store takes it; what its lines differ in is told by the first of them."""
    head = lines[0]
    values = head.values
    order_id = str(values["order_id"])
    known = dict(
        query(
            conn,
            "SELECT l.line_id, l.quantity FROM order_lines l JOIN orders o ON o.order_no = l.order_no"
            " WHERE o.order_id = ?",
            (order_id,),
        )
    )
    order = query(conn, "SELECT ordered_at, customer_id FROM orders WHERE order_id = ?", (order_id,))
    if not order:
        raise _wrong(file, head.line, "order_id", f"the ledger has no order {shown(order_id)}")
    for row in lines:
        bought = known.get(row.values["line_id"])
        if bought is None:
            raise _wrong(file, row.line, "line_id", f"order {shown(order_id)} has no such line")
        if row.values["quantity"] > bought:
            raise _wrong(file, row.line, "quantity", f"more returned than the {bought} bought")
    ordered_at, buyer = order[0]
    if values["requested_at"] < ordered_at:
        raise _wrong(file, head.line, "requested_at", "lies before the order")
    returner = query(conn, "SELECT customer_id FROM returns WHERE return_id = ? LIMIT 1", (return_id,))
    stated = Stated(
        values["requested_at"],
        values["reason"],
        values.get("kind") or "return",
        values.get("resolution"),
        values.get("tender"),
        values.get("channel"),
        values.get("proof_of_purchase"),
    )
    returned = {str(row.values["line_id"]): int(row.values["quantity"]) for row in lines}
    return build_request_row(conn, order_id, returned, stated, (returner[0][0] if returner else None) or buyer), stated


def _wrong(path: Path, line: int, column: str, reason: str, *, more: int = 0) -> ScoreError:
    others = f" (and {more:,} more rows)" if more else ""
    return ScoreError(f"{path}, line {line}{f', {column}' if column else ''}: {reason}{others}; nothing was written")


def _write(out: Path, results: list[tuple[Any, ...]]) -> None:
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            if _ending(out) == ".csv":
                with draft.open("w", encoding="utf-8", newline="") as stream:
                    csv.writer(stream).writerows([COLUMNS, *results])
            else:
                columns = list(zip(*results, strict=True)) or [()] * len(COLUMNS)
                types = [pa.string(), pa.float64(), *[pa.string()] * 4]
                arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
                pq.write_table(pa.table(dict(zip(COLUMNS, arrays, strict=True))), draft)
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ScoreError(f"{out}: cannot be written: {error.strerror or error}") from error

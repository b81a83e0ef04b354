"""Appends checked rows to the ledger, one transaction per batch, and keeps the counts."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from features.clock import day_of
from features.ledger.append import Outcome, append_rows
from features.ledger.store import Ledger
from features.ledger.tables import ledger_meta
from pipelines.ingest.errors import IngestError
from pipelines.ingest.rejects import Rejected, RejectsFile
from pipelines.ingest.report import IngestReport, TableCounts, cause


class Loader:
    """Brings batches of rows into the ledger. What a batch brought is durable when `append` returns."""

    def __init__(self, ledger: Ledger, report: IngestReport, rejects: RejectsFile, now_us: int) -> None:
        self.report = report
        self._ledger = ledger
        self._rejects = rejects
        self._now_us = now_us

    def append(
        self,
        table: str,
        rows: list[dict[str, object]],
        locate: Callable[[int, str, str], Rejected],
        rejected: Sequence[Rejected] = (),
    ) -> None:
        """Appends `rows`; those that the ledger refuses join `rejected` in the rejects file.

        `locate` makes the rejects line of a row from its index, the column at fault and the reason.

        Raises:
            IngestError: the ledger cannot be written now; nothing of this batch is in it.
        """
        counts = self.report.tables.setdefault(table, TableCounts())
        refused: list[Rejected] = []
        if rows:
            outcome = self._append(table, rows)
            counts.accepted += outcome.accepted
            counts.duplicates += outcome.duplicates
            refused = [locate(reject.index, reject.column, reject.reason) for reject in outcome.rejects]
        counts.read += len(rows) + len(rejected)
        counts.rejected += len(rejected) + len(refused)
        self.refuse(rejected)
        self.refuse(refused)
        gc.collect(1)  # what the batch left behind: see `collector_paused`

    def _append(self, table: str, rows: list[dict[str, object]]) -> Outcome:
        try:
            with self._ledger.write() as conn:
                hasher = self._ledger.hasher
                outcome = append_rows(conn, table, rows, live=False, now_us=self._now_us, hasher=hasher)
                if outcome.earliest_recorded_us is not None:
                    _reopen(conn, day_of(outcome.earliest_recorded_us))
        except OperationalError as error:  # the disk is full, somebody else holds the ledger, the server is gone
            raise IngestError(
                f"the ledger cannot be written: {error.orig}; what was appended before stays, run it again to go on"
            ) from error
        return outcome

    def refuse(self, refused: Sequence[Rejected], *, expected: bool = False) -> None:
        """Writes rows to the rejects file; `expected` ones are accounted for elsewhere and are no breach."""
        self._rejects.write(refused)
        if refused:
            self.report.rejects_file = Path(self._rejects.path)
        if not expected:
            for reject in refused:
                self.report.causes[cause(reject)] += 1


@contextmanager
def collector_paused() -> Iterator[None]:
    """Holds Python's cycle collector, which spends a fifth of an ingest walking rows that hold no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _reopen(conn: sa.Connection, first_day: int) -> None:
    """If the new rows change days whose pooled rates are settled, takes those back and tells every cache (`epoch`)."""
    open_day = conn.execute(sa.select(ledger_meta.c.value).where(ledger_meta.c.name == "open_day")).scalar()
    if open_day is None or first_day >= open_day:
        return
    from features import population

    population.reopen(conn, first_day)
    is_epoch = ledger_meta.c.name == "epoch"
    changed = conn.execute(sa.update(ledger_meta).where(is_epoch).values(value=ledger_meta.c.value + 1))
    if changed.rowcount == 0:
        conn.execute(sa.insert(ledger_meta).values(name="epoch", value=1))

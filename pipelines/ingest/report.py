"""What an ingest did, in numbers that add up."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelines.ingest.rejects import Rejected

_MOST_CAUSES: Final = 20
#: What differs from row to row in a reason: quoted ids, times and places. Without them, reasons can be counted.
_VALUES: Final = re.compile(r"""'(?:[^'\\]|\\.)*'(?:\.\.\.')?|\b\d{4}-\d\d-\d\dT[\d:]+Z|(?<=\bline )\d+\b""")

Causes = Counter[tuple[str, str, str]]  # (file, column, reason) of rejected rows


def cause(reject: Rejected) -> tuple[str, str, str]:
    """File, column and reason of a refused row, without what is its alone: many rows may share one.

    >>> cause(Rejected("orders.csv", 7, "order_id", "unknown order 'O-1'", {}))
    ('orders.csv', 'order_id', 'unknown order ...')
    """
    return reject.file, reject.column, _VALUES.sub("...", reject.reason)


def refused_lines(causes: Causes, rejects_file: Path | None) -> list[str]:
    """What was refused and why, the commonest causes first, and where the rows are; empty if nothing was."""
    out = []
    for (file, column, reason), count in causes.most_common(_MOST_CAUSES):
        out.append(f"{count:,} rejected: {file}{f', {column}' if column else ''}: {reason}")
    if len(causes) > _MOST_CAUSES:
        out.append(f"... and {len(causes) - _MOST_CAUSES} other causes")
    if rejects_file is not None:
        out.append(f"refused rows, with line and reason: {rejects_file}")
    return out


@dataclass
class TableCounts:
    """Rows of one table: read = accepted + duplicates + rejected."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Accounting:
    """What became of every line of another format than the contract: lines = ordered + returned + all refused."""

    lines: int
    ordered: int
    returned: int
    refused: dict[str, int]  # by cause
    details: dict[str, int]  # how many rows the lines became, and what else is worth knowing

    def rows(self) -> list[tuple[str, int]]:
        """Labels and counts, as they are shown."""
        return [
            ("lines in", self.lines),
            ("ordered", self.ordered),
            ("returned", self.returned),
            *((f"refused: {cause}", count) for cause, count in self.refused.items()),
            *self.details.items(),
        ]


@dataclass
class IngestReport:
    """What was read, what is new in the ledger, what it had already, and what was refused and why."""

    tables: dict[str, TableCounts] = field(default_factory=dict)
    unknown_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by file
    causes: Causes = field(default_factory=Counter)
    rejects_file: Path | None = None
    accounting: Accounting | None = None  # of an adapter
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Rows read over all tables."""
        return sum(counts.read for counts in self.tables.values())

    @property
    def rejected(self) -> int:
        """Rows refused because they break the contract."""
        return sum(self.causes.values())

    @property
    def complete(self) -> bool:
        """Whether everything asked for was done: no row was refused."""
        return not self.causes

    @property
    def exit_status(self) -> int:
        """0 if no row was refused, else 1 (the other rows are in the ledger)."""
        return 0 if self.complete else 1

    def lines(self) -> list[str]:
        """The report as lines of plain text."""
        out = [f"{'table':<12} {'read':>11} {'new':>11} {'known':>11} {'rejected':>9}"]
        for name, counts in self.tables.items():
            out.append(
                f"{name:<12} {counts.read:>11,} {counts.accepted:>11,} {counts.duplicates:>11,} {counts.rejected:>9,}"
            )
        if self.accounting:
            width = max(len(text) for text, _ in self.accounting.rows())
            out += ["", *(f"{text:<{width}} {count:>11,}" for text, count in self.accounting.rows()), ""]
        out += self.notes
        for file, columns in self.unknown_columns.items():
            out.append(f"{file}: columns not in the contract, ignored: {', '.join(columns)}")
        out += refused_lines(self.causes, self.rejects_file)
        if self.seconds > 0:
            out.append(f"{self.rows:,} rows in {self.seconds:.1f} s ({self.rows / self.seconds:,.0f} rows/s)")
        return out

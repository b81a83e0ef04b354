"""Files of returns, and what comes of scoring them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.score import ScoreReport, score
from serving.clock import iso
from tests.support.history import made_up_history
from tests.support.service import CUSTOMERS, ORDERS_EACH, settings_of

RETURNS = made_up_history(CUSTOMERS, ORDERS_EACH)["returns"]
#: An order of three lines, `a`, `b` and `c`, two pieces each.
ORDER = "wide-order"
HEADER = ["return_id", "order_id", "line_id", "requested_at", "quantity", "reason", "kind"]


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


@dataclass(frozen=True)
class Scored:
    """What came of one file."""

    report: ScoreReport
    out: Path
    results: list[dict[str, str]]
    rejects: list[dict[str, str]]


class Scoring:
    """Scores rows of returns, always from and to the same files."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._home = home
        self._folder = folder
        self.rejects_path = folder / "refused.csv"

    def __call__(self, content: list[list[Any]]) -> Scored:
        file, out = write(self._folder / "returns.csv", content), self._folder / "out.csv"
        report = score(settings_of(self._home), file, out, rejects=self.rejects_path)
        rejects = read(self.rejects_path) if report.rejects_file else []
        return Scored(report, out, read(out), rejects)


def place(reject: dict[str, str]) -> str:
    """A line of the rejects file as a person would tell it."""
    column = f", {reject['column']}" if reject["column"] else ""
    return f"line {reject['line']}{column}: {reject['reason']}"

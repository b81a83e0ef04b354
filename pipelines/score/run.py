"""Assesses the returns of a file and writes what came out.

Features come from one reading of the ledger instead of one request after the other; model, reasons and policy are the
service's own code, so that risks are the same to the last bit.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from rich.progress import Progress

from features.clock import day_of
from features.ledger.append.batch import CLOCK_SKEW_US
from features.ledger.store import Ledger
from features.offline import Frames
from features.population import close_days
from features.request import FIELD_NAMES, KEYS, RequestRow
from features.settings import Settings
from pipelines.ingest import rejects as rejects_file
from pipelines.ingest.progress import advancing
from pipelines.ingest.rejects import RejectsFile
from pipelines.ingest.report import Causes, cause, refused_lines
from pipelines.score.errors import ScoreError
from pipelines.score.fitting import refuse_unfit, requests
from pipelines.score.reading import Returns, open_returns, read_returns
from pipelines.score.refusals import Refusals
from pipelines.score.writing import Result, check_out, check_writable, same_file, write_results
from serving.model.holder import champion_now
from serving.model.loaded import LoadedModel
from serving.policy.asked import Asked
from serving.policy.source import in_force
from serving.reasons.catalogue import default_catalogue
from serving.reasons.explain import Explainer

_FRAME_ROWS: Final = 20_000  # returns that are held in Python before they become columns


@dataclass
class ScoreReport:
    """What was assessed, and what was refused and why."""

    out: Path
    model_version: str
    bands: Counter[str] = field(default_factory=Counter)
    unknown_columns: tuple[str, ...] = ()
    not_assessed: int = 0  # returns with a refused row
    causes: Causes = field(default_factory=Counter)
    rejects_file: Path | None = None
    seconds: float = 0.0

    @property
    def rejected(self) -> int:
        """Rows refused, for themselves or with their return."""
        return sum(self.causes.values())

    @property
    def exit_status(self) -> int:
        """0 if every row was assessed, else 1 (the other returns are in `out`)."""
        return 1 if self.causes else 0

    def lines(self) -> list[str]:
        """The report for people."""
        bands = ", ".join(f"{self.bands[band]:,} {band}" for band in ("low", "elevated", "high"))
        ignored = [f"columns not in the contract, ignored: {', '.join(self.unknown_columns)}"]
        refused = [f"returns not assessed: {self.not_assessed:,}; rows refused: {self.rejected:,}"]
        return [
            f"{self.bands.total():,} returns assessed with version {self.model_version}: {bands}",
            f"written to {self.out} in {self.seconds:.1f} s",
            *(ignored if self.unknown_columns else []),
            *(refused if self.causes else []),
            *refused_lines(self.causes, self.rejects_file),
        ]


def score(
    settings: Settings, file: Path, out: Path, progress: Progress | None = None, *, rejects: Path | None = None
) -> ScoreReport:
    """Assess the returns in `file` (CSV or Parquet, in the form of the `returns` table) and write a row for each.

    A return with a row that breaks the contract, contradicts another of its rows or does not fit the ledger is refused
    whole: all its rows go to the file `rejects`, by default a new one in the home, and the other returns are assessed.
    Nothing else is kept but `out`, which appears when it is complete; if every return is refused, it holds none.

    Raises:
        ScoreError: `file`, `out` or `rejects` has a name or place that will not do, or `out` cannot be written.
        IngestError: `file` cannot be read, its header breaks the contract, or `rejects` is some other file.
        ReturnwiseError: there is no champion.
    """
    began = time.perf_counter()
    check_out(out, file)
    if rejects is not None:
        _check_rejects(rejects, out, file)
    latest = time.time_ns() // 1_000 + CLOCK_SKEW_US
    with ExitStack() as stack:
        source = open_returns(file)
        stack.callback(source.close)
        model = champion_now(settings)
        report = ScoreReport(out, model.version, unknown_columns=source.unknown)
        returns = read_returns(source, latest, progress)
        ledger = Ledger.open(settings)
        stack.callback(ledger.close)
        with ledger.read() as conn:
            refuse_unfit(conn, returns, progress)
        returns.drop_refused()
        report.not_assessed = returns.not_assessed
        results = _assess(ledger, returns, model, progress)
    # before `out`, so that whoever finds that one complete finds this one complete, too
    _write_refused(returns.refusals, rejects or rejects_file.default_path(settings), report)
    write_results(out, results)
    report.bands.update(result.risk_band for result in results)
    report.seconds = time.perf_counter() - began
    return report


def _check_rejects(rejects: Path, out: Path, file: Path) -> None:
    for other, name in ((out, "the file to write"), (file, "the file to read")):
        if same_file(rejects, other):
            raise ScoreError(f"{rejects}: is {name}; name another one for refused rows")
    check_writable(rejects)
    rejects_file.check_name(rejects)


def _write_refused(refusals: Refusals, path: Path, report: ScoreReport) -> None:
    refused = RejectsFile(path)
    try:
        for batch in refusals.batches():
            refused.write(batch)
            report.causes.update(map(cause, batch))
            report.rejects_file = path
    finally:
        refused.close()


def _assess(ledger: Ledger, returns: Returns, model: LoadedModel, progress: Progress | None) -> list[Result]:
    if not returns.rows:
        return []
    latest = max(rows[0].requested_at for rows in returns.rows.values())
    with ledger.write() as conn:
        close_days(conn, day_of(latest))
    explainer = Explainer(default_catalogue())
    with ledger.read() as conn:
        policy = in_force(conn)
        frame = _frame(requests(conn, returns, progress))
        names, asked = list(frame["return_id"]), Asked(conn, frame)
        found: dict[int, Result] = {}
        with advancing(progress, "assessing", len(names)) as advance:
            for numbers, vectors in Frames(conn).vectors(frame):
                for number, estimate in zip(numbers.tolist(), model.assess_many(vectors), strict=True):
                    action = policy.decide(
                        asked.facts(number, estimate.risk, estimate.band, estimate.sufficient)
                    ).action
                    codes = ";".join(explainer.codes(estimate.contributions))
                    found[number] = Result(names[number], estimate.risk, estimate.band, action, codes, model.version)
                advance(len(found))
    return [found[number] for number in range(len(names))]


def _frame(asked: Iterator[tuple[str, RequestRow]]) -> pd.DataFrame:
    """The requests as columns, made in parts: as Python objects all of them would take several times the memory."""
    text = pd.StringDtype("pyarrow")
    parts: list[pd.DataFrame] = []
    while chunk := list(islice(asked, _FRAME_ROWS)):
        data: dict[str, Any] = {"return_id": pd.array([return_id for return_id, _ in chunk], dtype=text)}
        data |= {key: pd.array([row.keys[key] for _, row in chunk], dtype=text) for key in KEYS}
        values = np.array([row.values for _, row in chunk], dtype=np.int64)
        data |= {name: values[:, at] for at, name in enumerate(FIELD_NAMES)}
        parts.append(pd.DataFrame(data))
    return pd.concat(parts, ignore_index=True)

"""`returnwise compare`: from the ledger to the page and the MLflow run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.progress import Progress

from features.ledger.store import Ledger
from features.settings import Settings
from pipelines.compare import pictures, report
from pipelines.compare.comparison import Comparison, Counts, conclude
from pipelines.compare.figures import Floats, agreement, difference
from pipelines.compare.page import write
from pipelines.compare.reading import Assessed, read_assessed
from pipelines.compare.versions import CompareError, challenger_of, learned_until, load, unfit_cause
from pipelines.ingest.progress import advancing
from serving.model.registry import Registry
from serving.shadow.model import VectorModel
from training.dataset import ESTIMATE_CLIP, day
from training.evaluation.metrics import Ranked
from training.labels import effective_size, weights
from training.registry import tracking
from training.registry.tracking import mlflow


@dataclass(frozen=True)
class CompareReport:
    """A comparison, its page, and the run that holds both."""

    comparison: Comparison
    page: Path
    run_id: str

    def lines(self) -> list[str]:
        """The report for people."""
        return [*report.lines_of(self.comparison), f"written to {self.page}"]


def compare(settings: Settings, since: datetime | None = None, progress: Progress | None = None) -> CompareReport:
    """Compare champion and challenger on the assessments requested since a moment (UTC), with the labels known by now.

    Without `since`, on those requested after the training of both had ended: none of them can have learned from what
    came of these. The page goes to the folder `compare` of the home.

    Raises:
        RegistryError: the registry does not answer, or has no champion.
        CompareError: there is no challenger, or there are no assessments.
    """
    registry = Registry(settings)
    named = challenger_of(registry)
    champion, challenger = load(registry, registry.champion()), load(registry, named)
    if champion.version == challenger.version:
        raise CompareError(f"version {champion.version} is champion and challenger: there is nothing to compare")
    fair = max(learned_until(champion), learned_until(challenger))
    after = fair if since is None else _microseconds(since) - 1
    with advancing(progress, "comparing", 1):
        ledger = Ledger.open(settings)
        try:
            with ledger.read() as conn:
                assessed = read_assessed(conn, champion, challenger, after)
        finally:
            ledger.close()
        if assessed.frame.empty:
            raise CompareError(_nothing(assessed, after, f"versions {champion.version} and {challenger.version}"))
        made, labelled = _compared(assessed, champion, challenger, fair, unfit_cause(registry, named))
        folder = settings.home / "compare" / f"{made.challenger}-against-{made.champion}"
        _draw(folder, made, assessed.frame, labelled)
        page = write(folder, report.title_of(made), report.blocks_of(made))
        run_id = _log(settings, made, folder)
    return CompareReport(made, page, run_id)


@dataclass(frozen=True)
class _Labelled:
    """The labelled returns in the order of both versions, as they are and weighted to stand for all."""

    raw: tuple[Ranked, Ranked]
    weighted: tuple[Ranked, Ranked]
    customers: npt.NDArray[np.object_]

    @classmethod
    def of(cls, known: pd.DataFrame) -> _Labelled:
        y, risks = _column(known, "label"), (_column(known, "champion"), _column(known, "challenger"))
        weight = weights(_column(known, "propensity"), clip=ESTIMATE_CLIP)

        def both(weight: Floats) -> tuple[Ranked, Ranked]:
            return Ranked(y, risks[0], weight), Ranked(y, risks[1], weight)

        return cls(both(np.ones(len(y))), both(weight), known["customer_id"].to_numpy(dtype=object))


def _compared(
    assessed: Assessed, champion: VectorModel, challenger: VectorModel, fair: int, unfit: str | None
) -> tuple[Comparison, _Labelled | None]:
    """The comparison, and the labelled returns if there are some with and some without a finding."""
    frame = assessed.frame
    counts, labelled = _counts(assessed, fair), None
    if 0 < counts.positives < counts.labelled:
        labelled = _Labelled.of(frame[frame["label"].notna()])
    bands = champion.model.card.bands, challenger.model.card.bands
    made = Comparison(
        champion=champion.version,
        challenger=challenger.version,
        since=int(frame["requested_at"].min()),
        until=int(frame["requested_at"].max()),
        counts=counts,
        raw=difference(*labelled.raw, labelled.customers) if labelled else {},
        weighted=difference(*labelled.weighted, labelled.customers) if labelled else {},
        agreement=agreement(_column(frame, "champion"), _column(frame, "challenger"), bands),
        unfit=unfit,
    )
    return made, labelled


def _counts(assessed: Assessed, fair: int) -> Counts:
    frame = assessed.frame
    known = frame[frame["label"].notna()]
    odds = _column(known, "propensity")
    return Counts(
        assessments=len(frame),
        computed=assessed.computed,
        left_out=assessed.left_out,
        learned_from=int((frame["requested_at"] <= fair).sum()),
        labelled=len(known),
        positives=int(_column(known, "label").sum()),
        with_odds=int(np.isfinite(odds).sum()),
        effective=effective_size(weights(odds, clip=ESTIMATE_CLIP)),
        triggers={str(why): int(n) for why, n in known["trigger"].fillna("not recorded").value_counts().items()},
    )


def _column(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(dtype=np.float64)


def _draw(folder: Path, made: Comparison, frame: pd.DataFrame, labelled: _Labelled | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = (f"version {made.champion} (champion)", f"version {made.challenger} (challenger)")
    pictures.draw_agreement(folder / report.AGREEMENT, frame, names)
    if labelled is not None:
        path = folder / report.PRECISION
        pictures.draw_precision(path, *labelled.weighted, names)


def _log(settings: Settings, made: Comparison, folder: Path) -> str:
    """Everything to MLflow. Gives the id of the run."""
    with tracking.run(settings, "compare") as run:
        versions = {"champion": made.champion, "challenger": made.challenger}
        mlflow.log_params(versions | {"since": day(made.since), "until": day(made.until)})
        figures = report.metrics_of(made)
        mlflow.log_metrics({name: value for name, value in figures.items() if math.isfinite(value)})
        mlflow.set_tag("conclusion", conclude(made).sentence)
        mlflow.log_artifacts(str(folder), "compare")
        return str(run.info.run_id)


def _nothing(assessed: Assessed, after: int, names: str) -> str:
    if assessed.left_out:
        return (
            f"another version of the features made the vectors of all {assessed.left_out:,} assessments since "
            f"{day(after + 1)}: {names} cannot be compared on them"
        )
    return f"there are no assessments since {day(after + 1)} on which to compare {names}"


def _microseconds(moment: datetime) -> int:
    since = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)

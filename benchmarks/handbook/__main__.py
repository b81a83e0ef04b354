"""Features, trainer and calibration of this project on the card payments of a book, by the book's own protocol.

*Reproducible Machine Learning for Credit Card Fraud Detection*: its published results stand in the same tables. The
single split trains on 2018-07-25 to 07-31 and tests on 08-08 to 08-14; the prequential one does the same from 08-15,
08-08, 08-01 and 07-25 on.

Nothing was chosen on the test days. On the four earlier folds (trained from 07-11, 07-04, 06-27 and 06-20) was chosen:
what the model sees (`signals.OWN`), from which multiple of the usual amount a payment counts as large and up to which
as usual (`declarations.LARGE`, `declarations.USUAL`), that no direction is forced on any feature, and of the trees'
parameters two (`learn.CHOSEN`). `python -m benchmarks.handbook.choices` measures the alternatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.common import arguments, finish, say, show
from benchmarks.handbook import learn, protocol, published, signals
from benchmarks.handbook.payments import Payments, read
from benchmarks.handbook.table import Table, table
from features.signals import ModelFeature
from training.evaluation.metrics import calibration_error

FILE: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fdh_simulated_transactions.parquet"
_SETS: Final[dict[str, tuple[ModelFeature, ...]]] = {"the book's": signals.BOOK, "own": signals.OWN}


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(__doc__ or "", data=(Path, FILE, "the book's payments, one Parquet file"))
    payments = payments_of(options.data)
    folds = [protocol.fold(payments, day) for day in ([protocol.SINGLE] if options.quick else protocol.TEST_FOLDS)]
    single = folds[-1]
    counts = _checked(single.counts(payments))
    say(f"{len(payments):,} payments; folds to train and test: {len(folds)}")
    known = table(payments, protocol.rows_of(folds))
    found = {name: [_measured(payments, known, fold, features) for fold in folds] for name, features in _SETS.items()}
    result: dict[str, Any] = {
        "benchmark": "handbook",
        "counts": counts,
        "single": _beside("Single split", published.SINGLE, {name: rows[-1] for name, rows in found.items()}),
    }
    if not options.quick:
        means = {name: _mean(rows) for name, rows in found.items()}
        for name, rows in found.items():
            show(f"Each fold, {name} features", [_line(row) for row in (*rows, means[name])])
        result["prequential"] = _beside("Prequential, means over four folds", published.PREQUENTIAL, means)
        result["folds"] = found
    finish(result)


def payments_of(path: Path) -> Payments:
    """The payments of the file; without it the run ends, saying so."""
    if not path.is_file():
        raise SystemExit(f"the book's payments are missing: no file {path} (--data names another)")
    return read(path)


def _checked(counts: dict[str, int]) -> dict[str, int]:
    """Ends the run unless the single split has the rows and frauds that the book had."""
    show("Rows of the single split", [{"": "published", **protocol.SINGLE_COUNTS}, {"": "here", **counts}])
    if counts != protocol.SINGLE_COUNTS:
        raise SystemExit("these are not the published rows: another file, or another protocol")
    return counts


def _measured(
    payments: Payments, known: Table, fold: protocol.Fold, features: Sequence[ModelFeature]
) -> dict[str, Any]:
    score = learn.scores(payments, known, fold, features)
    risk = learn.risks(payments, known, fold, features, score)
    fraud = payments.fraud[fold.test].astype(np.float64)
    return {
        "trained_from": fold.train_from.isoformat(),
        **protocol.figures(payments, fold.test, score),
        "share_of_frauds": float(fraud.mean()),
        "mean_risk": float(risk.mean()),
        "calibration_error": calibration_error(fraud, risk, np.ones(len(risk))),
    }


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = [name for name in rows[0] if name != "trained_from"]
    return {"trained_from": "mean", **{name: float(np.mean([row[name] for row in rows])) for name in names}}


def _line(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as text: figures of merit with three decimals, as the book prints them, probabilities with five."""
    return {
        name.replace("_", " "): value if isinstance(value, str) else f"{value:.{3 if name in protocol.FIGURES else 5}f}"
        for name, value in row.items()
    }


def _beside(title: str, theirs: Sequence[published.Published], ours: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Shows the published rows and ours in one table; gives both for the result."""
    rows = [{"": row.model, **{name: getattr(row, name) for name in protocol.FIGURES}} for row in theirs]
    rows += [{"": f"here, {name} features", **{n: row[n] for n in protocol.FIGURES}} for name, row in ours.items()]
    show(title, [{n: "" if v is None else v if n == "" else f"{v:.3f}" for n, v in row.items()} for row in rows])
    return {"published": [vars(row) for row in theirs], "best_published": published.best(theirs), "here": ours}


if __name__ == "__main__":
    main()

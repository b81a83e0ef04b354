"""What was chosen, and by which figures: the alternatives on the four folds before the test folds.

`python -m benchmarks.handbook.choices`. The test folds are not looked at. Differences of a few thousandths are chance;
of alternatives that close the simpler was taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import arguments, finish, show
from benchmarks.handbook import learn, protocol, signals
from benchmarks.handbook.__main__ import FILE, payments_of
from benchmarks.handbook.table import table
from features.signals import ModelFeature
from training.model import Recipe

Alternative = tuple[tuple[ModelFeature, ...], Recipe]


def alternatives() -> dict[str, Alternative]:
    """Features and recipe of each, the chosen one first."""
    own, chosen = signals.OWN, learn.CHOSEN
    both = {feature.name: feature for feature in (*own, *signals.BOOK)}

    def without(*starts: str) -> Alternative:
        return tuple(feature for feature in own if not feature.name.startswith(starts)), chosen

    return {
        "chosen": (own, chosen),
        "the book's features": (signals.BOOK, chosen),
        "own and the book's": (tuple(both.values()), chosen),
        "without days at the terminal": without("terminal_days"),
        "without counts at the terminal": without("terminal_known", "terminal_usual"),
        "without large payments before": without("customer_level", "customer_large"),
        "thresholds drawn, 127 bins: the default": (own, Recipe()),
        "thresholds searched, 127 bins": (own, learn.recipe(extra_trees=False)),
        "1023 bins": (own, learn.recipe(extra_trees=False, max_bin=1023)),
        "all features for each tree": (own, learn.recipe(extra_trees=False, max_bin=511, feature_fraction=1.0)),
        "31 leaves": (own, learn.recipe(extra_trees=False, max_bin=511, num_leaves=31, max_depth=8)),
    }


def main() -> None:
    """Measures every alternative on the earlier folds."""
    options = arguments(__doc__ or "", data=(Path, FILE, "the book's payments, one Parquet file"))
    payments = payments_of(options.data)
    folds = [protocol.fold(payments, day) for day in protocol.EARLIER_FOLDS[: 1 if options.quick else None]]
    known = table(payments, protocol.rows_of(folds))
    found: dict[str, dict[str, Any]] = {}
    for name, (features, recipe) in alternatives().items():
        each = [
            protocol.figures(payments, fold.test, learn.scores(payments, known, fold, features, recipe))
            for fold in folds
        ]
        found[name] = {
            **{figure: float(np.mean([one[figure] for one in each])) for figure in protocol.FIGURES},
            "ap_of_folds": [one["ap"] for one in each],
        }
        show("Means over the earlier folds", [_line(*item) for item in found.items()])
    finish({"benchmark": "handbook.choices", "alternatives": found})


def _line(name: str, row: dict[str, Any]) -> dict[str, str]:
    each = " ".join(f"{value:.3f}" for value in row["ap_of_folds"])
    return {"": name, **{figure: f"{row[figure]:.4f}" for figure in protocol.FIGURES}, "ap of each fold": each}


if __name__ == "__main__":
    main()

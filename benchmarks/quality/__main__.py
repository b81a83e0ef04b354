"""This model, simpler ones, and ceilings, on a simulated shop whose truth is known.

`returnwise train --until` learns from the first three quarters of the shop's time, as labels were known then. All
returns of the last quarter are judged against the truth, checked or not. Beside it: the rules and the logistic
regression of the model card, LightGBM on plain customer aggregates (`benchmarks.quality.plain`), and two ceilings that
are given the truth of every earlier return: the plain model's and ours.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.common import arguments, finish, say, show, simulator_settings
from benchmarks.quality import plain
from benchmarks.quality.segments import false_positive_rates
from benchmarks.quality.shop import Shop, open_shop
from features.risk_model import probabilities
from features.service import MODEL_FEATURES
from training.dataset import assemble, split
from training.evaluation.baselines import baselines
from training.evaluation.intervals import Resampled, calibration_by_chance, resample
from training.evaluation.metrics import Ranked, looked_at
from training.model import Recipe, fit_trees, raw_scores
from training.registry.versions import load
from training.run import train
from training.table import read_history, training_rows

Floats = npt.NDArray[np.float64]

_SHOWN: Final = ("average_precision", "auc", "precision_at_1", "precision_at_2", "precision_at_5", "value_at_2")
_KIND_SHARES: Final = (0.02, 0.05)
_FLAGGED: Final = 0.02
_FEW: Final = 200


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(
        __doc__,
        customers=(int, 20_000, "customers of the shop"),
        days=(int, 730, "length of its history"),
        seed=(int, 101, "seed of the simulator"),
        settings=(str, "", "settings of the simulator, as name=value,name=value"),
    )
    customers = 3_000 if options.quick else options.customers
    home = options.home or Path(tempfile.mkdtemp(prefix="returnwise-quality-"))
    say(f"a shop of {customers:,} customers, {options.days} days, seed {options.seed} {options.settings}")
    shop = open_shop(
        home, customers=customers, days=options.days, seed=options.seed, settings=simulator_settings(options.settings)
    )
    risks, facts = _risks(shop)
    later = shop.table[shop.later].reset_index(drop=True)
    truth, value = later["abusive"].to_numpy(dtype=np.float64), later["request_value"].to_numpy(dtype=np.float64)
    ranked = {name: Ranked(truth, risk, np.ones(len(truth)), value / 100) for name, risk in risks.items()}
    judged = resample(ranked, later["customer_id"].to_numpy(dtype=object))
    ours = judged["returnwise"]
    rates = false_positive_rates(later, risks["returnwise"], _FLAGGED)
    kinds = _kinds(later, risks)
    result = {
        "benchmark": "quality",
        "customers": customers,
        "days": options.days,
        "seed": options.seed,
        "settings": options.settings,
        **facts,
        "models": {name: dict(of.estimate) for name, of in judged.items()},
        "kinds": kinds,
        "segments": rates,
        "mean_risk": ours.estimate["mean_risk"],
        "base_rate": ours.estimate["base_rate"],
        "calibration_error": ours.estimate["calibration_error"],
        "calibration_error_by_chance": calibration_by_chance(ranked["returnwise"]),
        "aims": _aims(judged, rates),
    }
    show(
        "Judged on all later returns, with ranges over resamples of customers",
        [_row(n, of) for n, of in judged.items()],
    )
    show(f"Of each kind of abuse, the share among the riskiest {_KIND_SHARES[0]:.0%} and {_KIND_SHARES[1]:.0%}", kinds)
    show(f"False positives by group, of the riskiest {_FLAGGED:.0%}, against the average", rates[:12])
    show("Aims", [{"what": name, **row} for name, row in result["aims"].items()])
    finish(result)


def _risks(shop: Shop) -> tuple[dict[str, Floats], dict[str, Any]]:
    """The risk that each model gives to the later returns (n,), and counts of what there was to learn from."""
    until = str(np.datetime64(shop.until, "us")) + "+00:00"
    report = train(shop.settings, until)
    say(report.message)
    model = load(shop.settings, report.version).model
    X, later, earlier = shop.features(), shop.later, ~shop.later
    truth = shop.table["abusive"].to_numpy(dtype=np.float64)
    found, labelled = shop.table["label"].to_numpy(dtype=np.float64), shop.labelled
    aggregates = plain.aggregates(shop.table)
    ceiling, _ = fit_trees(X[earlier], truth[earlier], np.ones(int(earlier.sum())), MODEL_FEATURES, Recipe())
    risks = {
        "returnwise": model.risk(X[later]),
        **_baselines(shop, truth),
        "plain": plain.fit(aggregates[labelled], found[labelled]).predict(aggregates[later]),
        "plain, every truth": plain.fit(aggregates[earlier], truth[earlier]).predict(aggregates[later]),
        "returnwise, every truth": probabilities(raw_scores(ceiling, X[later])),
    }
    facts = {
        "earlier_returns": int(earlier.sum()),
        "later_returns": int(later.sum()),
        "labelled": int(labelled.sum()),
        "found": int(found[labelled].sum()),
        "labels_that_are_right": float((found[labelled] == truth[labelled]).mean()),
    }
    return {name: np.asarray(risk, dtype=np.float64) for name, risk in risks.items()}, facts


def _baselines(shop: Shop, truth: Floats) -> dict[str, Floats]:
    """The rules and the logistic regression of the model card, on the later returns."""
    history = read_history(shop.settings, shop.until)
    rows, unchecked = training_rows(shop.settings, history)
    later = shop.table[shop.later].drop(columns=["label", "known_at", "propensity", "trigger", "abuse_type"])
    labels = pd.DataFrame(
        {"return_id": later["return_id"], "label": truth[shop.later], "known_at": shop.until + 1, "propensity": np.nan}
    )
    parts = dataclasses.replace(split(rows, shop.until, unchecked), test=assemble(later, labels, MODEL_FEATURES))
    return {rival.name: rival.risk for rival in baselines(parts, MODEL_FEATURES) if rival.risk is not None}


def _row(name: str, of: Resampled) -> dict[str, Any]:
    def cell(figure: str) -> str:
        interval = of.interval(figure)
        return f"{interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"

    return {
        "model": name,
        **{figure: cell(figure) for figure in _SHOWN},
        "ece": f"{of.estimate['calibration_error']:.4f}",
    }


def _kinds(later: pd.DataFrame, risks: Mapping[str, Floats]) -> list[dict[str, Any]]:
    """Of each kind of abuse, how many there are and which share each of two models finds."""
    kind = later["true_kind"].astype(object).to_numpy()
    rows = []
    for name in sorted({k for k in kind if isinstance(k, str)}):
        of_kind = kind == name
        row: dict[str, Any] = {"kind": name, "returns": int(of_kind.sum())}
        for model in ("returnwise", "plain"):
            for share in _KIND_SHARES:
                taken = looked_at(risks[model], np.ones(len(kind)), share)
                row[f"{model} {share:.0%}"] = float(taken[of_kind].mean())
        rows.append(row)
    return rows


def _aims(judged: Mapping[str, Resampled], rates: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the issue asks for, as seen."""

    def ratio(figure: str, other: str) -> float:
        return judged["returnwise"].estimate[figure] / judged[other].estimate[figure]

    judged_groups = [row for row in rates if row["honest_returns"] >= _FEW]
    seen = {
        "average precision against plain": (ratio("average_precision", "plain"), ">=", 1.3),
        "value found at 2% against plain": (ratio("value_at_2", "plain"), ">=", 1.25),
        "average precision against plain with every truth": (
            ratio("average_precision", "plain, every truth"),
            ">",
            1.0,
        ),
        "calibration error": (judged["returnwise"].estimate["calibration_error"], "<=", 0.01),
        "largest false-positive ratio of a group": (max(row["ratio"] for row in judged_groups), "<=", 1.25),
        "the same, lower end of its range": (max(row["low"] for row in judged_groups), "<=", 1.25),
    }
    return {
        name: {
            "seen": value,
            "aim": f"{sign} {aim}",
            "met": value >= aim if sign == ">=" else value > aim if sign == ">" else value <= aim,
        }
        for name, (value, sign, aim) in seen.items()
    }


if __name__ == "__main__":
    main()

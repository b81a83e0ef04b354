"""Are the reasons true?

A simulated history is ingested, a model is trained on what was known by three quarters of it and promoted, and the
returns that came later are assessed and explained by the service's own code. Of those that the model flags: does the
risk fall when what the first reason names is put to typical values? Are near-same returns told the same? And for
abusive ones, of which the simulator knows the kind: is a reason of the right kind among the first three?

In the same run, what one would otherwise do: single features in the order of their SHAP contributions.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.common import arguments, finish, promote, returnwise, say, show, simulator_settings
from features.ledger.store import Ledger
from features.offline import Frames
from features.population import close_days
from features.reasons import CODES, group_of
from features.request import assessed_returns
from features.risk_model import RiskModel
from features.service import MODEL_FEATURES, VECTOR
from features.settings import Settings
from pipelines.simulate.run import LAST_DAY, simulate
from serving.model.holder import champion_now
from serving.model.loaded import LoadedModel
from serving.reasons.catalogue import default_catalogue
from serving.reasons.explain import Explainer
from training.dataset import Rows, assemble
from training.explanation.agreement import Kinds, agreement
from training.explanation.removal import fall
from training.explanation.report import SEED, ExplanationReport, explain_check, told
from training.explanation.stability import near_same, overlap, same_first
from training.fairness.frame import flags_of

Floats = npt.NDArray[np.float64]

_LATER: Final = 0.25  # share of the days that the model has not seen
_TIMED: Final = 1_000
_COLUMNS: Final = [VECTOR.index(feature.name) for feature in MODEL_FEATURES]
_GROUPS: Final = group_of([feature.family for feature in MODEL_FEATURES])


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(
        __doc__,
        customers=(int, 20_000, "customers to simulate"),
        days=(int, 730, "days to simulate"),
        seed=(int, 5, "seed of the simulation"),
        settings=(str, "", "settings of the simulator, as name=value,name=value"),
    )
    if options.quick:
        options.customers, options.days = 8_000, 540
    home = options.home or Path(tempfile.mkdtemp(prefix="returnwise-reasons-"))
    until = LAST_DAY - dt.timedelta(days=round(options.days * _LATER))
    settings = Settings(home=home / "var")
    if not settings.home.exists():
        what = f"{options.customers:,} customers over {options.days} days {options.settings}".strip()
        say(f"simulating {what}, training until {until}")
        _prepare(home, settings.home, options, until)
    frame, vectors = _later(settings, until)
    rows, kinds, acts = _rows(home, frame, vectors)
    model = champion_now(settings)
    elevated = explain_check(model.model, rows, MODEL_FEATURES, kinds=kinds, acts=acts)
    risk = model.model.risk(rows.X)
    top, _ = flags_of(risk, np.ones(len(risk)), model.model.card.bands.high, 0.02)
    riskiest = explain_check(model.model, rows, MODEL_FEATURES, kinds=kinds, acts=acts, from_risk=top.from_risk)
    two_percent = np.flatnonzero(risk >= top.from_risk)
    riskiest_first = np.argsort(-risk, kind="stable")[:_TIMED]
    timed = _timed(model, frame, vectors, riskiest_first)
    result: dict[str, Any] = {
        "benchmark": "reasons",
        "customers": options.customers,
        "days": options.days,
        "seed": options.seed,
        "settings": options.settings,
        "prior": model.prior,
        "later_returns": len(rows),
        "flagged": elevated.metrics,
        "riskiest_2_percent": riskiest.metrics,
        "single_features": _single_features(model.model, rows.X[two_percent], kinds[two_percent]),
        "by_kind": elevated.by_kind["fits"].round(4).to_dict(),
        "other_than_the_service": _differing(model, vectors, riskiest_first),
        **timed,
    }
    _tell(elevated, riskiest, result["single_features"])
    finish(result)


def _prepare(home: Path, var: Path, options: Any, until: dt.date) -> None:
    data = home / "data"
    simulate(
        data,
        customers=options.customers,
        days=options.days,
        seed=options.seed,
        format="parquet",
        settings=simulator_settings(options.settings),
    )
    for command in (("ingest", str(data)), ("train", "--until", until.isoformat())):
        say(f"returnwise {' '.join(command)}")
        returnwise(var, *command)
    promote(var)


def _later(settings: Settings, until: dt.date) -> tuple[pd.DataFrame, Floats]:
    """The returns requested after `until`, and their vectors (n, len(VECTOR))."""
    ledger = Ledger.open(settings)
    with ledger.write() as conn:  # first: what is expected of each order line is part of the requests
        close_days(conn, (LAST_DAY - dt.date(1970, 1, 1)).days + 1)
    with ledger.read() as conn:
        frame = assessed_returns(conn)
    after = pd.Timestamp(until, tz="UTC") + pd.Timedelta(days=1)
    frame = frame[frame["event_timestamp"] >= after].reset_index(drop=True)
    vectors = np.empty((len(frame), len(VECTOR)))
    with ledger.read() as conn:
        for numbers, some in Frames(conn).vectors(frame):
            vectors[numbers] = some
    ledger.close()
    return frame, vectors


def _rows(home: Path, frame: pd.DataFrame, vectors: Floats) -> tuple[Rows, Kinds, Kinds]:
    """The same as rows with true labels, and the true kind of abuse and act of each (None: none)."""
    truth = pd.read_parquet(home / "data" / "truth" / "returns_truth.parquet")
    truth = truth.set_index("return_id").loc[frame["return_id"]].reset_index()
    labels = pd.DataFrame(
        {"return_id": truth["return_id"], "label": truth["abusive"].astype(float), "known_at": 0, "propensity": 1.0}
    )
    features = pd.DataFrame(vectors[:, _COLUMNS], columns=[f.name for f in MODEL_FEATURES])
    table = pd.concat([frame.drop(columns=[name for name in features if name in frame]), features], axis=1)
    rows = assemble(table, labels, MODEL_FEATURES)
    assert list(rows.return_id) == list(truth["return_id"])  # both in order of time
    kinds, acts = (truth[c].where(truth[c].astype(bool), None).to_numpy(dtype=object) for c in ("kind", "act"))
    return rows, kinds, acts


def _timed(model: LoadedModel, frame: pd.DataFrame, vectors: Floats, which: npt.NDArray[np.intp]) -> dict[str, float]:
    """Seconds for 1,000 returns, risk and reasons in words, one return after the other as the service does it."""
    explainer = Explainer(default_catalogue())
    claims = (frame["request_kind_code"] == 1).tolist()
    start = time.perf_counter()
    for number in which.tolist():
        estimate = model.assess(vectors[number])
        explainer.explain(estimate.contributions, vectors[number], claim=claims[number], currency="EUR")
    seconds = time.perf_counter() - start
    return {"seconds_per_1000_explained": seconds / max(len(which), 1) * 1_000}


def _differing(model: LoadedModel, vectors: Floats, which: npt.NDArray[np.intp]) -> int:
    """Returns whose reasons, as the service tells them, are not those that were tested."""
    explainer = Explainer(default_catalogue())
    tested = told(model.model, vectors[which][:, _COLUMNS], _GROUPS)
    service = [explainer.codes(model.assess(vector).contributions) for vector in vectors[which]]
    return sum([CODES[i] for i in row if i >= 0] != codes for row, codes in zip(tested, service, strict=True))


def _single_features(model: RiskModel, X: Floats, kinds: Kinds) -> dict[str, float]:
    """The same tests of what one would otherwise tell: the features with the largest SHAP contributions."""
    ranked = np.argsort(-model.contributions(X), axis=1, kind="stable")[:, :3]
    itself = np.arange(X.shape[1])
    moved = near_same(X, MODEL_FEATURES, np.random.default_rng(SEED))
    others = np.argsort(-model.contributions(moved), axis=1, kind="stable")[:, :3]
    found_before = X[:, [f.name for f in MODEL_FEATURES].index("customer_concerns_lifetime")] > 0
    return {
        "removal_first": float((fall(model, X, itself, ranked[:, :1]) > 0).mean()),
        "stable_first": float(same_first(ranked, others).mean()),
        "stable_overlap": float(overlap(ranked, others).mean()),
        "agreement": float(agreement(kinds, _GROUPS[ranked], found_before)["fits"].iloc[0]),
    }


def _tell(elevated: ExplanationReport, riskiest: ExplanationReport, single: dict[str, float]) -> None:
    names = [name for name in elevated.metrics if not np.isnan(elevated.metrics[name])]
    show(
        "Reasons of flagged returns; single features: of the riskiest 2%, in order of SHAP",
        [
            {
                "what": name,
                "elevated or high": elevated.metrics[name],
                "riskiest 2%": riskiest.metrics[name],
                "single features": single.get(name, ""),
            }
            for name in names
        ],
    )
    for title, table in (("By kind of abuse", elevated.by_kind), ("By reason", elevated.by_reason)):
        show(f"{title}, elevated or high", table.reset_index().to_dict("records"))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()

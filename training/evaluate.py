"""A registered version judged on labelled returns that are later than anything it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.service import MODEL_FEATURES
from features.settings import Settings
from features.signals import ModelFeature
from training.dataset import MIN_PER_STRETCH, Rows, Split, day, split, stretch
from training.errors import RegistryError, TooFewLabels
from training.evaluation.baselines import Rival, baselines
from training.evaluation.headline import HEADLINE
from training.evaluation.intervals import Interval
from training.evaluation.report import Judged, judge
from training.evaluation.sections import contributions_plot, model_card, verdict
from training.evaluation.tables import shown
from training.registry import tracking
from training.registry.log import log_evaluation
from training.registry.versions import Version, champion, load
from training.table import History, labelled_rows, parse_until, read_history


@dataclass(frozen=True)
class EvaluationReport:
    """What came out. `message` says it to a person, in full sentences; `metrics` are those of the run."""

    version: str
    run_id: str
    metrics: Mapping[str, float]
    judged: Judged
    message: str


def evaluate(settings: Settings, version: str | None = None, until: str | None = None) -> EvaluationReport:
    """Judge a version (the champion if none is named, else the newest) on what the ledger knew at `until`.

    Judged are the returns requested since its test stretch began, so that a later `until` gives more of them. The run
    `evaluate` gets figures, plots and a model card.

    Raises:
        RegistryError: there is no such version, or it needs features that the feature service does not give.
        TooFewLabels: too few of the later returns have a label, so that there is nothing to measure.
        TrainingError: `until` is no date.
    """
    chosen = load(settings, version)
    columns = chosen.columns(MODEL_FEATURES)
    history = read_history(settings, parse_until(until))
    parts, test = _stretches(chosen, labelled_rows(settings, history), history.until)
    _check_measurable(chosen, test, history.until)
    X = test.X[:, columns]
    others = rivals(settings, parts, MODEL_FEATURES, apart_from=chosen.number) if parts else []
    judged = judge(test, chosen.model.risk(X), MODEL_FEATURES, others)
    notes = tuple(_notes(chosen, parts, history))
    card = model_card(
        tracking.MODEL_NAME,
        chosen.number,
        chosen.model.card,
        history.labels,
        parts.parts() | {"test": test} if parts else {"test": test},
        judged,
        parameters=_moments(chosen),
        contributions=contributions_plot(chosen.model, X),
        notes=notes,
    )
    metrics = {f"test_{name}": value for name, value in judged.metrics().items()}
    metrics |= {"test_rows": float(len(test)), "test_positives": float(test.positives)}
    parameters = {
        "evaluated_version": chosen.number,  # under `mlflow run` the run has `version` and `until` already
        "known_until": day(history.until),
        "judged_from": day(int(test.requested_at[0])),
        "judged_to": day(int(test.requested_at[-1])),
    }
    run_id = log_evaluation(settings, card, parameters, metrics, history.version, chosen.number)
    message = " ".join(
        [
            f"Version {chosen.number} of {tracking.MODEL_NAME}{' (champion)' if _in_use(chosen) else ''}.",
            verdict(judged, test),
            *notes,
            *_against(judged, others),
            f"The model card is in the run {run_id}: card/model_card.html.",
        ]
    )
    return EvaluationReport(chosen.number, run_id, metrics, judged, message)


def rivals(
    settings: Settings, parts: Split, features: Sequence[ModelFeature], apart_from: str | None = None
) -> list[Rival]:
    """The baselines and the champion on the test stretch; the champion with a note where it cannot be compared.

    It is left out if there is none, or if it is the version `apart_from`, which is judged.
    """
    out = baselines(parts, features)
    try:
        current = champion(settings)
    except RegistryError as error:
        return [*out, Rival("champion", "The champion", None, str(error))]
    if current is None or current.number == apart_from:
        return out
    title = f"Champion (version {current.number}{', a prior model' if current.model.card.prior else ''})"
    if current.learned_until > parts.test_from:
        note = (
            f"it has learned from labels known until {day(current.learned_until)}, after these returns began "
            f"({day(parts.test_from)})"
        )
        return [*out, Rival("champion", title, None, note)]
    try:
        columns = current.columns(features)
    except RegistryError as error:
        return [*out, Rival("champion", title, None, str(error))]
    learned = f"trained until {current.model.card.trained_until[:10]}"
    return [*out, Rival("champion", title, current.model.risk(parts.test.X[:, columns]), learned)]


def _stretches(chosen: Version, rows: Rows, until: int) -> tuple[Split | None, Rows]:
    """What the baselines are fitted on, if there is enough, and what the version is judged on."""
    known = chosen.stretches
    if chosen.model.card.prior:  # it has seen no label: all are later
        try:
            parts = split(rows, until)
        except TooFewLabels:
            return None, rows
        return parts, parts.test
    if len(known) < 3:
        return None, stretch(rows, chosen.learned_until + 1, until + 1, 0)
    start, calibration_from, test_from, gap = 0, *known.values()
    parts = Split(
        train=stretch(rows, start, calibration_from, gap),
        calibration=stretch(rows, calibration_from, test_from, gap),
        test=stretch(rows, test_from, until + 1, gap),
        calibration_from=calibration_from,
        test_from=test_from,
        until=until,
        gap=gap,
    )
    enough = all(_both_kinds(part) for part in (parts.train, parts.calibration))
    return parts if enough else None, parts.test


def _both_kinds(rows: Rows) -> bool:
    return min(rows.positives, len(rows) - rows.positives) >= MIN_PER_STRETCH


def _check_measurable(chosen: Version, test: Rows, until: int) -> None:
    if _both_kinds(test):
        return
    since = "" if chosen.model.card.prior else f" requested after what version {chosen.number} learned from"
    raise TooFewLabels(
        f"nothing to measure: of the returns{since} that were known on {day(until)}, {test.positives} have abuse found "
        f"and {len(test) - test.positives} are cleared; at least {MIN_PER_STRETCH} of each are needed"
    )


def _in_use(chosen: Version) -> bool:
    return tracking.CHAMPION in chosen.aliases


def _moments(chosen: Version) -> dict[str, object]:
    names = {"calibration_from_us": "calibration from", "test_from_us": "test from"}
    return {names[key]: day(moment) for key, moment in chosen.stretches.items() if key in names}


def _notes(chosen: Version, parts: Split | None, history: History) -> list[str]:
    """What a reader of the figures must know beforehand."""
    out = []
    if chosen.model.card.prior:
        out.append(
            "It is a prior model, not learned from findings: its risk is no measured probability, and only the order "
            "of the returns is worth judging."
        )
    if parts is None:
        out.append("There are too few earlier labels to fit baselines on, so that there is none to compare with.")
    then, now = chosen.model.card.data.get("epoch"), history.version.epoch
    if then is not None and then != now:
        out.append(
            f"Bulk ingest has changed the past of the ledger since it was trained (epoch {then} then, {now} now): the "
            "features of the same returns may differ from those it learned from."
        )
    return out


def _against(judged: Judged, others: Sequence[Rival]) -> list[str]:
    """The best rival in a sentence, by average precision."""
    titles = {r.name: r.title for r in others}
    out = [f"Not compared with {r.title.lower()}: {r.note}." for r in others if r.risk is None]
    if not judged.rivals:
        return out
    best = max(judged.rivals, key=lambda name: _estimate(judged.rivals[name][HEADLINE[0].key]))
    less = judged.differences[best]["average_precision"]
    return [
        f"The strongest to compare with is {titles[best].lower()}, with an average precision of "
        f"{shown(judged.rivals[best]['average_precision'], 'figure')}; the difference is {shown(less, 'difference')}.",
        *out,
    ]


def _estimate(interval: Interval) -> float:
    return interval.estimate if interval.estimate == interval.estimate else -1.0

"""A registered version before all checks of the gate, on what the ledger knows now."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from training.dataset import DataVersion, Rows, day, everyone, stretch
from training.errors import RegistryError
from training.explanation import ExplanationReport, explain_check
from training.fairness import FairnessReport, assess_fairness
from training.gate import checks
from training.gate.bounds import Bounds, read_bounds
from training.gate.checks import Check, not_judged
from training.registry.promote import choose
from training.registry.tracking import MODEL_NAME
from training.registry.versions import Version, champion, load
from training.table import History, read_history, training_rows

_PRIOR_RISK: Final = "it is a prior model, whose risk is no measured probability"
_NOTHING_FOUND: Final = "no abuse was found in labelled returns later than what it has learned from"


@dataclass(frozen=True)
class GateReport:
    """Every check of one version. `champion` is the version that it was to replace, None where there is none."""

    version: str
    champion: str | None
    prior: bool
    known_until: str
    data: DataVersion
    checks: tuple[Check, ...]
    bounds: Bounds
    reasons: ExplanationReport
    fairness: FairnessReport | None

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that speak against it."""
        return tuple(check for check in self.checks if check.failed)

    @property
    def metrics(self) -> Mapping[str, float]:
        """Figures by name, `CHECK_FIGURE`, for the run."""
        return {f"{check.name}_{name}": value for check in self.checks for name, value in check.figures.items()}


def judge_version(settings: Settings, version: str | int | None = None, bounds: Bounds | None = None) -> GateReport:
    """Every check of a version (the newest if none is named). Changes nothing.

    Judged are the returns later than what it has learned from; it is compared with the champion on those later than
    what either has learned from.

    Raises:
        RegistryError: there is no such version, or its features are not those of the feature service, so that it
            could not serve.
    """
    bounds = bounds or read_bounds()
    chosen = load(settings, choose(settings, version))
    check_fits(chosen)
    try:
        current, unreadable = champion(settings), None
    except RegistryError as error:
        current, unreadable = None, str(error)
    history = read_history(settings, None)
    labelled, everybody = _later(settings, history, chosen.unseen_from)
    own = _known(labelled, chosen, chosen.unseen_from, history.until)
    judged = own if everybody is None else everybody
    explained = explain_check(chosen.model, judged, MODEL_FEATURES)
    prior = chosen.model.card.prior
    if prior:
        fair, calibrated = None, not_judged("calibration", f"Calibration was not judged: {_PRIOR_RISK}.")
    else:
        fair = assess_fairness(own, MODEL_FEATURES, chosen.model, everybody) if own.positives else None
        calibrated = checks.calibration(own, chosen.model.risk(own.X), bounds)
    made = (
        not_judged("order", f"Not compared with the champion: {unreadable}.")
        if unreadable
        else _order(chosen, current, labelled, history.until, bounds),
        calibrated,
        checks.fairness(fair)
        if fair
        else not_judged("fairness", f"Fairness was not judged: {_PRIOR_RISK if prior else _NOTHING_FOUND}."),
        checks.reasons(explained, bounds),
        checks.speed(chosen.model, judged.X, MODEL_FEATURES, bounds),
    )
    return GateReport(
        version=chosen.number,
        champion=None if current is None else current.number,
        prior=prior,
        known_until=day(history.until),
        data=history.version,
        checks=made,
        bounds=bounds,
        reasons=explained,
        fairness=fair,
    )


def check_fits(chosen: Version) -> None:
    """Raise `RegistryError` if the service could not feed a version: nothing can override that."""
    places = chosen.columns(MODEL_FEATURES)  # names what is missing
    card = chosen.model.card
    if card.feature_service != SERVICE:
        raise RegistryError(
            f"version {chosen.number} of {MODEL_NAME} was trained on the feature service {card.feature_service}, this "
            f"is {SERVICE}: it could not serve; train a new version"
        )
    if places != list(range(len(MODEL_FEATURES))):
        added = [f.name for f in MODEL_FEATURES if f.name not in chosen.model.features]
        differs = f"it lacks {', '.join(added)}" if added else "they stand in another order"
        raise RegistryError(
            f"the {len(places)} features of version {chosen.number} of {MODEL_NAME} are not the {len(MODEL_FEATURES)} "
            f"of the feature service {SERVICE} ({differs}): it could not serve; train a new version"
        )


def _later(settings: Settings, history: History, begin: int) -> tuple[Rows, Rows | None]:
    """Labelled returns requested since `begin`, and an even sample of all, checked or not; None if all were checked."""
    since = history.returns["event_timestamp"] >= pd.Timestamp(begin, unit="us", tz="UTC")
    labelled, unchecked = training_rows(settings, dataclasses.replace(history, returns=history.returns[since]))
    return labelled, everyone(labelled, unchecked) if len(unchecked.rows) else None


def _known(labelled: Rows, chosen: Version, begin: int, until: int) -> Rows:
    """What a version is judged on: without the latest returns, of which only quick labels are known."""
    return stretch(labelled, begin, until + 1, chosen.stretches.get("gap_us", 0))


def _order(chosen: Version, current: Version | None, labelled: Rows, until: int, bounds: Bounds) -> Check:
    """The comparison with the champion, where there is one that can be compared."""
    if current is None:
        return not_judged("order", "There is no champion yet to compare it with.")
    rival = f"the champion (version {current.number})"
    if current.number == chosen.number:
        return not_judged("order", "It is the champion already; there is nothing to compare it with.")
    if chosen.model.card.prior:
        if current.model.card.prior:
            return not_judged("order", f"Not compared with {rival}: both are prior models and follow written weights.")
        why = f"It is a prior model, which follows written weights; {rival} has learned from what checks found."
        return Check("order", "failed", (why,))
    try:
        columns = current.columns(MODEL_FEATURES)
    except RegistryError as error:
        return not_judged("order", f"Not compared with {rival}: {error}.")
    common = _known(labelled, chosen, max(chosen.unseen_from, current.unseen_from), until)
    risk, theirs = chosen.model.risk(common.X), current.model.risk(common.X[:, columns])
    return checks.order(common, risk, theirs, rival, bounds)

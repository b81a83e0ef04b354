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
from training.table import read_history, training_rows

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


@dataclass(frozen=True)
class Evidence:
    """What the ledger knows at `until` (microseconds): `labelled` returns, and `everybody`, an even sample of all
    returns, checked or not (None if all were checked), both with their features in the order of the service."""

    labelled: Rows
    everybody: Rows | None
    until: int
    data: DataVersion

    def known(self, chosen: Version, begin: int) -> Rows:
        """Labelled returns requested since `begin`, without the latest, of which only quick labels are known."""
        return stretch(self.labelled, begin, self.until + 1, chosen.stretches.get("gap_us", 0))

    def all_since(self, begin: int) -> Rows | None:
        """Of all returns, those requested since `begin`."""
        rows = self.everybody
        return None if rows is None else rows.take(rows.requested_at >= begin)


def gather(settings: Settings, begin: int = 0) -> Evidence:
    """The evidence on returns requested since `begin` (microseconds)."""
    history = read_history(settings, None)
    since = history.returns["event_timestamp"] >= pd.Timestamp(begin, unit="us", tz="UTC")
    labelled, unchecked = training_rows(settings, dataclasses.replace(history, returns=history.returns[since]))
    everybody = everyone(labelled, unchecked) if len(unchecked.rows) else None
    return Evidence(labelled, everybody, history.until, history.version)


def judge_version(settings: Settings, version: str | int | None = None, bounds: Bounds | None = None) -> GateReport:
    """Every check of a version (the newest if none is named). Changes nothing.

    Raises:
        RegistryError: there is no such version, or its features are not those of the feature service, so that it
            could not serve.
    """
    chosen = load(settings, choose(settings, version))
    check_fits(chosen)
    try:
        current: Version | str | None = champion(settings)
    except RegistryError as error:
        current = str(error)
    return judge(chosen, current, gather(settings, chosen.unseen_from), bounds)


def judge(
    chosen: Version, current: Version | str | None, evidence: Evidence, bounds: Bounds | None = None
) -> GateReport:
    """Every check of a version whose features are those of the service. `current` is the champion, None if there is
    none, or why it cannot be read.

    Judged are the returns later than what the version has learned from; it is compared with the champion on those
    later than what either has learned from.
    """
    bounds = bounds or read_bounds()
    own = evidence.known(chosen, chosen.unseen_from)
    everybody = evidence.all_since(chosen.unseen_from)
    judged = own if everybody is None else everybody
    explained = explain_check(chosen.model, judged, MODEL_FEATURES)
    prior = chosen.model.card.prior
    fair = None if prior or not own.positives else assess_fairness(own, MODEL_FEATURES, chosen.model, everybody)
    made = (
        _order(chosen, current, evidence, bounds),
        not_judged("calibration", f"Calibration was not judged: {_PRIOR_RISK}.")
        if prior
        else checks.calibration(own, chosen.model.risk(own.X), bounds),
        not_judged("fairness", f"Fairness was not judged: {_PRIOR_RISK if prior else _NOTHING_FOUND}.")
        if fair is None
        else checks.fairness(fair),
        checks.reasons(explained, bounds),
        checks.speed(chosen.model, judged.X, MODEL_FEATURES, bounds),
    )
    return GateReport(
        version=chosen.number,
        champion=current.number if isinstance(current, Version) else None,
        prior=prior,
        known_until=day(evidence.until),
        data=evidence.data,
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


def _order(chosen: Version, current: Version | str | None, evidence: Evidence, bounds: Bounds) -> Check:
    """The comparison with the champion, where there is one that can be compared."""
    if current is None:
        return not_judged("order", "There is no champion yet to compare it with.")
    if isinstance(current, str):
        return not_judged("order", f"Not compared with the champion: {current}.")
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
    common = evidence.known(chosen, max(chosen.unseen_from, current.unseen_from))
    risk, theirs = chosen.model.risk(common.X), current.model.risk(common.X[:, columns])
    return checks.order(common, risk, theirs, rival, bounds)

"""`returnwise challenge --fill`: what the challenger would have said, where the service has not stored it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from rich.progress import Progress

from features.ledger.store import Ledger
from features.settings import Settings
from pipelines.compare.versions import challenger_of, learned_until, load
from pipelines.ingest.progress import advancing
from serving.clock import now_us
from serving.model.registry import Registry
from serving.shadow import repository
from serving.shadow.model import VectorModel, decoded
from serving.shadow.repository import ShadowAssessment, Unscored

#: A running service waits while a part is written.
_AT_ONCE: Final = 500


@dataclass
class FillReport:
    """What was filled in. `unreadable` vectors were made by another version of the features."""

    version: str
    scored: int = 0
    unreadable: int = 0

    def lines(self) -> list[str]:
        """The report for people."""
        lines = [f"{self.scored:,} assessments scored with version {self.version}"]
        if self.unreadable:
            lines.append(f"{self.unreadable:,} could not be: another version of the features made their vectors")
        return lines


def fill(settings: Settings, progress: Progress | None = None) -> FillReport:
    """Score every assessment that the challenger has not scored, from the vector stored with it, to the last bit what
    it would have said. Those requested before its training ended are left out: it may have learned from them.

    Safe to interrupt, to run again, and to run beside the service.

    Raises:
        ReturnwiseError: there is no challenger, or it cannot be used.
    """
    registry = Registry(settings)
    model = load(registry, challenger_of(registry))
    after, report = learned_until(model), FillReport(model.version)
    ledger = Ledger.open(settings)
    try:
        with ledger.read() as conn:
            total = repository.count_unscored(conn, model.version, after)
        beyond, seen = 0, 0
        with advancing(progress, "scoring in the shadow", total) as advance:
            while part := _next(ledger, model.version, after, beyond):
                beyond = part[-1].assessment_no
                scored = _scored(model, part)
                with ledger.write() as conn:
                    repository.store(conn, scored)
                report.scored += len(scored)
                report.unreadable += len(part) - len(scored)
                seen += len(part)
                advance(seen)
    finally:
        ledger.close()
    return report


def _next(ledger: Ledger, version: str, after: int, beyond: int) -> list[Unscored]:
    with ledger.read() as conn:
        return repository.next_unscored(conn, version, after, beyond, _AT_ONCE)


def _scored(model: VectorModel, part: Sequence[Unscored]) -> list[ShadowAssessment]:
    read = [(row.assessment_id, decoded(row.feature_service, row.vector)) for row in part]
    known = [(assessment_id, vector) for assessment_id, vector in read if vector is not None]
    if not known:
        return []
    risks = model.risk(np.stack([vector for _, vector in known])).tolist()
    now = now_us()
    return [
        ShadowAssessment(assessment_id, model.version, risk, now)
        for (assessment_id, _), risk in zip(known, risks, strict=True)
    ]

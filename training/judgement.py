"""What else a version is judged by beside its figures: whether its reasons are true, and whether it is fair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from features.risk_model import RiskModel
from features.signals import ModelFeature
from training.dataset import Rows
from training.evaluation.card import Part
from training.evaluation.sections import part_of
from training.explanation import ExplanationReport, explain_check
from training.fairness import FairnessReport, assess_fairness


@dataclass(frozen=True)
class Judgement:
    """Both reports."""

    explanation: ExplanationReport
    fairness: FairnessReport

    def parts(self) -> dict[str, Part]:
        """For the model card."""
        return {"reasons": part_of(self.explanation.section()), "fairness": part_of(self.fairness.section())}

    def metrics(self) -> dict[str, float]:
        """For the run."""
        return {f"reasons_{name}": value for name, value in self.explanation.metrics.items()} | self.fairness.metrics


def judge_further(
    model: RiskModel, rows: Rows, features: Sequence[ModelFeature], everyone: Rows | None = None
) -> Judgement:
    """Test the reasons of the flagged among labelled `rows` that the model was not fitted on, and compare groups among
    them; `everyone` is an even sample of all returns of that time."""
    return Judgement(explain_check(model, rows, features), assess_fairness(rows, features, model, everyone))

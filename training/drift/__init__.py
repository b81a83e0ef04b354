"""Drift: whether live returns still look like those a model was trained on, and whether it can still be trusted."""

from training.drift.compare import compare
from training.drift.reference import REFERENCE_ROWS, with_reference
from training.drift.report import DriftReport, Window

__all__ = ["REFERENCE_ROWS", "DriftReport", "Window", "compare", "with_reference"]

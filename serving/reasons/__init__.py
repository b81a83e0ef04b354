"""Reasons and reassurances: what raised or lowered a risk, in words, with facts and a check that would settle it."""

from serving.reasons.describe import describe

__all__ = ["describe"]

"""What can go wrong in training that the person who started it can do something about.

ReturnwiseError
+-- TrainingError
    +-- TooFewLabels
+-- RecipeError
+-- RegistryError
+-- PromotionRefused
"""

from __future__ import annotations

from features.errors import ReturnwiseError


class TrainingError(ReturnwiseError):
    """A history that no model can be learned from. The message gives the counts."""


class TooFewLabels(TrainingError):
    """Not enough findings and verdicts, or all of one kind, in one of the stretches of time."""


class RecipeError(ReturnwiseError):
    """A recipe file that cannot be used. The message names the field."""


class RegistryError(ReturnwiseError):
    """A registered version that does not exist or cannot be read."""


class PromotionRefused(ReturnwiseError):
    """A version that fails a check of the gate. The message names the checks, with figures."""

"""MLflow: runs, the registered model `returnwise-risk` and its aliases."""

from training.registry.challenge import challenge, end_challenge
from training.registry.promote import promote

__all__ = ["challenge", "end_challenge", "promote"]

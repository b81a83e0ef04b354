"""MLflow: runs, the registered model `returnwise-risk` and its aliases."""

from training.registry.promote import promote

__all__ = ["promote"]

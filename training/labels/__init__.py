"""Labels: what was found or concluded about a return, how strong that is, and how many returns it stands for."""

from training.labels.base_rate import base_rate
from training.labels.rules import COLUMNS, EVIDENCE, WEAK, label_returns, read_labels
from training.labels.weights import effective_size, weights

__all__ = ["COLUMNS", "EVIDENCE", "WEAK", "base_rate", "effective_size", "label_returns", "read_labels", "weights"]

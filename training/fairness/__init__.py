"""Whether the model is as right about one group of customers as about another.

    report = assess_fairness(rows, MODEL_FEATURES, model)
    report.breaches          # one sentence for each written bound that a group exceeds beyond noise
    report.section()         # the same as tables, sentences and a picture, for the model card

Groups are made for this comparison only (`segments`); what they are made of is not shown to the model, or is shown to
it for a reason that is written down (`left_out`).
"""

from training.fairness.bounds import Bounds, read_bounds
from training.fairness.report import FairnessReport, assess_fairness

__all__ = ["Bounds", "FairnessReport", "assess_fairness", "read_bounds"]

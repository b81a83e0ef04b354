"""Whether the reasons that are told are true.

    report = explain_check(model, rows, MODEL_FEATURES)
    report.breaches          # one sentence for each written bound that the reasons do not hold
    report.section()         # the same as tables, sentences and a picture, for the model card

Three questions, of the reasons as the service chooses them (`features.reasons`): does the risk fall without what a
reason names (`removal`), are the same reasons told of near-same returns (`stability`), and do they fit the kind of
abuse that was found (`agreement`)?
"""

from training.explanation.report import ExplanationReport, explain_check

__all__ = ["ExplanationReport", "explain_check"]

"""The gate: what a version must hold before it becomes the champion.

    report = judge_version(settings, "3")     # every check with its figures; changes nothing
    promote_judged(settings, "3")             # raises PromotionRefused, naming the checks that fail
    promote_judged(settings, "3", override="the old one is worse in the shops of one country")

Five checks, each against a written bound (`bounds.toml`): order (beside the champion), calibration, fairness, reasons,
speed.
"""

from training.gate.judge import GateReport, judge_version
from training.gate.run import Promotion, promote_judged

__all__ = ["GateReport", "Promotion", "judge_version", "promote_judged"]

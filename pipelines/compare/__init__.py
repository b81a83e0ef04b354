"""Champion and challenger on the same live assessments: what they said, and what was found.

compare(settings)           # the report, as a page and an MLflow run
fill(settings)              # the shadow risks that the service has not stored
"""

from pipelines.compare.filling import FillReport, fill
from pipelines.compare.run import CompareReport, compare

__all__ = ["CompareReport", "FillReport", "compare", "fill"]
